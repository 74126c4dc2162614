//! The defects of the registrar in `ReactOS`, each as a test that this one passes (contract section
//! 6.2).

mod common;

use common::*;
use nmr_host::irql::{self, DISPATCH_LEVEL, PASSIVE_LEVEL};

#[test]
fn r_01_the_provider_is_asked_to_detach_while_the_client_pends() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert_eq!(provider.counts(), [1, 1, 0]);
    client.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn r_01_a_client_may_complete_only_once_the_provider_was_asked() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    provider.on_detach(move |_| {
        client.binding(0).complete();
        STATUS_SUCCESS
    });
    client.close();
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    provider.close();
}

#[test]
fn r_02_a_deregistration_leaves_the_handle_for_the_wait() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        assert_eq!(module.deregister(), STATUS_PENDING);
        assert_eq!(rig.registrar.leaks().len(), 1, "the handle is still open");
        assert_eq!(module.wait(), STATUS_SUCCESS);
        assert_eq!(rig.registrar.leaks(), []);
    }
}

#[test]
fn r_03_a_completion_before_the_detach_is_not_lost() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    provider.pends();
    client.binding(0).complete();
    provider.binding(0).complete();
    rig.expect(&[Rule::V42, Rule::V42]);
    client.close();
    provider.close();
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
}

/// Completes one end while the detach callback of the other runs, on another thread.
fn completes_while_the_other_detaches(cleanup: &str) {
    let rig = Rig::with(&format!("cleanup={cleanup}"));
    let (client, provider) = rig.attached();
    let detaching = Pause::new();
    client.pends();
    provider.on_detach(move |_| {
        detaching.here();
        STATUS_SUCCESS
    });
    let closing = rig.thread(move || {
        assert_eq!(client.deregister(), STATUS_PENDING);
        client.wait_for_others()
    });
    detaching.reached();
    client.binding(0).complete();
    assert_eq!(client.counts(), [1, 1, 0]);
    assert_eq!(provider.counts(), [1, 1, 0]);
    detaching.release();
    assert_eq!(closing.join(), STATUS_SUCCESS);
    assert!(rig.place("provider detach returned") < rig.place("client cleanup"));
    provider.close();
}

#[test]
fn r_04_no_cleanup_starts_while_a_detach_callback_runs() {
    completes_while_the_other_detaches("inline");
}

#[test]
fn r_04_no_worker_cleans_up_while_a_detach_callback_runs() {
    completes_while_the_other_detaches("worker");
}

#[test]
fn r_05_a_wait_without_deregistration_does_not_block() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    assert_eq!(client.wait_for_others(), STATUS_INVALID_PARAMETER);
    assert_eq!(provider.wait_for_others(), STATUS_INVALID_PARAMETER);
    rig.expect(&[Rule::V71, Rule::V71]);
    client.close();
    provider.close();
}

#[test]
fn r_06_a_handle_of_another_kind_is_refused() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let as_provider = Function::Deregister(Role::Provider).call(client.handle());
    assert_eq!(as_provider, Some(STATUS_INVALID_PARAMETER));
    rig.expect(&[Rule::V74]);
    Function::Complete(Role::Client).call(client.handle());
    rig.expect(&[Rule::V45]);
    assert_eq!(client.counts(), [1, 0, 0], "it is still registered");
    client.close();
    provider.close();
    assert_eq!(client.deregister(), STATUS_INVALID_PARAMETER, "it is stale");
    rig.expect(&[Rule::V70]);
}

#[test]
fn r_07_a_binding_without_memory_fails_the_registration() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.registered();
    rig.registrar.fail_reservation(2);
    assert_eq!(provider.register(), STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(client.counts(), [0, 0, 0]);
    provider.registered();
    assert_eq!(client.counts(), [1, 0, 0], "with memory the pair attaches");
    client.close();
    provider.close();
}

#[test]
fn r_08_two_bindings_may_complete_inside_the_first_detach() {
    let rig = Rig::new();
    let (client, first) = rig.attached();
    let second = rig.named(Role::Provider, "second").registered();
    client.on_detach(move |binding| {
        if binding.handle == client.binding(0).handle {
            client.binding(0).complete();
            client.binding(1).complete();
        }
        STATUS_PENDING
    });
    client.close();
    let report = rig.expect_one(Rule::V42);
    assert_eq!(
        report.peer.unwrap().id,
        Some(second.id()),
        "the other was not asked yet"
    );
    assert_eq!(client.counts(), [2, 2, 2]);
    assert_eq!(first.counts(), [1, 1, 1]);
    assert_eq!(second.counts(), [1, 1, 1]);
    first.close();
    second.close();
}

