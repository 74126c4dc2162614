//! Every run keeps the contract of the NMR, as a stranger reads it from the events: without help
//! from the program's own judge.

mod lab;

use serde_json::Value;

const ORDERS: [&str; 2] = ["client-first", "provider-first"];

/// The place of the only event of a kind.
fn only(events: &[Value], function: &str, event: &str, context: &str) -> usize {
    let places = all(events, function, event);
    assert_eq!(places.len(), 1, "{event} of {function}, {context}");
    places[0]
}

fn all(events: &[Value], function: &str, event: &str) -> Vec<usize> {
    let matching =
        |place: &usize| events[*place]["function"] == function && events[*place]["event"] == event;
    (0..events.len()).filter(matching).collect()
}

/// Requires that things are where a binding of these events has them: one attach, one detach and
/// one cleanup for each side, in this order.
fn require_contract(events: &[Value], context: &str) {
    let at = |function, event| only(events, function, event, context);
    let asked = at("ClientAttachProvider", "call");
    let accepted = at("NmrClientAttachProvider", "call");
    let offered = at("ProviderAttachClient", "call");
    let agreed = at("ProviderAttachClient", "return");
    let attached = at("ClientAttachProvider", "return");
    let detaches = ["ClientDetachProvider", "ProviderDetachClient"];
    let detaching = detaches.map(|function| at(function, "call"));
    let answered = detaches.map(|function| at(function, "return"));
    let completions = [
        "NmrClientDetachProviderComplete",
        "NmrProviderDetachClientComplete",
    ];
    let completed = completions.map(|function| at(function, "call"));
    let cleanups = [
        "ClientCleanupBindingContext",
        "ProviderCleanupBindingContext",
    ];
    let cleaning = cleanups.map(|function| at(function, "call"));
    let cleaned = cleanups.map(|function| at(function, "return"));
    let over = at("NmrWaitForProviderDeregisterComplete", "return");

    assert!(
        [asked, accepted, offered, agreed, attached].is_sorted(),
        "{context}"
    );
    for end in [agreed, attached] {
        assert_eq!(events[end]["status"], "STATUS_SUCCESS", "{context}");
    }
    for side in 0..2 {
        assert!(attached < detaching[side], "{context}");
        assert_eq!(
            events[answered[side]]["status"], "STATUS_PENDING",
            "{context}"
        );
        assert!(detaching[side] < completed[side], "{context}");
    }
    let last_completed = *completed.iter().max().unwrap();
    let last_answered = *answered.iter().max().unwrap();
    assert!(
        cleaning.iter().all(|&cleanup| cleanup > last_completed),
        "{context}"
    );
    assert!(
        cleaning.iter().all(|&cleanup| cleanup > last_answered),
        "{context}"
    );
    assert!(cleaned.iter().all(|&cleanup| cleanup < over), "{context}");
    require_completed_by_last_call(events, completed, context);
}

/// Requires that each side's detach is completed after its last call into its peer has returned,
/// on the thread that made that call.
fn require_completed_by_last_call(events: &[Value], completed: [usize; 2], context: &str) {
    for (function, completed) in ["add", "changed"].into_iter().zip(completed) {
        let calls = all(events, function, "return").into_iter();
        let last = calls
            .filter(|&end| events[end]["binding"] == 1)
            .max()
            .unwrap();
        assert!(last < completed, "{function}, {context}");
        assert_eq!(
            events[last]["thread"], events[completed]["thread"],
            "{function}, {context}"
        );
    }
}

/// Requires that the events of a thread nest, and that every call returns.
fn require_nesting(events: &[Value], context: &str) {
    let threads = events
        .iter()
        .filter_map(|event| event["thread"].as_u64())
        .max();
    for thread in 1..=threads.unwrap() {
        let mut open = Vec::new();
        for event in events.iter().filter(|event| event["thread"] == thread) {
            if event["event"] == "call" {
                assert_eq!(event["depth"], open.len(), "{context}");
                open.push(event);
            } else {
                let call: &Value = open.pop().unwrap();
                assert_eq!(event["call"], call["sequence"], "{context}");
                for same in ["function", "caller", "callee", "binding", "depth"] {
                    assert_eq!(event[same], call[same], "{same}, {context}");
                }
            }
        }
        assert!(open.is_empty(), "{context}");
    }
}

/// Requires that every field of an event is plausible and that numbers follow each other.
fn require_sequence(events: &[Value], context: &str) {
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event["sequence"], place, "{context}");
        assert!(event["section"].as_u64() >= Some(1), "{context}");
    }
}

#[test]
fn every_order_and_seed_keeps_the_contract_with_calls_in_progress() {
    for order in ORDERS {
        for seed in 0..32 {
            let arguments = format!("--order {order} --seed {seed} --threads 3 --calls 20");
            let events = lab::events(&arguments);
            require_sequence(&events, &arguments);
            require_nesting(&events, &arguments);
            require_contract(&events, &arguments);
            assert_eq!(all(&events, "changed", "call").len(), 60, "{arguments}");
        }
    }
}

#[test]
fn one_thread_with_one_call_is_enough() {
    for order in ORDERS {
        let arguments = format!("--order {order} --threads 1 --calls 1");
        require_contract(&lab::events(&arguments), &arguments);
    }
}

#[test]
fn many_threads_are_not_too_many() {
    let arguments = "--threads 64 --calls 30 --seed 9";
    let events = lab::events(arguments);
    require_nesting(&events, arguments);
    require_contract(&events, arguments);
}

#[test]
fn a_stricter_registrar_has_nothing_to_report() {
    for policy in [
        "mode=strict",
        "mode=strict,cleanup=worker",
        "irql=dispatch",
        "early=ignored",
    ] {
        let arguments = format!("--policy {policy}");
        require_contract(&lab::events(&arguments), &arguments);
    }
}

#[test]
fn callbacks_have_the_level_of_the_policy() {
    let events = lab::events("--policy irql=dispatch");
    for (function, level) in [
        ("ClientAttachProvider", 0),
        ("ClientDetachProvider", 2),
        ("ProviderCleanupBindingContext", 2),
        ("NmrDeregisterProvider", 0),
    ] {
        for event in ["call", "return"] {
            let place = only(&events, function, event, "irql=dispatch");
            assert_eq!(events[place]["irql"], level, "{event} of {function}");
        }
    }
}

#[test]
fn a_declined_offer_has_no_detach_and_no_cleanup() {
    for order in ORDERS {
        for (decline, asked) in [
            ("--decline", 0),
            ("--decline=client", 0),
            ("--decline=provider", 1),
        ] {
            for seed in 0..8 {
                let arguments = format!("{decline} --order {order} --seed {seed}");
                let events = lab::events(&arguments);
                require_nesting(&events, &arguments);
                let answer = only(&events, "ClientAttachProvider", "return", &arguments);
                assert_eq!(
                    events[answer]["status"], "STATUS_NOINTERFACE",
                    "{arguments}"
                );
                let provider = all(&events, "ProviderAttachClient", "call");
                assert_eq!(provider.len(), asked, "{arguments}");
                let end = |event: &Value| {
                    let function = event["function"].as_str().unwrap();
                    function.contains("Detach") || function.contains("Cleanup")
                };
                assert!(!events.iter().any(end), "{arguments}");
            }
        }
    }
}
