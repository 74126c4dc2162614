//! The subcommands for driver images: help, and what is wrong with a command line or a file.

mod lab;

use std::fs;
use std::path::{Path, PathBuf};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The one line that the program says about a file it cannot use.
fn refusal(command: &str, file: &Path) -> String {
    let output = lab::run([command, file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let line = text(&output.stderr);
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

fn scratch(name: &str, bytes: &[u8]) -> PathBuf {
    let file = lab::scratch(name);
    fs::write(&file, bytes).unwrap();
    file
}

/// A file with the headers of an image, up to where the sections should be.
fn headers_only() -> Vec<u8> {
    let mut file = vec![0; 0x200];
    let mut put = |offset: usize, bytes: &[u8]| {
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    put(0, b"MZ");
    put(0x3c, &0x80_u32.to_le_bytes());
    put(0x80, b"PE\0\0");
    put(0x84, &0x8664_u16.to_le_bytes());
    put(0x86, &1_u16.to_le_bytes());
    put(0x94, &240_u16.to_le_bytes());
    put(0x96, &0x22_u16.to_le_bytes());
    put(0x98, &0x20b_u16.to_le_bytes());
    put(0x98 + 56, &0x2000_u32.to_le_bytes());
    put(0x98 + 60, &0x200_u32.to_le_bytes());
    put(0x98 + 108, &16_u32.to_le_bytes());
    // One section of 0x1000 bytes behind the end of the file.
    put(0x188, b".text\x1b[1m");
    put(0x190, &0x1000_u32.to_le_bytes());
    put(0x194, &0x1000_u32.to_le_bytes());
    put(0x198, &0x1000_u32.to_le_bytes());
    put(0x19c, &0x200_u32.to_le_bytes());
    file
}

#[test]
fn each_subcommand_has_help_with_examples_and_exit_codes() {
    for (command, parts) in [
        (
            "run",
            &[
                "--unload-order",
                "--seed",
                "--policy",
                "--format",
                "--output",
                "trust",
            ][..],
        ),
        ("faults", &["--point", "--policy", "trust"][..]),
        ("inspect", &["--format", "json", "jq"][..]),
    ] {
        let help = lab::output(&format!("{command} --help"));
        for part in parts.iter().chain(&["Examples:", "Exit codes:"]) {
            assert!(help.contains(part), "{part} is not in\n{help}");
        }
    }
    let help = lab::output("--help");
    assert!(help.contains("inspect") && help.contains("run"), "{help}");
}

/// Without an image, the package of the current directory is meant.
const NO_DRIVER: &str = "cargo-nmr is no driver: its manifest has no \
    [package.metadata.wdk.driver-model]; a driver's package is made by `cargo nmr new`";

#[test]
fn a_bad_command_line_is_explained() {
    for (arguments, expected) in [
        ("run", NO_DRIVER),
        ("inspect", NO_DRIVER),
        ("faults", NO_DRIVER),
        (
            "faults x.sys --policy report=panic",
            "--policy: a panic cannot pass through an image: use report=collect or print",
        ),
        (
            "run x.sys --unload-order backwards",
            "invalid value 'backwards' for '--unload-order <WHICH>'\n  [possible values: first, last]",
        ),
        (
            "--seed 1 run x.sys",
            "the subcommand 'run' cannot be used with '--seed <N>'",
        ),
    ] {
        let line = lab::complaint(arguments, 2);
        assert_eq!(line, format!("cargo-nmr: {expected}\n"));
    }
}

#[test]
fn a_file_that_cannot_be_read_gets_one_line() {
    for command in ["inspect", "faults"] {
        let missing = refusal(command, Path::new("/nowhere/at/all.sys"));
        assert!(
            missing.starts_with("cargo-nmr: cannot read /nowhere/at/all.sys: "),
            "{missing}"
        );
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let line = refusal("inspect", directory);
    assert_eq!(
        line,
        format!(
            "cargo-nmr: cannot read {}: it is a directory",
            directory.display()
        )
    );
}

#[test]
fn a_file_that_is_no_image_gets_one_line() {
    let words = scratch("words.sys", b"these are words, and no driver");
    let empty = scratch("empty.sys", b"");
    let stub = scratch("stub.sys", &headers_only()[..0x90]);
    for file in [words, empty, stub] {
        let line = refusal("inspect", &file);
        let start = format!("cargo-nmr: {}: this is no PE32+ image: ", file.display());
        assert!(line.starts_with(&start), "{line}");
    }
}

#[test]
fn a_truncated_image_gets_one_line_without_what_it_says_to_terminals() {
    let file = scratch("truncated.sys", &headers_only());
    let line = refusal("inspect", &file);
    assert!(
        line.ends_with("lies outside of the file: is it truncated?"),
        "{line}"
    );
    assert!(
        line.contains("\\u{1b}") && !line.contains('\u{1b}'),
        "{line}"
    );
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn nothing_runs_if_one_file_is_no_image() {
    let missing = refusal("run", Path::new("/nowhere/at/all.sys"));
    assert!(
        missing.starts_with("cargo-nmr: cannot read /nowhere/at/all.sys: "),
        "{missing}"
    );
    let words = refusal("run", &scratch("words-to-run.sys", b"these are words"));
    assert!(words.contains("this is no PE32+ image"), "{words}");
    let cut = refusal("run", &scratch("cut.sys", &headers_only()));
    assert!(cut.ends_with("is it truncated?"), "{cut}");
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[test]
fn where_images_cannot_be_loaded_there_is_one_line() {
    let line = refusal("run", Path::new("x.sys"));
    assert_eq!(
        line,
        "cargo-nmr: driver images can be loaded on x86-64 Linux only"
    );
}

#[test]
fn a_run_does_not_take_a_policy_that_panics() {
    let line = lab::complaint("run x.sys --policy report=panic", 2);
    assert_eq!(
        line,
        "cargo-nmr: --policy: a panic cannot pass through an image: use report=collect or print\n"
    );
}
