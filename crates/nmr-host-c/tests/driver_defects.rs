//! Mistakes of real drivers (contract section 6.3), rebuilt in miniature in C, and found. A program
//! makes one of them and prints the rules that were reported.
#![cfg(all(unix, not(miri)))]

mod c_program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use c_program::{WARNINGS, compiler, run_path, shared_library, source, succeed, text};

const SOURCES: [&str; 12] = [
    "defects/main.c",
    "defects/d_01.c",
    "defects/d_02.c",
    "defects/d_03.c",
    "defects/d_04.c",
    "defects/d_06.c",
    "defects/d_07.c",
    "defects/d_08.c",
    "defects/d_09.c",
    "defects/d_10.c",
    "defects/d_11.c",
    "modules.c",
];

/// The program.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("driver_defects");
        let directory = shared_library().with_file_name("");
        let mut compiler = compiler();
        compiler.args(["-std=c11", "-g"]).args(WARNINGS);
        compiler.args(SOURCES.map(source)).arg("-o").arg(&program);
        compiler
            .arg("-L")
            .arg(directory)
            .args(["-lnmr_host", "-lpthread"]);
        succeed(compiler.arg(run_path()));
        program
    })
}

/// What the program prints when it makes a mistake.
fn made(defect: &str, policy: &str) -> Vec<String> {
    let output = succeed(Command::new(program()).args([defect, policy]));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn d_01_a_client_completes_with_the_handle_of_its_registration() {
    assert_eq!(made("d_01", ""), ["V-45"]);
}

#[test]
fn d_02_a_start_that_failed_deregisters_nothing() {
    assert_eq!(made("d_02", ""), ["V-75", "V-84"]);
}

#[test]
fn d_03_a_provider_completes_before_it_is_asked_to_detach() {
    assert_eq!(made("d_03", ""), ["V-42"]);
}

#[test]
fn d_04_a_client_has_its_table_on_the_stack() {
    assert_eq!(made("d_04", ""), ["V-33"]);
}

/// The fifth, which is about pages, is an image: see the tests of `driver-host`.
#[test]
fn d_06_a_detach_callback_waits() {
    assert_eq!(made("d_06", "irql=dispatch"), ["V-52"]);
    assert_eq!(made("d_06", "irql=caller"), [""; 0]);
}

#[test]
fn d_07_a_detach_callback_answers_that_its_argument_is_wrong() {
    assert_eq!(made("d_07", ""), ["V-40"]);
}

#[test]
fn d_08_a_client_forgets_its_provider_before_it_deregisters() {
    assert_eq!(
        made("d_08", ""),
        [
            "the second comes at place 0",
            "the second comes at place 1",
            "2 providers at once",
            "the second comes at place 2",
        ]
    );
}

#[test]
fn d_09_a_client_goes_on_after_its_completion() {
    assert_eq!(made("d_09", ""), ["V-83"]);
}

#[test]
fn d_10_a_test_does_not_wait_for_the_end_of_its_module() {
    assert_eq!(made("d_10", ""), ["V-73"]);
}

#[test]
fn d_11_a_provider_completes_a_request_of_a_client_that_has_left() {
    let supported = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    let expected: &[&str] = if supported { &["V-50"] } else { &[] };
    assert_eq!(made("d_11", ""), expected);
}
