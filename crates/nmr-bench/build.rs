//! Compiles the C to compare with, as a C team does: optimized, one object for each file.

use std::path::Path;
use std::process::Command;

const INCLUDE: &str = "../nmr-host/include";

fn main() {
    print_versions();
    for path in ["c", INCLUDE] {
        println!("cargo::rerun-if-changed={path}");
    }
    cc::Build::new()
        .std("c11")
        .opt_level(2)
        .files(["c/guards.c", "c/modules.c"])
        .include(INCLUDE)
        .extra_warnings(true)
        .flag_if_supported("-Wpedantic")
        .flag_if_supported("/experimental:c11atomics")
        .compile("nmr_bench_c");
}

/// The versions of both compilers, for readers of the results.
fn print_versions() {
    let rustc = std::env::var_os("RUSTC").expect("cargo says which");
    let cc = cc::Build::new().get_compiler();
    for (name, compiler) in [("RUSTC", Path::new(&rustc)), ("CC", cc.path())] {
        let said = Command::new(compiler).arg("--version").output();
        let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let version = said.unwrap_or_default();
        let version = version.lines().next().unwrap_or("unknown");
        println!("cargo::rustc-env=NMR_BENCH_{name}={version}");
    }
}
