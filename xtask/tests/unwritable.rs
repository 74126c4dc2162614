//! Outputs that cannot be written: `cargo xtask` ends with a code and does not panic.
#![cfg(target_os = "linux")]

use std::fs::{File, OpenOptions};
use std::io::{self, PipeWriter};
use std::process::{Command, Stdio};

/// Command lines that do nothing, and their codes when all can be written.
const COMMAND_LINES: [(&[&str], i32); 4] = [
    (&["--help"], 0),
    (&["install-c", "--help"], 0),
    (&["install-c", "--prefix", "/dev/null/nowhere"], 1),
    (&["nothing"], 2),
];

fn code(arguments: &[&str], output: impl Into<Stdio>, error: impl Into<Stdio>) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    // Nothing is built.
    command.env("CARGO", "/bin/false").env("PATH", "/nowhere");
    command.args(arguments).stdout(output).stderr(error);
    command.status().unwrap().code()
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn without_reader() -> PipeWriter {
    io::pipe().unwrap().1
}

#[test]
fn a_full_disk_is_a_code_and_no_panic() {
    for (arguments, usual) in COMMAND_LINES {
        let expected = if usual == 0 { 1 } else { usual };
        let found = code(arguments, full(), full());
        assert_eq!(found, Some(expected), "{arguments:?}");
    }
}

#[test]
fn a_reader_who_does_not_read_on_is_no_failure() {
    for (arguments, usual) in COMMAND_LINES {
        let found = code(arguments, without_reader(), without_reader());
        assert_eq!(found, Some(usual), "{arguments:?}");
    }
}
