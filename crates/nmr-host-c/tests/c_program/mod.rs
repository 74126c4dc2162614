//! What it takes to build C programs with the libraries of this package.
//!
//! The compiler is `cc`, or what `CC` names; `CFLAGS` is added to the command line.
#![allow(dead_code, unreachable_pub, reason = "no test uses everything")]

use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What every source is compiled with.
pub const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Runs a command that has to succeed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the command can be started");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// The C compiler, which finds the headers of the registrar.
pub fn compiler() -> Command {
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    let flags = env::var("CFLAGS").unwrap_or_default();
    let headers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nmr-host/include");
    compiler
        .args(flags.split_whitespace())
        .arg("-I")
        .arg(headers);
    compiler
}

/// A source file of these tests.
pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/c")
        .join(name)
}

/// The shared library of this package.
pub fn shared_library() -> PathBuf {
    library(&format!("{DLL_PREFIX}nmr_host{DLL_SUFFIX}"))
}

/// Lets the program find the shared library.
pub fn run_path() -> String {
    let directory = shared_library().with_file_name("");
    format!("-Wl,-rpath,{}", directory.display())
}

/// A library of this package.
pub fn library(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build_libraries).join(name)
}

/// Builds the libraries, which Cargo does not do for a test, and returns where they are.
fn build_libraries() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", env!("CARGO_PKG_NAME")]);
    cargo.arg("--target-dir").arg(&target);
    // A C program has no run time of a sanitizer.
    succeed(
        cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("RUSTFLAGS"),
    );
    target.join("debug")
}

/// What a program wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
