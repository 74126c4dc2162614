//! Sources that do not write `NTAPI`, as drivers are written for MSVC: each way of compiling them works, and a
//! callback of the wrong convention is found.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

mod c_program;

use std::path::{Path, PathBuf};
use std::process::Command;

use c_program::{
    Convention, WARNINGS, compile, compiler, link, run_path, shared_library, source, succeed, text,
};

/// A file among the results of these tests.
fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("conventions_{name}"))
}

#[test]
fn sources_without_a_convention_build_unedited_and_work() {
    for convention in Convention::all() {
        for optimization in ["-O0", "-O2"] {
            let name = format!("plain_{convention:?}{optimization}");
            let module = scratch(&format!("{name}.module.o"));
            let main = scratch(&format!("{name}.main.o"));
            let program = scratch(&name);
            compile(
                convention.compiler(),
                "conventions/plain.c",
                &[optimization],
                &module,
            );
            compile(
                convention.loader_compiler(),
                "conventions/main.c",
                &[],
                &main,
            );
            link(&[module, main], &program);
            let output = succeed(&mut Command::new(program));
            assert_eq!(text(&output.stdout), "0 reports, 0 blocks\n", "{name}");
            let printed = "\\plain: 54321, and so -6 0x1f%\n";
            assert_eq!(text(&output.stderr), printed, "{name}");
        }
    }
}

/// Builds the program with the casts.
fn cast(compiler: &mut Command, name: &str) -> PathBuf {
    let program = scratch(name);
    compiler.arg(source("conventions/cast.c"));
    compiler.arg("-o").arg(&program);
    compiler.arg("-L").arg(shared_library().with_file_name(""));
    succeed(compiler.args(["-lnmr_host", &run_path()]));
    program
}

#[test]
fn v_17_a_callback_of_the_systems_convention_is_refused() {
    // With optimization the detach and the cleanup callback are too small to show it.
    for (optimization, shown) in [("-O0", &["0", "1", "2", "3"][..]), ("-O2", &["0", "2"])] {
        let mut compiler = compiler();
        compiler.args(WARNINGS).arg(optimization);
        let program = cast(&mut compiler, &format!("cast{optimization}"));
        for which in shown {
            let output = succeed(Command::new(&program).arg(which));
            assert_eq!(
                text(&output.stdout),
                "status 0xc000000d, 1 reports, V-17\n",
                "{optimization} {which}"
            );
        }
    }
}

#[test]
fn clang_warns_of_the_cast() {
    if !Convention::all().contains(&Convention::Clang) {
        return;
    }
    let mut clang = Command::new("clang");
    clang.arg("-I").arg(c_program::headers());
    clang
        .args(["-fsyntax-only", "-Werror"])
        .arg(source("conventions/cast.c"));
    let output = clang.output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(
        errors.matches("incompatible calling conventions").count(),
        4,
        "{errors}"
    );
}

#[test]
fn the_kernels_headers_are_clean_cpp() {
    let source = source("conventions/headers.cpp");
    for convention in Convention::all() {
        let mut compiler = convention.compiler();
        // A machine may have a compiler of C alone.
        let mut probe = Command::new(compiler.get_program());
        probe.args(["-x", "c++", "-fsyntax-only", "/dev/null"]);
        if !probe.output().is_ok_and(|output| output.status.success()) {
            eprintln!("no C++ compiler here: the headers were not tried as C++");
            continue;
        }
        compiler
            .args(["-x", "c++", "-std=c++17", "-c"])
            .arg(&source);
        let object = scratch(&format!("headers_{convention:?}.o"));
        succeed(compiler.arg("-o").arg(object));
    }
}
