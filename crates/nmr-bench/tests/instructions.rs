//! Counts the instructions of a call and of a client's cycle. Unlike times, counts repeat, so one step
//! too many shows wherever the test runs.
//!
//! valgrind counts them in the program `steps`, built as it is measured: once for some repetitions, once
//! for twice as many. The difference is that of the repetitions alone.
//!
//! `tests/instructions.txt` has the expected counts. `UPDATE_COUNTS=1` writes them anew.
#![cfg(target_arch = "x86_64")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/instructions.txt");
const COMPILER: &str = env!("NMR_BENCH_RUSTC");
const TIMES: u32 = 1_000;

/// With another compiler the counts can only be near.
const NEAR: f64 = 0.1;

/// The dynamic loader and the C library execute a few dozen instructions more or less from run to run,
/// which is some hundredths of an instruction for each repetition.
const NOISE: f64 = 0.5;

/// A line of the file.
#[derive(Debug)]
struct Expected {
    what: String,
    count: f64,
    /// How much more or less is no finding.
    within: f64,
}

/// The file.
struct Expectation {
    comment: String,
    compiler: String,
    lines: Vec<Expected>,
}

impl Expectation {
    fn read() -> Self {
        let text = fs::read_to_string(EXPECTED).unwrap();
        let comment = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect::<Vec<_>>();
        let mut lines = text
            .lines()
            .skip(comment.len())
            .filter(|line| !line.is_empty());
        let compiler = lines.next().unwrap().to_owned();
        let expected = lines.map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let [what, count, within] = words.as_slice() else {
                panic!("not of the form `what count within`: {line}");
            };
            Expected {
                what: (*what).to_owned(),
                count: count.parse().unwrap(),
                within: within.parse().unwrap(),
            }
        });
        Self {
            lines: expected.collect(),
            comment: comment.join("\n"),
            compiler,
        }
    }

    fn write(&self) {
        let mut text = format!("{}\n\n{}\n\n", self.comment, self.compiler);
        for Expected {
            what,
            count,
            within,
        } in &self.lines
        {
            writeln!(text, "{what:<14} {count:>8} {within:>6}").unwrap();
        }
        fs::write(EXPECTED, text).unwrap();
    }
}

/// Builds the program as it is measured.
fn steps() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "nmr-bench",
            "--bin",
            "steps",
        ])
        .args(["--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let messages = String::from_utf8(built.stdout).unwrap();
    let messages = messages
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let mut executables = messages
        .filter_map(|message: serde_json::Value| message["executable"].as_str().map(PathBuf::from));
    executables.next_back().unwrap()
}

/// How many instructions it takes to do it once.
fn count(steps: &Path, what: &str) -> f64 {
    let counted = |times: u32| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("callgrind.out");
        let ran = Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(steps)
            .args([what, &times.to_string()])
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.success(), "{said}");
        let (_, collected) = said.split_once("Collected : ").unwrap();
        collected
            .split_whitespace()
            .next()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    (counted(2 * TIMES) - counted(TIMES)) / f64::from(TIMES)
}

#[test]
fn a_call_and_a_life_take_no_more_instructions_than_written_down() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is not installed, so no instructions were counted");
        return;
    }
    let steps = steps();
    let mut expectation = Expectation::read();
    let same_compiler = expectation.compiler == COMPILER;
    let mut wrong = String::new();
    for Expected {
        what,
        count: expected,
        within,
    } in &mut expectation.lines
    {
        let found = (count(&steps, what) * 10.0).round() / 10.0;
        let within = if same_compiler {
            within.max(NOISE)
        } else {
            *expected * NEAR
        };
        println!("{what}: {found} instructions, {expected} expected");
        if (found - *expected).abs() > within {
            writeln!(wrong, "{what}: {found} instructions instead of {expected}").unwrap();
        }
        *expected = found;
    }
    if env::var_os("UPDATE_COUNTS").is_some() {
        COMPILER.clone_into(&mut expectation.compiler);
        expectation.write();
        return;
    }
    assert!(
        wrong.is_empty(),
        "{wrong}If that is meant, for better or worse, write it down: \
         UPDATE_COUNTS=1 cargo test -p nmr-bench --test instructions"
    );
}
