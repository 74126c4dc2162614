//! Outputs that cannot be written: the program ends with the code that its help names, and does not panic.
#![cfg(target_os = "linux")]

use std::fs::OpenOptions;
use std::io;
use std::process::{Command, Stdio};

/// Command lines, and their codes when all can be written.
const COMMAND_LINES: [(&[&str], i32); 8] = [
    (&["--help"], 0),
    (&["--version"], 0),
    (&["status", "--image", "/nowhere.sys"], 3),
    (&["call", "--image", "/nowhere.sys"], 3),
    (&["attach", "--image", "/nowhere.sys"], 3),
    (&["detach", "--json", "--image", "/nowhere.sys"], 3),
    (&["watch", "--times", "1", "--image", "/nowhere.sys"], 3),
    (&["nothing"], 2),
];

fn code(arguments: &[&str], output: impl Into<Stdio>, error: impl Into<Stdio>) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exnpictl"));
    command.args(arguments).stdout(output).stderr(error);
    command.status().unwrap().code()
}

#[test]
fn a_full_disk_is_a_code_and_no_panic() {
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (arguments, usual) in COMMAND_LINES {
        let expected = if usual == 0 { 2 } else { usual };
        assert_eq!(
            code(arguments, full(), full()),
            Some(expected),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_reader_who_does_not_read_on_is_no_failure() {
    let closed = || io::pipe().unwrap().1;
    for (arguments, usual) in COMMAND_LINES {
        assert_eq!(
            code(arguments, closed(), closed()),
            Some(usual),
            "{arguments:?}"
        );
    }
}
