//! Outputs that cannot be written: a full disk, a pipe without a reader, a closed descriptor. The program
//! ends with the code that its help names, and does not panic.
#![cfg(target_os = "linux")]

mod lab;

use std::fs::{File, OpenOptions};
use std::io::{self, PipeWriter};
use std::process::{Command, Stdio};

/// Every way through the program that writes, and its code when all can be written.
fn command_lines() -> Vec<(Vec<String>, i32)> {
    let text = lab::scratch("no_image.sys");
    std::fs::write(&text, "no image").unwrap();
    let text = text.display();
    [
        ("--calls 2".to_owned(), 0),
        ("--calls 2 --format json".to_owned(), 0),
        ("--calls 2 --format mermaid".to_owned(), 0),
        ("--calls 2 --format svg".to_owned(), 0),
        ("--calls 2 --policy report=print,slow-ms=0".to_owned(), 0),
        ("--policy fault=1".to_owned(), 1),
        ("--policy deregister=fails".to_owned(), 2),
        ("--help".to_owned(), 0),
        ("run --help".to_owned(), 0),
        ("--version".to_owned(), 0),
        ("--colour".to_owned(), 2),
        (format!("inspect {text}"), 2),
        (format!("run {text}"), 2),
        (format!("faults {text}"), 2),
        ("inspect /nowhere.sys".to_owned(), 2),
    ]
    .into_iter()
    .map(|(line, code)| (line.split_whitespace().map(str::to_owned).collect(), code))
    .collect()
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_full_disk_is_a_code_with_an_image_too() {
    let image = lab::driver("both");
    for subcommand in ["run", "faults", "inspect"] {
        let arguments = [subcommand.to_owned(), image.clone()];
        let both = command(&arguments, full().into(), full().into()).status();
        assert_eq!(both.unwrap().code(), Some(2), "{subcommand}");
        let closed = command(&arguments, without_reader().into(), without_reader().into());
        assert_eq!({ closed }.status().unwrap().code(), Some(0), "{subcommand}");
    }
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn without_reader() -> PipeWriter {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer
}

/// A command with its output and its standard error in these places.
fn command(arguments: &[String], output: Stdio, error: Stdio) -> Command {
    let mut command = lab::command();
    command.args(arguments).stdout(output).stderr(error);
    command
}

#[test]
fn a_full_disk_is_a_code_and_no_panic() {
    for (arguments, code) in command_lines() {
        let mut command = command(&arguments, full().into(), full().into());
        let found = command.status().unwrap().code();
        // What fails anyway fails the same way.
        let expected = if code == 0 { 2 } else { code };
        let expected = if arguments[..2.min(arguments.len())] == ["--policy", "fault=1"] {
            2
        } else {
            expected
        };
        assert_eq!(found, Some(expected), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_for_the_output_gets_a_line() {
    for (arguments, code) in command_lines() {
        if code != 0 {
            continue;
        }
        let output = command(&arguments, full().into(), Stdio::piped());
        let output = { output }.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let lines = String::from_utf8(output.stderr).unwrap();
        assert!(
            lines.contains("cargo-nmr: cannot write to standard output: "),
            "{arguments:?}: {lines}"
        );
    }
}

#[test]
fn a_reader_who_does_not_read_on_is_no_failure() {
    for (arguments, code) in command_lines() {
        let mut both = command(&arguments, without_reader().into(), without_reader().into());
        assert_eq!(both.status().unwrap().code(), Some(code), "{arguments:?}");
        let mut quiet = command(&arguments, without_reader().into(), Stdio::piped());
        let quiet = quiet.output().unwrap();
        if code == 0 && !arguments.iter().any(|argument| argument.contains("print")) {
            assert_eq!(quiet.stderr, b"", "{arguments:?}");
        }
    }
}

#[test]
fn closed_descriptors_are_no_panic() {
    for (arguments, code) in command_lines() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" >&- 2>&-"]);
        shell.arg(env!("CARGO_BIN_EXE_cargo-nmr")).args(&arguments);
        let found = shell.status().unwrap().code();
        assert_eq!(found, Some(code), "{arguments:?}");
    }
}
