//! A set-up that is killed, fails, or finds the disk full is not taken as done: the next one makes
//! everything right. And its messages blame what is at fault.
#![cfg(unix)]

mod standins;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use standins::{Fault, Machine};

/// A script that one thread writes cannot be run while another thread starts a process.
static ONE_TEST: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_TEST.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    format!("{}{error}", String::from_utf8_lossy(&output.stdout))
}

#[track_caller]
fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
}

/// The line of an error, which is the only one.
#[track_caller]
fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let line = text
        .strip_prefix("cargo-nmr: ")
        .and_then(|text| text.strip_suffix('\n'));
    let line = line.unwrap_or_else(|| panic!("no line of an error: {text:?}"));
    assert!(!line.contains('\n'), "{text}");
    line.to_owned()
}

#[test]
fn a_second_setup_changes_nothing() {
    let _alone = alone();
    let machine = Machine::new("nothing");
    succeeded(&machine.setup());
    let first = machine.files();
    let output = machine.setup();
    succeeded(&output);
    assert!(!text(&output).contains("made"), "{}", text(&output));
    assert_eq!(machine.files(), first);
}

#[test]
fn a_setup_with_a_fault_at_any_step_is_repeated() {
    let _alone = alone();
    let mut machine = Machine::new("steps");
    succeeded(&machine.setup());
    let (expected, calls) = (machine.files(), machine.calls());
    assert!(calls > 20, "{calls} calls");
    for (number, fault) in Fault::ALL.into_iter().enumerate() {
        // Every step is killed; one in four has each of the other faults.
        let stride = if fault == Fault::Kill { 1 } else { 4 };
        for call in (1..=calls).skip(number % stride).step_by(stride) {
            // From nothing now and then, and else from what an older version has left.
            if call % 5 == 0 {
                fs::remove_dir_all(machine.made()).unwrap();
            }
            machine.upgrade();
            let output = machine.with_fault(fault, call);
            let killed = output.status.signal() == Some(9);
            let should_be_killed = matches!(fault, Fault::Kill | Fault::KillHalf);
            assert_eq!(
                killed,
                should_be_killed,
                "{fault:?} at {call}: {}",
                text(&output)
            );
            assert!(
                !output.status.success(),
                "{fault:?} at {call}: {}",
                text(&output)
            );
            let output = machine.setup();
            assert!(
                output.status.success(),
                "{fault:?} at {call}: {}",
                text(&output)
            );
            assert_eq!(machine.files(), expected, "{fault:?} at {call}");
        }
    }
}

/// No file can grow above a limit, which stands for a disk that is full: the set-up gets an error or, in the
/// other round, a signal that kills it.
#[test]
fn a_setup_on_a_full_disk_is_repeated() {
    let _alone = alone();
    let mut machine = Machine::new("full");
    succeeded(&machine.setup());
    let expected = machine.files();
    for ignored in ["trap '' XFSZ; ", ""] {
        let mut failed = 0;
        for blocks in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
            fs::remove_dir_all(machine.made()).unwrap();
            machine.upgrade();
            let output = machine.limited(&format!("{ignored}ulimit -f {blocks}"));
            if output.status.success() {
                assert_eq!(machine.files(), expected, "{blocks} blocks");
            } else {
                failed += 1;
            }
            succeeded(&machine.setup());
            assert_eq!(machine.files(), expected, "{blocks} blocks");
        }
        assert!(failed >= 3, "{failed} failures");
    }
}

#[test]
fn two_setups_at_once_do_not_disturb_each_other() {
    let _alone = alone();
    let mut machine = Machine::new("two");
    succeeded(&machine.setup());
    let expected = machine.files();
    for _ in 0..3 {
        machine.upgrade();
        let mut other = machine.command().stdout(Stdio::null()).spawn().unwrap();
        let output = machine.setup();
        assert!(other.wait().unwrap().success());
        succeeded(&output);
        assert_eq!(machine.files(), expected);
    }
}

#[test]
fn a_message_blames_the_tool_and_the_file() {
    let _alone = alone();
    let machine = Machine::new("tool");
    let libraries = |fault| {
        let mut messages = Vec::new();
        // The first two calls look for the compiler.
        for call in 3..16 {
            let _ = fs::remove_dir_all(machine.made());
            let output = machine.with_fault(fault, call);
            let text = String::from_utf8(output.stderr).unwrap();
            messages.push(text.lines().last().unwrap().to_owned());
        }
        messages
    };
    let messages = libraries(Fault::Fail);
    let made = machine.made();
    let expected = format!("cargo-nmr: cannot make {}/wdk/Lib/", made.display());
    let dlltool = |line: &&String| line.starts_with(&expected) && line.contains("`llvm-dlltool ");
    assert!(messages.iter().filter(dlltool).count() > 4, "{messages:#?}");
    let messages = libraries(Fault::Empty);
    let empty =
        |line: &String| line.contains("ntoskrnl.lib: ") && line.ends_with("is the disk full?");
    assert!(messages.iter().any(empty), "{messages:#?}");
}

#[test]
fn a_message_blames_the_path() {
    let _alone = alone();
    let machine = Machine::new("path");
    let mut command = machine.command();
    command.env("LIBCLANG_PATH", "/nope\u{1b}[2J");
    let line = error(&machine.run(command));
    assert_eq!(
        line,
        "LIBCLANG_PATH is /nope\\u{1b}[2J, where no libclang is: correct it or unset it"
    );

    let mut command = machine.command();
    command.env("PATH", "");
    let line = error(&machine.run(command));
    assert!(line.starts_with("PATH is empty: rustc, "), "{line}");

    let mut command = machine.command();
    command.env("PATH", "/nope");
    let line = error(&machine.run(command));
    assert!(
        line.starts_with("no rustc with the targets for Windows on PATH"),
        "{line}"
    );
    assert!(
        line.ends_with("install what Debian has in rustc-web cargo-web rust-web-src"),
        "{line}"
    );
}

/// The administrator may write everywhere but there.
#[test]
fn a_message_blames_a_directory_that_cannot_be_written() {
    let _alone = alone();
    let machine = Machine::new("directory");
    let file = machine.at("tool");
    for directory in [Path::new("/proc/setup"), &file.join("below")] {
        let command = machine.command_for(directory);
        let line = error(&machine.run(command));
        let expected = format!("cannot create {}: ", directory.display());
        assert!(line.starts_with(&expected), "{line}");
    }
}

/// The exit code says that the progress was lost, and everything is made all the same.
#[test]
fn outputs_that_cannot_be_written_do_no_harm() {
    let _alone = alone();
    let machine = Machine::new("outputs");
    if Path::new("/dev/full").exists() {
        let output = machine.limited("exec >/dev/full 2>/dev/full");
        assert_eq!(output.status.code(), Some(1));
        let again = machine.run(machine.command());
        succeeded(&again);
        let made = String::from_utf8_lossy(&again.stdout);
        assert!(!made.contains("  made "), "{made}");
        let output = machine.limited("exec >/dev/full 2>/dev/full; LIBCLANG_PATH=/nope");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_wrong_command_line_has_an_exit_code_of_its_own() {
    let _alone = alone();
    let machine = Machine::new("usage");
    let mut command = machine.command();
    command.arg("--nope");
    assert_eq!(machine.run(command).status.code(), Some(2));
}
