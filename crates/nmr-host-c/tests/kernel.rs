//! The kernel for modules in C: what it does, and what it says of a misuse.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

mod c_program;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use c_program::{Convention, compile, link, succeed, text};

/// The signal of `abort`.
const SIGABRT: i32 = 6;

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (object, program) = (scratch.join("kernel.o"), scratch.join("kernel"));
        compile(Convention::Native.compiler(), "kernel.c", &[], &object);
        link(&[object], &program);
        program
    })
}

fn misuse(what: &str) -> Output {
    Command::new(program()).arg(what).output().unwrap()
}

#[test]
fn locks_events_rundowns_pool_lists_and_texts_do_what_they_are_for() {
    let output = succeed(&mut Command::new(program()));
    assert_eq!(text(&output.stdout), "0 failures\n");
    let lines = text(&output.stderr);
    let printed = "  -12|34   |000ab|text|te|wide|abcdef|c|-5|-2|   7|%|0000000000001234\n";
    assert!(lines.starts_with(printed), "{lines}");
}

#[test]
fn a_misuse_ends_the_program_with_a_line() {
    for (what, line) in [
        (
            "tag",
            "is freed with the tag 'BTwo' and was allocated with 'AOne'",
        ),
        ("twice", "BAD_POOL_CALLER: 0x"),
        ("lock", "a lock is released that no thread holds"),
        (
            "mutex",
            "a mutex is released by a thread that does not have it",
        ),
        (
            "rundown",
            "a rundown reference is released that was not acquired",
        ),
        ("assert", "assertion failed: block == NULL"),
        ("paged", "assertion failed: KeGetCurrentIrql() <= APC_LEVEL"),
        ("bugcheck", "bug check 0xe2 (0x1, 0x2, 0x3, 0x4)"),
    ] {
        let output = misuse(what);
        let lines = text(&output.stderr);
        assert!(lines.contains(line), "{what}: {lines}");
        assert_eq!(output.status.signal(), Some(SIGABRT), "{what}: {lines}");
    }
}

#[test]
fn pool_that_is_left_is_named() {
    let output = misuse("leak");
    assert_eq!(text(&output.stdout), "1 left\n");
    let lines = text(&output.stderr);
    assert!(
        lines.contains("8 bytes at 0x") && lines.contains("with the tag 'AOne'"),
        "{lines}"
    );
}
