//! The decisions of contract section 5 about detachment, cleanup and the wait. Invalid handles
//! are in `handles.rs`.

mod common;

use std::thread;
use std::time::Duration;

use common::*;
use nmr_host::irql::{self, DISPATCH_LEVEL, PASSIVE_LEVEL};
use nmr_host::{Policy, Severity};

#[test]
fn a_08_a_module_may_deregister_inside_the_callbacks_of_others() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let other = rig.named(Role::Client, "other").registered();
    provider.on_detach(move |_| {
        if other.counts()[1] == 0 {
            assert_eq!(other.deregister(), STATUS_PENDING);
        }
        STATUS_SUCCESS
    });
    client.close();
    assert_eq!(other.counts(), [1, 1, 1]);
    assert_eq!(other.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn a_08_the_side_that_did_not_start_may_deregister_inside_its_detach() {
    for role in ROLES {
        let rig = Rig::new();
        let (starter, follower) = rig.attached_as(role);
        follower.on_detach(move |_| {
            assert_eq!(follower.deregister(), STATUS_PENDING);
            STATUS_SUCCESS
        });
        starter.close();
        assert_eq!(follower.wait(), STATUS_SUCCESS);
        assert_eq!(follower.counts(), [1, 1, 1]);
    }
}

#[test]
fn a_08_a_module_may_deregister_inside_a_cleanup() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    provider.on_cleanup(move |_| assert_eq!(provider.deregister(), STATUS_PENDING));
    client.close();
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    assert_eq!(provider.counts(), [1, 1, 1]);
}

#[test]
fn a_09_a_deregistration_is_always_pending() {
    for role in ROLES {
        let rig = Rig::new();
        let alone = rig.module(role).registered();
        assert_eq!(alone.deregister(), STATUS_PENDING, "with nothing attached");
        assert_eq!(alone.wait(), STATUS_SUCCESS);
        let (prompt, peer) = rig.attached_as(role);
        assert_eq!(
            prompt.deregister(),
            STATUS_PENDING,
            "with everything detached"
        );
        assert_eq!(prompt.wait(), STATUS_SUCCESS);
        peer.pends();
        prompt.registered();
        assert_eq!(
            prompt.deregister(),
            STATUS_PENDING,
            "with a peer that pends"
        );
        peer.binding(1).complete();
        assert_eq!(prompt.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

/// A deregistration never returns `STATUS_SUCCESS`, so a wait is always due; what A-10 decides
/// beyond that concerns the wrapper.
#[test]
fn a_10_the_wait_after_any_deregistration_succeeds() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        for _ in 0..3 {
            assert_ne!(module.deregister(), STATUS_SUCCESS);
            assert_eq!(module.wait(), STATUS_SUCCESS);
            module.registered();
        }
        close_all([module, peer]);
    }
}

#[test]
fn a_11_a_wait_out_of_turn_is_refused() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        assert_eq!(
            module.wait(),
            STATUS_INVALID_PARAMETER,
            "before the deregistration"
        );
        module.close();
        assert_eq!(module.wait(), STATUS_INVALID_PARAMETER, "twice");
        rig.expect(&[Rule::V71, Rule::V72]);
    }
}

#[test]
fn a_14_a_null_context_is_a_value_like_any_other() {
    let rig = Rig::new();
    let nameless = |role, name| rig.shaped(role, name, |shape| shape.leave_out(Part::Context));
    let client = nameless(Role::Client, "client");
    let provider = nameless(Role::Provider, "provider");
    client.on_attach(|offer| offer.accept_as(0, 0).status);
    provider.on_attach(|offer| {
        assert_eq!((offer.context, offer.offered.peer_context), (0, 0));
        offer.accept_as(0, 0).status
    });
    client.registered();
    provider.registered();
    rig.expect(&[Rule::V36, Rule::V36]);
    client.close();
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    provider.close();
}

/// What happens when a client with one pending provider deregisters.
fn detach_calls(policy: &str) -> Vec<String> {
    let rig = Rig::with(policy);
    let (client, provider) = rig.attached();
    client.pends();
    provider.pends();
    rig.clear();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let calls = rig.calls_and_returns();
    client.binding(0).complete();
    provider.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
    calls
}

