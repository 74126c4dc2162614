//! The program itself: help, complaints, codes.

use std::process::{Command, Output};

fn run(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exnpictl"));
    command.args(arguments.split_whitespace()).output().unwrap()
}

/// The message on standard error of a run that ends with a code: one line, and indented ones that help.
fn complaint(arguments: &str, code: i32) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments}");
    let text = String::from_utf8(output.stderr).unwrap();
    let mut more = text.lines().skip(1);
    assert!(
        more.all(|line| line.starts_with("  ")),
        "{arguments}: {text}"
    );
    text.trim_end().to_owned()
}

#[test]
fn help_has_examples_and_exit_codes() {
    let output = run("--help");
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for part in [
        "status",
        "call",
        "detach",
        "attach",
        "watch",
        "--json",
        "Examples:",
        "Exit codes:",
    ] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn a_bad_command_line_is_explained() {
    assert_eq!(
        complaint("call --count 0", 2),
        "exnpictl: invalid value '0' for '--count <N>': 0 is not in 1..=1000000"
    );
    let line = "exnpictl: unrecognized subcommand 'dance'";
    assert_eq!(complaint("dance", 2).lines().next(), Some(line));
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn without_a_driver_it_says_what_to_do() {
    let line = complaint("status", 3);
    assert!(
        line.starts_with("exnpictl: no driver to speak with: name an image with --image"),
        "{line}"
    );
    let line = complaint("status --image /nowhere.sys", 3);
    assert!(line.starts_with("exnpictl: /nowhere.sys: "), "{line}");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn an_image_that_is_no_file_gets_one_line() {
    for (file, why) in [
        ("/dev/zero", "it is no regular file"),
        ("/dev", "it is a directory"),
        ("/nowhere/at/all", "No such file or directory (os error 2)"),
    ] {
        let line = complaint(&format!("status --image {file}"), 3);
        assert_eq!(line, format!("exnpictl: {file}: it cannot be read: {why}"));
    }
    let line = complaint("status --image no\u{202e}sys.x\u{1b}[1m", 3);
    let start = "exnpictl: no\\u{202e}sys.x\\u{1b}[1m: it cannot be read: ";
    assert!(line.starts_with(start), "{line}");
    let line = complaint(&format!("status {}", "--image x.sys ".repeat(1000)), 3);
    let expected =
        "exnpictl: 1000 images are too many: each meets every other one, so 64 is the limit";
    assert_eq!(line, expected);
}
