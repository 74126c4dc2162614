//! `cargo make` packages the driver: the real cargo-make runs the project's Makefile.toml and the makefile
//! and code of wdk-build, and programs in the place of Cargo and of Microsoft's write down how they
//! were called.
//!
//! What this shows: which tools run, in which order, with which arguments, on which files, and what
//! ends up in the package; and that the tasks for Linux run the groups of `.ci/run`. What it does not show: what Microsoft's tools answer. Three things are not
//! as on Windows: wdk-build has the edits of driver-build, the load script is run although
//! this is not Windows, and `cargo build` is not run but leaves a file.
#![cfg(target_os = "linux")]

mod machine;

use std::fs;

use crate::machine::{Call, Machine};

const X64: &str = "x86_64-pc-windows-msvc";
const ARM64: &str = "aarch64-pc-windows-msvc";

/// What signs a file of the package.
fn sign(package: &str, file: &str) -> Call {
    let to = format!("{package}/{file}");
    Call::new("signtool sign /v /s WDRTestCertStore /n WDRLocalTestCert")
        .and("/t http://timestamp.digicert.com /fd SHA256")
        .word(&to)
}

/// The calls of the tools for a processor and a profile, from the first to the last.
fn flow(machine: &Machine, triple: &str, profile: &str, certificate: bool) -> Vec<Call> {
    let out = machine.output(triple, profile);
    let package = format!("{out}/exnpi_driver_package");
    let (stampinf_arch, inf2cat_os) = match triple {
        X64 => ("amd64", "10_x64"),
        _ => ("arm64", "Server10_arm64"),
    };
    let look = Call::new("certmgr -put -s WDRTestCertStore -c -n WdrLocalTestCert")
        .word(&format!("{out}/WDRLocalTestCert.cer"));
    let make = Call::new("makecert -r -pe -a SHA256 -eku 1.3.6.1.5.5.7.3.3 -ss WDRTestCertStore")
        .and("-n CN=WDRLocalTestCert")
        .word(&format!("{out}/WDRLocalTestCert.cer"));
    let mut calls = vec![
        Call::new("stampinf -f")
            .word(&format!("{out}/exnpi_driver.inf"))
            .and("-d * -a")
            .and(stampinf_arch)
            .and("-c exnpi_driver.cat -v * -k 1.31"),
        look.clone(),
    ];
    if !certificate {
        calls.push(make);
    }
    calls.extend([
        look.clone(),
        sign(&package, "exnpi_driver.sys"),
        Call::new("inf2cat")
            .word(&format!("/driver:{package}"))
            .and(&format!("/os:{inf2cat_os} /uselocaltime")),
        look,
        sign(&package, "exnpi_driver.cat"),
        Call::new("infverif /v /w").word(&format!("{out}/exnpi_driver.inf")),
    ]);
    calls
}

#[test]
#[ignore = "needs cargo-make: cargo xtask test"]
fn cargo_make_packages_the_driver() {
    let machine = Machine::new("with a space");
    let run = machine.make(&["default", "--release", "--target", X64]);
    run.succeeded();
    assert_eq!(run.tools(), flow(&machine, X64, "release", false));
    let build = format!("cargo build --package exnpi-driver --release --target {X64}");
    assert_eq!(run.builds(), [build.as_str(), build.as_str()]);
    assert_eq!(
        run.installs(),
        ["cargo install rust-script --version 0.30.0"; 2]
    );

    let package = machine.package(X64, "release");
    let names: Vec<_> = package.keys().map(String::as_str).collect();
    let files = [
        "WDRLocalTestCert.cer",
        "exnpi_driver.cat",
        "exnpi_driver.inf",
        "exnpi_driver.pdb",
        "exnpi_driver.sys",
    ];
    assert_eq!(names, files);
    assert_eq!(package["exnpi_driver.sys"], "the driver, signed\n");
    assert_eq!(package["exnpi_driver.pdb"], "its symbols\n");
    assert_eq!(package["exnpi_driver.cat"], "a catalog, signed\n");
    let inf = &package["exnpi_driver.inf"];
    assert!(
        inf.contains("[Exnpi.NTamd64.10.0...19041]\r\n"),
        "stamped, byte for byte"
    );
    assert!(inf.contains("KmdfLibraryVersion = 1.31\r\n"));
    assert!(!inf.contains("$ARCH$"));
}

#[test]
#[ignore = "needs cargo-make: cargo xtask test"]
fn the_second_package_takes_the_certificate_that_is_there_and_is_verified() {
    let machine = Machine::new("second");
    machine.give_certificate();
    let machine = machine.with("WDK_BUILD_ENABLE_SIGNTOOL_VERIFY", "true");
    let run = machine.make(&[
        "package-driver-flow",
        "--locked",
        "--profile",
        "dev",
        "--target",
        ARM64,
    ]);
    run.succeeded();
    let mut expected = flow(&machine, ARM64, "debug", true);
    let package = format!("{}/exnpi_driver_package", machine.output(ARM64, "debug"));
    for file in ["exnpi_driver.sys", "exnpi_driver.cat"] {
        let signed = sign(&package, file);
        let at = expected.iter().position(|call| *call == signed).unwrap();
        let verify = Call::new("signtool verify /v /pa").word(&format!("{package}/{file}"));
        expected.insert(at + 1, verify);
    }
    assert_eq!(run.tools(), expected);
}

#[test]
#[ignore = "needs cargo-make: cargo xtask test"]
fn a_tool_that_fails_ends_the_flow() {
    let machine = Machine::new("failing").with("STUB_FAILS", "inf2cat");
    machine.give_certificate();
    let run = machine.make(&["default", "--target", X64]);
    run.failed();
    let names: Vec<_> = run
        .tools()
        .iter()
        .map(|call| call.tool().to_owned())
        .collect();
    let expected = ["stampinf", "certmgr", "certmgr", "signtool", "inf2cat"];
    assert_eq!(names, expected, "{}", run.text());
    assert!(
        !machine
            .package(X64, "debug")
            .contains_key("exnpi_driver.cat")
    );
}

#[test]
#[ignore = "needs cargo-make: cargo xtask test"]
fn the_tasks_for_linux_run_the_groups_of_ci() {
    let script = include_str!("../../.ci/run");
    let lines = script.lines();
    // A name and a budget.
    let groups: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("group ")?.split(' ').next())
        .collect();
    assert!(groups.contains(&"test"));
    let lock = || fs::read_to_string("Cargo.lock").unwrap();
    let before = lock();
    for group in groups {
        let run = machine::make_on_linux(&[group]);
        run.succeeded();
        assert_eq!(run.tools(), [Call::new("run").and(group)]);
    }
    assert_eq!(machine::make_on_linux(&["ci"]).tools(), [Call::new("run")]);
    // Without a task.
    assert_eq!(machine::make_on_linux(&[]).tools(), [Call::new("run test")]);
    assert_eq!(lock(), before, "the lock file of the repository");
}