#[test]
fn a_15_both_detach_callbacks_are_called_back_to_back() {
    let client = ["client detach", "client detach returned"];
    let provider = ["provider detach", "provider detach returned"];
    assert_eq!(detach_calls(""), [client, provider].concat());
    assert_eq!(
        detach_calls("detach=provider-first"),
        [provider, client].concat()
    );
    let seeded = |seed| detach_calls(&format!("detach=seeded,seed={seed}"));
    assert!((0..20).any(|seed| seeded(seed) == detach_calls("")));
    assert!((0..20).any(|seed| seeded(seed) == detach_calls("detach=provider-first")));
}

#[test]
fn a_16_the_client_is_cleaned_up_first_unless_the_policy_says_otherwise() {
    for (policy, first, second) in [
        ("", "client cleanup", "provider cleanup"),
        (
            "cleanup-order=provider-first",
            "provider cleanup",
            "client cleanup",
        ),
    ] {
        let rig = Rig::with(policy);
        let (client, provider) = rig.attached();
        close_all([client, provider]);
        assert!(rig.place(&format!("{first} returned")) < rig.place(second));
    }
}

#[test]
fn a_16_cleanups_run_on_the_thread_that_completes_last_at_its_level() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    provider.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    client.binding(0).complete();
    assert_eq!(client.counts(), [1, 1, 0]);
    let last = rig.thread(move || {
        let _raised = irql::raise(DISPATCH_LEVEL);
        provider.binding(0).complete();
        nmr_host::current_thread()
    });
    let last = last.join();
    for callback in ["client cleanup", "provider cleanup"] {
        assert_eq!(rig.entry(callback).thread, last);
        assert_eq!(rig.entry(callback).irql, DISPATCH_LEVEL);
    }
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn a_16_a_worker_cleans_up_on_a_thread_of_its_own() {
    let rig = Rig::with("cleanup=worker");
    let (client, provider) = rig.attached();
    let cleaning = Pause::new();
    client.on_cleanup(move |_| cleaning.here());
    assert_eq!(
        client.deregister(),
        STATUS_PENDING,
        "it does not wait for the worker"
    );
    cleaning.reached();
    assert_eq!(provider.counts(), [1, 1, 0]);
    let waiting = rig.thread(move || {
        let status = client.wait_for_others();
        assert_eq!(provider.counts(), [1, 1, 1], "the wait covers the cleanups");
        status
    });
    cleaning.release();
    assert_eq!(waiting.join(), STATUS_SUCCESS);
    assert_ne!(
        rig.entry("client cleanup").thread,
        nmr_host::current_thread()
    );
    provider.close();
}

#[test]
fn a_16_what_a_cleanup_registers_goes_to_its_own_registrar() {
    let rig = Rig::with("cleanup=worker");
    let (client, provider) = rig.attached();
    let late = rig.named(Role::Client, "late");
    client.on_cleanup(move |_| {
        late.registered();
    });
    client.close();
    assert_eq!(late.counts(), [1, 0, 0], "it was offered the provider");
    rig.expect(&[Rule::V62]);
    close_all([late, provider]);
}

#[test]
fn a_16_a_thread_that_entered_nothing_calls_back_inside_the_registrar() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let late = rig.named(Role::Provider, "late");
    client.pends().on_cleanup(move |_| {
        late.registered();
    });
    assert_eq!(client.deregister(), STATUS_PENDING);
    let stranger = thread::spawn(move || client.binding(0).complete());
    stranger.join().expect("the completion returns");
    rig.expect(&[Rule::V62]);
    assert_eq!(rig.registrar.leaks().len(), 3);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    close_all([late, provider]);
}

#[test]
fn a_17_one_end_may_complete_inside_its_detach() {
    for role in ROLES {
        let rig = Rig::new();
        let (hasty, slow) = rig.attached_as(role);
        hasty.completes_inside();
        slow.pends();
        assert_eq!(hasty.deregister(), STATUS_PENDING);
        assert_eq!(hasty.counts(), [1, 1, 0], "the other is not done");
        slow.binding(0).complete();
        assert_eq!(hasty.wait(), STATUS_SUCCESS);
        assert_eq!((hasty.counts(), slow.counts()), ([1, 1, 1], [1, 1, 1]));
        slow.detaches().close();
    }
}

#[test]
fn a_18_an_early_completion_and_success_count_once() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    provider.binding(0).complete();
    provider.close();
    rig.expect(&[Rule::V42, Rule::V44]);
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    client.close();
}

