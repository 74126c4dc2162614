//! What a report says, and what becomes of it.

mod common;

use std::process::{Command, Output};

use common::*;
use nmr_host::{Leak, Policy};

#[test]
fn every_rule_explains_itself() {
    for (index, rule) in Rule::ALL.iter().enumerate() {
        assert!(!rule.expected().is_empty() && !rule.advice().is_empty());
        assert!(!Rule::ALL[..index].contains(rule));
    }
    assert_eq!(Rule::V01.to_string(), "V-01");
    assert_eq!(Rule::V77.to_string(), "V-77");
}

#[test]
fn a_report_names_rule_culprit_binding_peer_thread_and_remedy() {
    let rig = Rig::new();
    let client = rig.named(Role::Client, "Adder").registered();
    let provider = rig.named(Role::Provider, "Summer").pends().registered();
    assert_eq!(client.deregister(), STATUS_PENDING);
    client.binding(0).complete();
    let thread = nmr_host::current_thread();
    let expected = format!(
        "V-43 error in NmrClientDetachProviderComplete by Adder (client {}), binding 1 with \
         Summer (provider {}), thread {thread} at PASSIVE_LEVEL: expected: a detach is completed \
         once; let only the last call into the peer complete; see docs/verifier.md#v-43",
        client.id(),
        provider.id()
    );
    assert_eq!(rig.expect_one(Rule::V43).to_string(), expected);
    provider.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn a_report_tells_the_status_and_the_number() {
    let rig = Rig::with("irql=dispatch");
    let client = rig
        .client()
        .on_detach(|_| STATUS_DEVICE_NOT_READY)
        .registered();
    let provider = rig.shaped(Role::Provider, "provider", |shape| shape.number = 7);
    provider.registered().close();
    let text = rig.expect_one(Rule::V40).to_string();
    let peer = format!(
        "with provider (provider {} number 7), status 0xc00000a3",
        provider.id()
    );
    assert!(text.contains(&peer), "{text}");
    client.detaches().close();
}

#[test]
fn a_report_without_a_culprit_names_none() {
    let rig = Rig::new();
    Function::Deregister(Role::Client).call(0);
    let text = rig.expect_one(Rule::V75).to_string();
    assert!(
        text.starts_with("V-75 error in NmrDeregisterClient, got handle 0x0, thread T"),
        "{text}"
    );
}

#[test]
fn a_tolerated_fault_is_a_warning_or_an_error() {
    for (policy, severity) in [("mode=compatible", "warning"), ("mode=strict", "error")] {
        let rig = Rig::with(policy);
        let module = rig.shaped(Role::Client, "xdp", |shape| shape.instance_version = 1);
        module.registered().close();
        let text = rig.expect_one(Rule::V06).to_string();
        assert!(
            text.starts_with(&format!("V-06 {severity} in NmrRegisterClient by xdp (")),
            "{text}"
        );
    }
}

#[test]
fn taken_reports_are_gone() {
    let rig = Rig::new();
    Function::Wait(Role::Client).call(0);
    assert_eq!(rig.registrar.reports().len(), 1);
    assert_eq!(rig.registrar.take_reports().len(), 1);
    assert_eq!(rig.registrar.take_reports(), []);
    assert_eq!(rig.registrar.finish(), []);
}

#[test]
fn a_leak_names_the_module() {
    let rig = Rig::new();
    let client = rig.client().registered();
    let [leak]: [Leak; 1] = rig.registrar.leaks().try_into().expect("one");
    let expected = format!(
        "client {} is still registered, with 0 bindings",
        client.id()
    );
    assert_eq!(leak.to_string(), expected);
    client.close();
}

/// Runs the test `breaks_a_rule` in a process of its own, under a policy for reports.
fn break_a_rule(policy: &str) -> Output {
    run("breaks_a_rule", policy)
}

/// Runs a test in a process of its own, under a policy for reports.
fn run(test: &str, policy: &str) -> Output {
    let tests = std::env::current_exe().expect("a path");
    let mut command = Command::new(tests);
    command.args(["--exact", "--ignored", "--nocapture", test]);
    command
        .env("BROKEN_UNDER", policy)
        .output()
        .expect("the process starts")
}

#[test]
#[ignore = "it is run by the tests below"]
fn breaks_a_rule() {
    let policy: Policy = std::env::var("BROKEN_UNDER").unwrap().parse().unwrap();
    let rig = Rig::under(policy);
    Function::Complete(Role::Provider).call(0);
    rig.expect(&[Rule::V75]);
}

#[test]
#[ignore = "it is run by the test below"]
fn breaks_a_rule_in_a_loop() {
    let policy: Policy = std::env::var("BROKEN_UNDER").unwrap().parse().unwrap();
    let rig = Rig::under(policy);
    for _ in 0..2345 {
        Function::Complete(Role::Provider).call(0);
    }
    let reports = rig.registrar.finish();
    assert_eq!((reports.len(), reports[0].count), (1, 2345));
    drop(rig.registrar.take_reports());
}

#[test]
fn a_report_that_repeats_is_printed_each_time_when_it_is_ten_times_as_many() {
    let output = run("breaks_a_rule_in_a_loop", "report=print");
    assert!(output.status.success());
    let printed = String::from_utf8_lossy(&output.stderr);
    let counts: Vec<_> = printed
        .lines()
        .filter_map(|line| Some(line.split_once("got handle 0x0, ")?.1))
        .map(|rest| rest.split([',', ':']).next().unwrap_or_default())
        .collect();
    let times = ["10 times", "100 times", "1000 times", "2345 times"];
    assert!(counts[0].starts_with("thread T"), "{printed}");
    assert_eq!(counts[1..], times, "{printed}");
}

#[test]
fn reports_are_collected_in_silence() {
    let output = break_a_rule("report=collect");
    assert!(output.status.success());
    assert!(!String::from_utf8_lossy(&output.stderr).contains("V-75"));
}

#[test]
fn reports_are_printed() {
    let output = break_a_rule("report=print");
    assert!(output.status.success());
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        printed.contains("nmr-host: V-75 error in NmrProviderDetachClientComplete"),
        "{printed}"
    );
}

#[test]
fn reports_end_the_process() {
    let output = break_a_rule("report=panic");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("V-75 error in"));
}

#[test]
fn reports_are_handed_to_the_program() {
    let rig = Rig::new();
    let (sender, reports) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    rig.registrar.on_report(move |report| {
        let sender = sender.lock().expect("no holder panics");
        sender.send(report.clone()).expect("the receiver lives");
    });
    Function::Complete(Role::Provider).call(0);
    let report = reports
        .try_recv()
        .expect("it came before the call returned");
    assert_eq!([report], &rig.expect(&[Rule::V75])[..]);
    assert!(reports.try_recv().is_err());
}
