//! Images whose modules are made to call each other while they are detached. The options know the
//! requests of the sample driver; the program does not.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod lab;

use serde_json::Value;

/// Makes the client call the provider three times.
const CALL: &str = "--call 0x0022a004:10000000_01000000_03000000_07000000";
/// Deregisters the client, and registers it again.
const DETACH: &str = "--detach 0x0022a008:10000000_01000000_01000000_01000000";
const ATTACH: &str = "--attach 0x0022a008:10000000_01000000_02000000_01000000";
/// Asks for the state.
const QUERY: &str = "0x00226000:08000000_01000000";

fn is(event: &Value, function: &str, kind: &str) -> bool {
    event["function"] == function && event["event"] == kind
}

/// The places of the detach callbacks that were pending, each with a call of its module's in
/// progress.
fn pending(events: &[Value]) -> usize {
    let in_progress = |at: usize, binding: &Value, caller: &Value| {
        let own = |event: &&Value| {
            event["binding"] == *binding
                && event["caller"] == *caller
                && event["function"]
                    .as_str()
                    .is_some_and(|name| name.contains(" function "))
        };
        let calls = events[..at].iter().filter(own);
        let (begun, ended): (Vec<_>, Vec<_>) = calls.partition(|event| event["event"] == "call");
        begun.len() > ended.len()
    };
    let pended = events.iter().enumerate().filter(|(at, event)| {
        event["status"] == "STATUS_PENDING"
            && (is(event, "ClientDetachProvider", "return")
                || is(event, "ProviderDetachClient", "return"))
            && in_progress(*at, &event["binding"], &event["callee"])
    });
    pended.count()
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn each_detach_meets_a_call_in_progress() {
    let both = lab::driver("both");
    for seed in 0..8 {
        let options =
            format!("{CALL} {DETACH} {ATTACH} --detaches 4 --threads 3 --rounds 20 --seed {seed}");
        let events = lab::calls(&format!("run {both} {options}"));
        assert!(pending(&events) >= 4, "seed {seed}: {}", pending(&events));
        let completed = events.iter().filter(|event| {
            is(event, "NmrClientDetachProviderComplete", "call")
                || is(event, "NmrProviderDetachClientComplete", "call")
        });
        assert!(completed.count() >= 4, "seed {seed}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_unload_of_a_peer_meets_a_call_in_progress() {
    let (client, provider) = (lab::driver("client"), lab::driver("provider"));
    let events = lab::calls(&format!("run {client} {provider} {CALL}"));
    assert!(pending(&events) >= 1);
    let story = lab::output(&format!("run {client} {provider} {CALL} --sections 4"));
    for part in [
        "provider/exnpi_driver.sys is unloaded",
        "STATUS_PENDING meanwhile.",
        "of which only the one that is held is shown",
        "x STATUS_SUCCESS",
    ] {
        assert!(story.contains(part), "{part} is not in\n{story}");
    }
    assert!(!story.contains("not seen: "), "{story}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_does_not_exercise_is_said() {
    let both = lab::driver("both");
    let complaint = |options: &str| lab::complaint(&format!("run {both} --rounds 5 {options}"), 1);
    for (options, expected) in [
        (
            "--call 0x00226ffc".to_owned(),
            "no device answers 0x00226ffc with success, but STATUS_",
        ),
        (
            format!("--call {QUERY} {DETACH}"),
            "no call between modules came with the requests of --call",
        ),
        (
            format!("{CALL} --detach {QUERY}"),
            "no detach callback was called while 0x00226000:0800000001000000 was sent",
        ),
        (
            format!("{CALL} --detach 0x0022a008"),
            "no device answers --detach 0x0022a008 with success, but STATUS_",
        ),
    ] {
        let complaint = complaint(&options);
        assert!(complaint.contains(expected), "{options}: {complaint}");
    }
    let without = lab::complaint(&format!("run {} --call 1", lab::fixture("leak")), 1);
    assert!(without.contains("no image has a device"), "{without}");
}

#[test]
fn wrong_options_are_refused() {
    for (options, expected) in [
        ("--call 0x22:0", "`0x22:0` has no input of whole bytes"),
        ("--call driver", "`driver` has no control code of 32 bits"),
        ("--detach 1", "--call <REQUEST>"),
        ("--call 1 --attach 1", "--detach <REQUEST>"),
        (
            "--call 1 --threads 64 --rounds 100000",
            "64 threads that send 100000 requests 1 times send 6400000, more than 1000000",
        ),
    ] {
        let complaint = lab::complaint(&format!("run driver.sys {options}"), 2);
        assert!(complaint.contains(expected), "{options}: {complaint}");
    }
}
