//! Running other programs.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::output;

/// Runs a program that shows its own output.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| not_started(command))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a program that shows its own output, and passes each line of its errors to `look`.
pub(crate) fn run_watched(command: &mut Command, mut look: impl FnMut(&str)) -> Result<ExitStatus> {
    if io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        // It cannot see the terminal through the pipe.
        command.env("CARGO_TERM_COLOR", "always");
    }
    command.stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| not_started(command))?;
    let errors = child.stderr.take().context("no pipe")?;
    for line in BufReader::new(errors).split(b'\n') {
        let line = line?;
        let _ = io::stderr().write_all(&[&line, &b"\n"[..]].concat());
        look(&without_colors(&String::from_utf8_lossy(&line)));
    }
    Ok(child.wait()?)
}

/// A line without the sequences that change colors: an escape, and what follows up to a letter.
fn without_colors(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|character: char| character.is_ascii_alphabetic());
        text.push_str(end.map_or("", |end| &part[end + 1..]));
    }
    text
}

/// Runs a program without showing its output, unless it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| not_started(command))?;
    if !output.status.success() {
        // What LLVM's tools print when they crash helps no user.
        if output.status.code().is_some() {
            for text in [&output.stdout, &output.stderr] {
                output::error(format_args!("{}", String::from_utf8_lossy(text)));
            }
        }
        bail!("`{}` failed ({})", line(command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What a program prints, if it is there and succeeds; a question whose answer may be no.
pub fn quiet(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let answer = output.status.success().then_some(output.stdout)?;
    String::from_utf8(answer).ok()
}

/// Returns `true` if a program runs and succeeds within a time limit.
pub(crate) fn succeeds_within(limit: Duration, command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = quiet.spawn() else {
        return false;
    };
    let end = Instant::now() + limit;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(Duration::from_millis(50)),
            Err(_) => break,
        }
    }
    // It may have ended just now; either way it is not there any more.
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// The path of a program that can be typed.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

/// The command with the environment of the person who typed it: without what the Cargo that runs
/// this program has added, and without options that are meant for this machine's programs.
#[must_use]
pub fn clean(program: &Path) -> Command {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_TARGET_DIR",
        "CARGO_TERM_",
        "RUSTUP_",
    ];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = text.starts_with("CARGO") || text.starts_with("RUST");
        if ours && !KEPT.iter().any(|kept| text.starts_with(kept)) || text == "LD_LIBRARY_PATH" {
            command.env_remove(&name);
        }
    }
    command
}

/// What to say of a program that cannot be started.
fn not_started(command: &Command) -> String {
    let program = Path::new(command.get_program());
    if program.is_absolute() {
        format!("cannot start {}", program.display())
    } else {
        format!("cannot start {}: is it on PATH?", program.display())
    }
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name();
    let words = program.into_iter().chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