/// For a race detector; `races.rs` has storms that take longer.
#[test]
fn r_09_completions_from_many_threads_clean_up_once() {
    let rig = Rig::new();
    let client = rig.client().pends().registered();
    let providers = ["A", "B", "C", "D"].map(|name| rig.named(Role::Provider, name).pends());
    for provider in providers {
        provider.registered();
    }
    assert_eq!(client.deregister(), STATUS_PENDING);
    let start = Gate::new();
    let completing = [0, 1, 2, 3].map(|index| {
        let ends = [client.binding(index), providers[index].binding(0)];
        ends.map(|end| {
            rig.thread(move || {
                start.pass();
                end.complete();
            })
        })
    });
    start.open();
    assert_eq!(client.wait_for_others(), STATUS_SUCCESS);
    for thread in completing.into_iter().flatten() {
        thread.join();
    }
    assert_eq!(client.counts(), [4, 4, 4]);
    for provider in providers {
        assert_eq!(provider.counts(), [1, 1, 1]);
        provider.close();
    }
}

#[test]
fn r_10_a_deregistration_at_dispatch_level_works() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let raised = irql::raise(DISPATCH_LEVEL);
    assert_eq!(client.deregister(), STATUS_PENDING);
    drop(raised);
    rig.expect(&[Rule::V82]);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    for callback in [
        "client detach",
        "provider detach",
        "client cleanup",
        "provider cleanup",
    ] {
        assert_eq!(rig.entry(callback).irql, DISPATCH_LEVEL, "{callback}");
    }
    provider.close();
}

#[test]
fn r_11_a_cleanup_runs_inside_the_last_completion() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    provider.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let raised = irql::raise(DISPATCH_LEVEL);
    provider.binding(0).complete();
    drop(raised);
    assert_eq!(client.counts(), [1, 1, 1], "before the completion returned");
    assert_eq!(provider.counts(), [1, 1, 1]);
    assert_eq!(rig.entry("provider detach").irql, PASSIVE_LEVEL);
    assert_eq!(rig.entry("provider cleanup").irql, DISPATCH_LEVEL);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn r_12_a_provider_that_answers_pending_is_not_attached() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.on_attach(|offer| {
        offer.accept();
        STATUS_PENDING
    });
    client.registered();
    provider.registered();
    assert_eq!(rig.expect_one(Rule::V23).status, Some(STATUS_PENDING));
    assert_eq!(provider.blockers(), [], "there is no binding");
    client.close();
    provider.close();
    assert_eq!(client.counts(), [1, 0, 0]);
}

#[test]
fn r_13_a_client_that_fails_after_the_attach_is_not_cleaned_up() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        offer.accept();
        STATUS_DEVICE_NOT_READY
    });
    client.registered();
    provider.registered();
    rig.expect(&[Rule::V22]);
    client.close();
    provider.close();
    assert_eq!(client.counts(), [1, 0, 0]);
    assert_eq!(provider.counts(), [1, 1, 1]);
}

#[test]
fn r_14_sizes_identities_and_versions_are_looked_at() {
    let rig = Rig::new();
    let faults: [(Rule, NTSTATUS, Fault); 5] = [
        (Rule::V05, STATUS_INVALID_PARAMETER, |shape| shape.size = 24),
        (Rule::V03, STATUS_SUCCESS, |shape| shape.length = 80),
        (Rule::V02, STATUS_SUCCESS, |shape| shape.version = 1),
        (Rule::V06, STATUS_SUCCESS, |shape| {
            shape.instance_version = 1;
        }),
        (Rule::V08, STATUS_SUCCESS, |shape| {
            shape.leave_out(Part::ModuleId);
        }),
    ];
    for (rule, status, fault) in faults {
        let module = rig.shaped(Role::Provider, "malformed", fault);
        assert_eq!(module.register(), status, "{rule}");
        rig.expect(&[rule]);
        if status == STATUS_SUCCESS {
            module.close();
        }
    }
}

#[test]
fn r_15_each_registrar_tells_what_is_left_in_it() {
    let (rig, other) = (Rig::new(), Rig::new());
    let (client, _) = other.pair();
    client.registered();
    assert_eq!(rig.registrar.leaks(), [], "the other registrar is another");
    let leak = other.registrar.leaks()[0];
    assert_eq!(
        (leak.module.id, leak.deregistered, leak.bindings),
        (Some(client.id()), false, 0)
    );
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert!(other.registrar.leaks()[0].deregistered);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(other.registrar.leaks(), []);
}