#[test]
fn a_18_an_early_completion_is_an_error_in_strict_mode() {
    let rig = Rig::strict();
    let (client, provider) = rig.attached();
    client.pends().binding(0).complete();
    assert_eq!(rig.expect_one(Rule::V42).severity, Severity::Error);
    close_all([client, provider]);
}

#[test]
fn a_18_the_policy_may_lose_an_early_completion() {
    let rig = Rig::with("early=ignored");
    let (client, provider) = rig.attached();
    provider.pends().binding(0).complete();
    rig.expect(&[Rule::V42]);
    assert_eq!(provider.deregister(), STATUS_PENDING);
    assert_eq!(provider.blockers().len(), 1, "it has to complete again");
    provider.binding(0).complete();
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    assert_eq!(provider.counts(), [1, 1, 1]);
    client.close();
}

#[test]
fn a_24_another_answer_to_a_detach_counts_as_done() {
    for (role, status) in ROLES.into_iter().zip([STATUS_INVALID_PARAMETER, 1]) {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.on_detach(move |_| status);
        module.close();
        assert_eq!(rig.expect_one(Rule::V40).status, Some(status));
        assert_eq!((module.counts(), peer.counts()), ([1, 1, 1], [1, 1, 1]));
        peer.close();
    }
}

#[test]
fn a_31_detach_and_cleanup_run_at_the_callers_level_or_at_dispatch() {
    for (policy, level) in [
        ("", PASSIVE_LEVEL),
        ("irql=dispatch", DISPATCH_LEVEL),
        ("mode=strict", DISPATCH_LEVEL),
        ("cleanup=worker,irql=dispatch", DISPATCH_LEVEL),
    ] {
        let rig = Rig::with(policy);
        let (client, provider) = rig.attached();
        close_all([client, provider]);
        for callback in [
            "client detach",
            "provider detach",
            "client cleanup",
            "provider cleanup",
        ] {
            assert_eq!(rig.entry(callback).irql, level, "{callback} under {policy}");
        }
        assert_eq!(irql::current(), PASSIVE_LEVEL, "the level is restored");
    }
}

#[test]
fn a_31_a_late_comer_detaches_at_the_level_of_its_registration() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        let _raised = irql::raise(DISPATCH_LEVEL);
        assert_eq!(client.deregister(), STATUS_PENDING);
        offer.accept()
    });
    provider.registered();
    client.registered();
    rig.expect(&[Rule::V82]);
    assert_eq!(rig.entry("provider attach").irql, DISPATCH_LEVEL);
    assert_eq!(rig.entry("provider detach").irql, PASSIVE_LEVEL);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn a_35_both_may_deregister_and_each_is_asked_once() {
    for role in ROLES {
        let rig = Rig::new();
        let (first, second) = rig.attached_as(role);
        first.pends();
        assert_eq!(first.deregister(), STATUS_PENDING);
        assert_eq!(second.deregister(), STATUS_PENDING);
        assert_eq!((first.counts(), second.counts()), ([1, 1, 0], [1, 1, 0]));
        let waits = [first, second].map(|module| rig.thread(move || module.wait_for_others()));
        first.binding(0).complete();
        assert_eq!(waits.map(Other::join), [STATUS_SUCCESS; 2]);
        assert_eq!((first.counts(), second.counts()), ([1, 1, 1], [1, 1, 1]));
    }
}

#[test]
fn a_38_the_watchdog_reports_once_and_changes_nothing() {
    let rig = Rig::under(Policy {
        watchdog: Some(Duration::ZERO),
        ..Policy::default()
    });
    let (client, provider) = rig.attached();
    provider.pends();
    let closing = rig.thread(move || {
        assert_eq!(client.deregister(), STATUS_PENDING);
        client.wait_for_others()
    });
    until(|| !rig.registrar.reports().is_empty());
    for _ in 0..1_000 {
        thread::yield_now();
    }
    assert!(!closing.is_finished());
    provider.binding(0).complete();
    assert_eq!(closing.join(), STATUS_SUCCESS);
    rig.expect(&[Rule::V41]);
    provider.close();
}

#[test]
fn a_38_without_a_watchdog_a_wait_is_silent() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let waiting = rig.thread(move || client.wait_for_others());
    until(|| {
        rig.registrar
            .records()
            .iter()
            .any(|record| record.function.contains("Wait"))
    });
    client.binding(0).complete();
    assert_eq!(waiting.join(), STATUS_SUCCESS);
    provider.close();
}
