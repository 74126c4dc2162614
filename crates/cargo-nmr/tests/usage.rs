//! Help, and what is wrong with a command line or a file: one clear line, and a code.

mod lab;

use std::fs;
use std::process::{Output, Stdio};

fn one_line(arguments: &str) -> String {
    let text = lab::complaint(arguments, 2);
    assert_eq!(text.lines().count(), 1, "{arguments}: {text}");
    text.trim_end().to_owned()
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = lab::output("--help");
    for part in [
        "--order",
        "--threads",
        "--calls",
        "--seed",
        "--policy",
        "--decline",
        "--format",
        "--output",
        "client-first",
        "mermaid",
        "Examples:",
        "Exit codes:",
    ] {
        assert!(help.contains(part), "{part}");
    }
    assert!(lab::output("--version").starts_with("cargo-nmr "));
}

#[test]
fn a_bad_option_gets_one_line() {
    for (arguments, expected) in [
        (
            "--colour",
            "cargo-nmr: unexpected argument '--colour' found",
        ),
        (
            "--threads 0",
            "cargo-nmr: invalid value '0' for '--threads <N>': 0 is not in 1..=64",
        ),
        (
            "--calls many",
            "cargo-nmr: invalid value 'many' for '--calls <N>': invalid digit found in string",
        ),
        (
            "--threads 64 --calls 250000",
            "cargo-nmr: 64 threads with 250000 calls each are 16000000 calls, more than 250000",
        ),
        (
            "--policy irql=high",
            "cargo-nmr: --policy: irql is one of caller, dispatch, not `high`",
        ),
        (
            "--policy strict",
            "cargo-nmr: --policy: `strict` is not of the form key=value",
        ),
    ] {
        assert_eq!(one_line(arguments), expected);
    }
}

#[test]
fn the_values_of_an_option_are_on_a_line_of_their_own() {
    assert_eq!(
        lab::complaint("--order both", 2),
        "cargo-nmr: invalid value 'both' for '--order <ORDER>'\n  \
         [possible values: client-first, provider-first]\n"
    );
}

#[test]
fn a_file_that_cannot_be_written_gets_one_line_before_the_run() {
    let line = one_line("--output /nowhere/at/all.svg --format svg");
    assert!(
        line.starts_with("cargo-nmr: cannot write /nowhere/at/all.svg: "),
        "{line}"
    );
    let directory = env!("CARGO_TARGET_TMPDIR");
    let line = one_line(&format!("--output {directory}"));
    assert!(
        line.starts_with(&format!("cargo-nmr: cannot write {directory}: ")),
        "{line}"
    );
}

#[test]
fn a_file_gets_what_standard_output_would() {
    let file = lab::scratch("story.txt");
    fs::write(&file, "x".repeat(100_000)).unwrap();
    let quiet = lab::output(&format!("--output {}", file.display()));
    assert_eq!(quiet, "");
    assert_eq!(fs::read_to_string(file).unwrap(), lab::output(""));
}

#[test]
fn a_run_that_is_wrong_says_why_and_fails() {
    // The registrar reports at once that the provider waits for calls, which the story makes it do;
    // unless the calls have ended before its thread gets to wait.
    let attempt = |_| lab::run(["--policy", "watchdog-ms=0"]);
    let is_wrong = |output: &Output| output.status.code() != Some(0);
    let output = (0..50).map(attempt).find(is_wrong).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.starts_with("cargo-nmr: the run was wrong: V-41 error"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
    let story = String::from_utf8(output.stdout).unwrap();
    assert!(story.contains("wrong       V-41 error"), "{story}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let mut child = lab::command()
        .args(["--format", "json", "--calls", "2000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_settings_of_a_policy_are_listed() {
    for command in ["", "run driver.sys ", "faults driver.sys "] {
        let settings = lab::output(&format!("{command}--policy help"));
        assert!(settings.starts_with("Settings of --policy"), "{settings}");
        assert!(settings.contains("\nirql=caller|dispatch\n"), "{settings}");
    }
}

#[test]
fn sections_of_events_are_those_that_are_asked_for() {
    let all = lab::events("");
    let part = lab::events("--sections 2,4");
    let wanted = all
        .iter()
        .filter(|event| event["section"] == 2 || event["section"] == 4);
    assert_eq!(part.iter().collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}
