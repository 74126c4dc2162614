//! The subcommand `faults`: what it finds in good drivers and in bad ones, and how it says it.

mod lab;

use std::fs;

use serde_json::Value;

/// The findings about some images. The arguments are separated by spaces.
fn findings(arguments: &str) -> (i32, Value) {
    let arguments = format!("faults {arguments} --format json");
    let output = lab::run(arguments.split_whitespace());
    let found = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), found)
}

/// What was lost in each run that lost something, after the function that failed.
fn lost(found: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let runs = found["runs"].as_array().unwrap().iter();
    let lost = runs.map(|run| {
        let lines = run["lost"].as_array().unwrap().iter().map(text);
        let function = run["point"]["function"].as_str().unwrap_or("the unload");
        (function.to_owned(), lines.collect::<Vec<_>>())
    });
    lost.filter(|(_, lines)| !lines.is_empty()).collect()
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn t_32_our_own_drivers_lose_nothing() {
    let [both, provider, client] = ["both", "provider", "client"].map(lab::driver);
    for (arguments, bindings) in [
        (both.clone(), 1),
        (format!("{both} --seed 7"), 1),
        (format!("{both} --policy mode=strict"), 1),
        (format!("{provider} {client}"), 1),
        (format!("{client} {provider} --unload-order first"), 1),
        (client.clone(), 0),
    ] {
        let (code, found) = findings(&arguments);
        assert_eq!(lost(&found), [], "{arguments}");
        assert_eq!(code, 0, "{arguments}");
        assert_eq!(found["bindings"], bindings, "{arguments}");
        assert_eq!(found["passes"], true);
        let runs = found["runs"].as_array().unwrap();
        assert!(runs.len() > 5, "{arguments}: {} runs", runs.len());
        for run in runs {
            let again = run["bindings_again"].as_u64();
            assert_eq!(again, Some(bindings), "{arguments}: {run}");
        }
        // Everything but the unload answers something, and that asks for nothing.
        for run in runs.split_last().unwrap().1 {
            let answer = run["answer"].as_str().unwrap();
            let failure = "STATUS_INSUFFICIENT_RESOURCES";
            // Without events the driver works.
            if run["point"]["function"] == "EtwRegister" {
                assert_eq!(answer, "goes on", "{run}");
                continue;
            }
            let known = ["attach refused".to_owned()]
                .into_iter()
                .chain(["DriverEntry", "AddDevice"].map(|entry| format!("{entry} {failure}")));
            assert!(known.into_iter().any(|known| known == answer), "{run}");
        }
        assert_eq!(runs.last().unwrap()["answer"], "asks for nothing");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn t_32_a_driver_that_loses_something_is_named_and_the_exit_code_tells() {
    for (name, function, expected) in [
        (
            "spill",
            "ExAllocatePool2",
            "spill.sys: unloaded with 24 bytes of pool left",
        ),
        (
            "heedless",
            "NmrRegisterProvider",
            "V-75 error in NmrDeregisterProvider",
        ),
    ] {
        let (code, found) = findings(&lab::fixture(name));
        assert_eq!(code, 1);
        assert_eq!(found["passes"], false);
        let [(at, lines)] = &lost(&found)[..] else {
            panic!("{name} loses something in one run: {found}")
        };
        assert_eq!(at, function);
        assert!(lines[0].starts_with(expected), "{lines:?}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn t_14_a_client_that_does_not_undo_a_refused_attach_is_named() {
    let images = format!("{} {}", lab::driver("provider"), lab::fixture("strand"));
    let (code, found) = findings(&images);
    assert_eq!(code, 1);
    let mut lost = lost(&found);
    lost.retain(|(function, _)| function == "NmrClientAttachProvider");
    // Once for each status with which the attach can fail.
    assert_eq!(lost.len(), 2, "{lost:?}");
    for (function, lines) in lost {
        assert_eq!(function, "NmrClientAttachProvider");
        assert_eq!(lines.len(), 1, "{lines:?}");
        let expected = "strand.sys: unloaded with 32 bytes of pool left";
        assert!(lines[0].starts_with(expected), "{lines:?}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_that_is_wrong_without_a_fault_is_not_tried() {
    for (name, expected) in [
        ("leak", "leak.sys: unloaded with 40 bytes of pool left"),
        ("refuse", "refuse.sys: DriverEntry returned 0xc00000a3"),
        ("wild", "wild.sys: stopped the host"),
    ] {
        let arguments = format!("faults {}", lab::fixture(name));
        let complaint = lab::complaint(&arguments, 1);
        let start = format!("cargo-nmr: wrong without a fault: {expected}");
        assert!(complaint.starts_with(&start), "{complaint}");
        let (_, found) = findings(&lab::fixture(name));
        assert_eq!(found["runs"], Value::Array(Vec::new()));
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn one_point_is_replayed_with_what_the_registrar_saw() {
    let images = format!("{} {}", lab::driver("provider"), lab::driver("client"));
    let (_, found) = findings(&images);
    let runs = found["runs"].as_array().unwrap();
    let attach = |run: &&Value| run["point"]["function"] == "NmrClientAttachProvider";
    let number = &runs.iter().find(attach).unwrap()["point"]["number"];
    let text = lab::output(&format!("faults {images} --point {number}"));
    for part in [
        "  2 runs: nothing is lost.",
        "When NmrClientAttachProvider in client/exnpi_driver.sys, offset 0x",
        "NmrClientAttachProvider returns STATUS_NOINTERFACE",
        "ClientAttachProvider returns STATUS_INSUFFICIENT_RESOURCES",
        "0 attached, 1 declined",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let line = lab::complaint(&format!("faults {images} --point 1000"), 2);
    assert_eq!(line, "cargo-nmr: --point 1000: there are 24 points\n");
}

/// A text without what another build of the driver changes: addresses, and the space around them.
fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.map(|word| {
        if word.starts_with("0x") {
            "0x…"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_table_in_the_documentation_is_that_of_the_driver() {
    let kept = fs::read_to_string(lab::project("docs/verifier.md")).unwrap();
    let table = lab::output(&format!("faults {}", lab::driver("both")));
    assert!(
        without_addresses(&kept).contains(&without_addresses(&table)),
        "put this into docs/verifier.md:\n{table}"
    );
}

/// A warning without a fault is the baseline: it stops nothing, and does not count.
#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn drivers_as_public_ones_are_lose_nothing() {
    for (name, warnings) in [
        ("nocleanup", &[][..]),
        ("retries", &[]),
        ("early", &["V-42"]),
        ("versionone", &["V-06"]),
    ] {
        let (code, found) = findings(&lab::fixture(name));
        assert_eq!(lost(&found), [], "{name}");
        assert_eq!(code, 0, "{name}");
        assert!(found["runs"].as_array().unwrap().len() > 3, "{found}");
        let baseline = found["warnings"].as_array().unwrap();
        assert_eq!(baseline.len(), warnings.len(), "{name}: {baseline:?}");
        for (warning, rule) in baseline.iter().zip(warnings) {
            assert!(warning.as_str().unwrap().starts_with(rule), "{warning}");
        }
        let text = lab::output(&format!("run {}", lab::fixture(name)));
        assert!(text.contains("1 attached"), "{text}");
    }
}

/// A driver need not have an unload routine. It stays, and nothing is wrong.
#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_without_an_unload_routine_stays() {
    let text = lab::output(&format!("run {}", lab::fixture("stays")));
    assert!(text.contains("stays.sys cannot be unloaded"), "{text}");
    assert!(text.contains("It has no unload routine."), "{text}");
}
