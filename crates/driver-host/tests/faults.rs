//! Fault injection notices what drivers lose, and only that.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::fixture;
use driver_host::{Fate, Fault, Refusal, Scenario, Trial};

fn scenario(name: &str) -> Scenario {
    let bytes = std::fs::read(fixture(name)).unwrap();
    Scenario::new(vec![(format!("{name}.sys"), bytes)])
}

/// Runs a fixture once for each fault. Returns the trials, with what was lost in them.
fn faults(name: &str) -> Vec<(Trial, Vec<String>)> {
    let scenario = scenario(name);
    let dry = scenario.run(&Trial::Dry);
    assert_eq!(dry.wrong(), [""; 0]);
    let trials = dry.trials().into_iter();
    trials
        .map(|trial| {
            let lost = scenario.run(&trial).lost(&dry);
            (trial, lost)
        })
        .collect()
}

/// What was lost in each run.
fn lost(name: &str) -> Vec<Vec<String>> {
    faults(name).into_iter().map(|(_, lost)| lost).collect()
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn t_32_a_driver_that_loses_memory_under_a_fault_is_caught() {
    let [first, second, teardown] = &lost("spill")[..] else {
        panic!("it has two points, and ends")
    };
    assert!(first.is_empty() && teardown.is_empty());
    assert_eq!(second.len(), 1, "{second:?}");
    let expected = "spill.sys: unloaded with 24 bytes of pool left, tag 'Spil', allocation 1";
    assert!(second[0].starts_with(expected), "{second:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn d_02_a_driver_that_ignores_a_failed_registration_is_caught() {
    let [registration, teardown] = &lost("heedless")[..] else {
        panic!("it has one point, and ends")
    };
    assert!(teardown.is_empty());
    let rules: Vec<_> = registration
        .iter()
        .map(|report| report.split(' ').next().unwrap_or_default())
        .collect();
    assert!(rules.contains(&"V-75"), "{registration:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_that_is_wrong_without_a_fault_is_wrong() {
    let wrong = |name| scenario(name).run(&Trial::Dry).wrong();
    assert_eq!(
        wrong("refuse"),
        ["refuse.sys: DriverEntry returned 0xc00000a3"]
    );
    let [leak] = &wrong("leak")[..] else {
        panic!("it does one thing wrong")
    };
    assert!(leak.contains("40 bytes of pool left"), "{leak}");
    let panic = wrong("panic");
    assert_eq!(panic[0], "panic.sys: stopped the host");
    assert!(panic[1].starts_with("panic.sys: panic at "), "{panic:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn each_step_of_a_framework_driver_is_a_point() {
    let found = faults("sample");
    let words: Vec<_> = found
        .iter()
        .filter_map(|(trial, _)| match trial {
            Trial::Point(point, Refusal::Status(status)) => {
                Some((point.site.function.as_str(), *status))
            }
            _ => None,
        })
        .collect();
    let insufficient = nmr_sys::STATUS_INSUFFICIENT_RESOURCES;
    let expected = ["WdfVersionBind", "WdfDriverCreate", "WdfDeviceCreate"];
    assert_eq!(words, expected.map(|function| (function, insufficient)));
    assert!(found.iter().all(|(_, lost)| lost.is_empty()));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_stopped_host_is_lost_and_nothing_waits_for_it() {
    let outcome = scenario("wild").run(&Trial::Dry);
    assert_eq!(outcome.steps.len(), 1);
    assert_eq!(outcome.steps[0].fate, Fate::Stopped);
    let stopped = |fault: &Fault| matches!(fault, Fault::Exception { .. });
    assert!(outcome.reports.iter().any(|report| stopped(&report.fault)));
}
