//! Runs the real program.
#![allow(dead_code, reason = "not every test needs everything")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The program, in an environment that asks for nothing.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-nmr"));
    let colour = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"];
    for variable in colour.into_iter().chain(["NMR_HOST_POLICY"]) {
        command.env_remove(variable);
    }
    command
}

/// What the program leaves behind.
pub(crate) fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    command().args(arguments).output().unwrap()
}

/// The standard output of a run that is fine. Arguments are separated by spaces.
pub(crate) fn output(arguments: &str) -> String {
    let output = run(arguments.split_whitespace());
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaints, "", "{arguments}");
    assert_eq!(output.status.code(), Some(0), "{arguments}");
    String::from_utf8(output.stdout).unwrap()
}

/// The complaint of a run that fails with this code.
pub(crate) fn complaint(arguments: &str, code: i32) -> String {
    let output = run(arguments.split_whitespace());
    assert_eq!(output.status.code(), Some(code), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

/// The events of a run.
pub(crate) fn events(arguments: &str) -> Vec<Value> {
    let lines = output(&format!("{arguments} --format json"));
    let parse = |line| serde_json::from_str(line).unwrap();
    lines.lines().map(parse).collect()
}

/// The events of a run that are calls and returns.
pub(crate) fn calls(arguments: &str) -> Vec<Value> {
    let is_call = |event: &Value| event["event"] == "call" || event["event"] == "return";
    events(arguments).into_iter().filter(is_call).collect()
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// A file in the directory for the results of tests.
pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// An image for x64 that `cargo xtask test` builds.
fn built(path: &str) -> String {
    let file = project("target/driver/x64/release").join(path);
    assert!(
        file.exists(),
        "{} is missing: `cargo xtask test` builds it",
        file.display()
    );
    file.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// A driver of cross/fixtures.
pub(crate) fn fixture(name: &str) -> String {
    built(&format!("fixtures/{name}.sys"))
}

/// The sample driver with these modules: `both`, `provider` or `client`.
pub(crate) fn driver(role: &str) -> String {
    built(&format!("{role}/exnpi_driver.sys"))
}
