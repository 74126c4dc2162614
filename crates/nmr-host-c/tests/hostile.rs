//! Programs that ask too much of the registrar, pass bad pointers, fork, or call it when their threads and
//! they themselves are ending: what they get is a status or a report, and never the end of the process.
#![cfg(all(target_os = "linux", not(miri)))]

mod c_program;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use c_program::{WARNINGS, compiler, run_path, shared_library, source, succeed, text};

/// The program of `hostile.c`.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
        let mut compiler = compiler();
        compiler.args(["-std=c11", "-g"]).args(WARNINGS);
        compiler.args(["hostile.c", "modules.c"].map(source));
        compiler.arg("-o").arg(&program).arg("-L");
        compiler.arg(shared_library().with_file_name(""));
        compiler.args(["-lnmr_host", "-lpthread", &run_path()]);
        succeed(&mut compiler);
        program
    })
}

/// Runs a case under a policy, and requires that it passes.
fn passes(case: &str, policy: &str) -> Output {
    let mut command = Command::new(program());
    succeed(command.arg(case).env("NMR_HOST_POLICY", policy))
}

/// Two million bindings take half a gigabyte for a second.
#[test]
fn more_bindings_than_a_lane_holds_are_refused_with_a_status() {
    passes("limits", "");
}

#[test]
fn bad_pointers_and_sizes_are_refused_or_reported() {
    let output = passes("pointers", "");
    let lines = text(&output.stderr);
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        [
            "nmr-host: nmr_host_wrap: the interface is NULL",
            "nmr-host: nmr_host_wrap: the interface has no identifier",
            "nmr-host: the provider's table cannot be as it is described",
            "nmr-host: the provider's table cannot be as it is described",
        ]
    );
}

#[test]
fn threads_and_programs_that_are_ending_can_use_the_registrar() {
    for policy in ["sharing=ignored", "sharing=ignored,verify=light"] {
        let output = passes("ends", policy);
        assert_eq!(text(&output.stderr), "", "{policy}");
    }
}

#[test]
fn children_go_on_with_the_registrar_of_their_parent() {
    for policy in [
        "report=collect,sharing=ignored",
        "report=collect,sharing=ignored,cleanup=worker",
        "report=collect,sharing=ignored,verify=light",
        "report=collect,sharing=ignored,verify=light,cleanup=worker",
    ] {
        passes("forks", policy);
    }
}

#[test]
fn a_report_that_cannot_be_printed_does_not_end_the_program() {
    for case in ["full", "closed", "pipe"] {
        passes(case, "report=print");
    }
}

#[test]
fn a_policy_in_the_environment_that_cannot_be_meant_ends_the_program_with_one_line() {
    let mut command = Command::new(program());
    command.arg("ends").env("NMR_HOST_POLICY", "irql=high");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "nmr-host: NMR_HOST_POLICY: irql is one of caller, dispatch, not `high`\n"
    );
}
