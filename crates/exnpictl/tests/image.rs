//! The program and a driver image.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use exnpictl::image::Driver;
use exnpictl::{Failure, Options};
use nmr_host::{Moment, Record};
use serde_json::Value;

/// The image with some modules, which `cargo xtask test` builds.
fn path(role: &str) -> PathBuf {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/driver/x64/release");
    let file = images.join(role).join("exnpi_driver.sys");
    assert!(
        file.exists(),
        "{} is missing: `cargo xtask test` builds it",
        file.display()
    );
    file
}

/// What the program writes, given this command line and a driver.
fn write(driver: &Driver, arguments: &str) -> (String, Result<(), Failure>) {
    let arguments = ["exnpictl"].into_iter().chain(arguments.split_whitespace());
    let options = Options::try_parse_from(arguments).unwrap();
    let mut out = Vec::new();
    let done = exnpictl::run(&options, driver, &mut out);
    let text = String::from_utf8(out).unwrap();
    (anstream::adapter::strip_str(&text).to_string(), done)
}

/// The same, of a command that works.
fn ask(driver: &Driver, arguments: &str) -> String {
    let (text, done) = write(driver, arguments);
    assert_eq!(done, Ok(()), "{arguments}");
    text
}

fn json(driver: &Driver, arguments: &str) -> Value {
    serde_json::from_str(&ask(driver, arguments)).unwrap()
}

fn count(records: &[Record], function: &str, wanted: impl Fn(&Moment) -> bool) -> u64 {
    let found = records
        .iter()
        .filter(|it| it.function == function && wanted(&it.moment));
    found.count() as u64
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn the_state_in_json_agrees_with_the_record() {
    let driver = Driver::load(&[path("both")]).unwrap();
    assert_eq!(json(&driver, "call --count 7 --value 2 --json")["sum"], 14);
    for role in ["client", "provider"] {
        for (command, changed) in [
            ("attach", false),
            ("detach", true),
            ("detach", false),
            ("attach", true),
        ] {
            let answer = json(&driver, &format!("{command} --role {role} --json"));
            assert_eq!(answer["changed"], changed, "{command} {role}");
            assert_eq!(answer["registered"], command == "attach");
        }
    }
    let state = json(&driver, "status --json");
    let records = driver.host().registrar().records();
    let called = |moment: &Moment| matches!(moment, Moment::Call(_));
    let done = |moment: &Moment| *moment == Moment::Status(0);
    let pended = |moment: &Moment| *moment == Moment::Status(0x103);
    for (role, [register, attach, detach, cleanup]) in [
        (
            "client",
            [
                "NmrRegisterClient",
                "ClientAttachProvider",
                "ClientDetachProvider",
                "ClientCleanupBindingContext",
            ],
        ),
        (
            "provider",
            [
                "NmrRegisterProvider",
                "ProviderAttachClient",
                "ProviderDetachClient",
                "ProviderCleanupBindingContext",
            ],
        ),
    ] {
        let module = &state[role];
        assert_eq!(
            module["registrations"],
            count(&records, register, done),
            "{role}"
        );
        assert_eq!(module["attached"], count(&records, attach, done), "{role}");
        assert_eq!(
            module["detached"],
            count(&records, detach, called),
            "{role}"
        );
        assert_eq!(module["pended"], count(&records, detach, pended), "{role}");
        assert_eq!(
            module["cleaned_up"],
            count(&records, cleanup, called),
            "{role}"
        );
        assert_eq!(
            (&module["registered"], &module["bindings"]),
            (&true.into(), &1.into())
        );
        assert_eq!(module["attached"], 3);
        assert_eq!(module["calls_received"], 7);
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn it_reads_well() {
    let driver = Driver::load(&[path("both")]).unwrap();
    assert_eq!(
        ask(&driver, "call --count 3"),
        "3 calls got through, the last sum is 3\n"
    );
    assert_eq!(
        ask(&driver, "detach"),
        "the client is deregistered, and has no binding\n"
    );
    assert_eq!(ask(&driver, "detach"), "the client was not registered\n");
    let (text, done) = write(&driver, "call --count 3");
    assert_eq!(text, "0 calls got through\n");
    let Err(Failure::Refused(why)) = done else {
        panic!("{done:?}")
    };
    assert_eq!(
        why,
        "0 of 3 calls got through, then STATUS_DEVICE_NOT_READY (0xc00000a3): is a provider attached? \
         See `exnpictl status`"
    );
    let status = ask(&driver, "status");
    assert!(
        status.starts_with("client    not registered, 0 bindings\n"),
        "{status}"
    );
    let watched = ask(&driver, "watch --interval 0 --times 3 --json");
    assert_eq!(watched.lines().count(), 3);
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_driver_without_the_module_refuses() {
    let driver = Driver::load(&[path("provider"), path("client")]).unwrap();
    let (_, done) = write(&driver, "call");
    assert_eq!(
        done,
        Err(Failure::Refused(
            "the driver refused with STATUS_NOT_SUPPORTED: the driver was built without this module"
                .to_owned()
        ))
    );
    assert!(json(&driver, "status --json")["client"].is_null());
}

fn program(arguments: &[&str], images: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exnpictl"));
    command.env_remove("CLICOLOR_FORCE").args(arguments);
    for role in images {
        command.arg("--image").arg(path(role));
    }
    command.output().unwrap()
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn the_program_loads_images_and_returns_a_code() {
    let output = program(&["call", "--count", "5", "--json"], &["client", "provider"]);
    assert_eq!(output.status.code(), Some(0));
    let called: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&called["made"], &called["sum"]), (&5.into(), &5.into()));

    let output = program(&["call", "--count", "5"], &["client"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "0 calls got through\n"
    );
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        complaint.starts_with("exnpictl: 0 of 5 calls got through"),
        "{complaint}"
    );
    assert_eq!(complaint.lines().count(), 1);
}
