//! The decisions of contract section 5 about attachment, as far as a registrar shows them. Those
//! about registration are in `decisions_register.rs`, those about detachment in
//! `decisions_detach.rs`.
//!
//! Only the wrapper can show A-33, calls into the peer after the detach, and in A-32 a call that the
//! provider makes before the client's attach has returned: the registrar does not see calls from
//! module to module. That nothing here is in the way of such a call is `a_32_…`.

mod common;

use std::sync::Barrier;

use common::*;
use nmr_host::Policy;
use nmr_host::irql::{self, DISPATCH_LEVEL};

#[test]
fn a_04_callbacks_of_different_bindings_run_at_once() {
    let rig = Rig::new();
    let both_inside: &'static Barrier = Box::leak(Box::new(Barrier::new(2)));
    let client = rig.client().on_attach(move |offer| {
        both_inside.wait();
        offer.accept()
    });
    client.registered();
    let providers = ["A", "B"].map(|name| rig.named(Role::Provider, name));
    let threads = providers.map(|provider| rig.thread(move || provider.register()));
    assert_eq!(threads.map(Other::join), [STATUS_SUCCESS; 2]);
    client.close();
    close_all(providers);
}

#[test]
fn a_05_no_detach_starts_before_the_attach_callbacks_returned() {
    for role in ROLES {
        let rig = Rig::new();
        let (client, provider) = rig.pair();
        let leaver = if role == Role::Client {
            client
        } else {
            provider
        };
        client.on_attach(move |offer| {
            let status = offer.accept();
            assert_eq!(leaver.deregister(), STATUS_PENDING);
            assert_eq!(client.counts()[1] + provider.counts()[1], 0);
            status
        });
        provider.registered();
        client.registered();
        let returned = rig.place("client attach returned");
        assert!(returned < rig.place("client detach"));
        assert!(returned < rig.place("provider detach"));
        assert_eq!(leaver.wait(), STATUS_SUCCESS);
        (if role == Role::Client {
            provider
        } else {
            client
        })
        .close();
    }
}

#[test]
fn a_06_an_attach_succeeds_although_the_client_deregistered_meanwhile() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        assert_eq!(client.deregister(), STATUS_PENDING);
        assert_eq!(offer.accept(), STATUS_SUCCESS);
        STATUS_SUCCESS
    });
    provider.registered();
    client.registered();
    assert_eq!(
        client.counts(),
        [1, 1, 1],
        "detached before the registration returned"
    );
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn a_06_a_deregistration_ends_the_offers_that_have_not_started() {
    let rig = Rig::new();
    let providers = ["A", "B", "C"].map(|name| rig.named(Role::Provider, name).registered());
    let client = rig.client();
    client.on_attach(move |_| {
        assert_eq!(client.deregister(), STATUS_PENDING);
        STATUS_NOINTERFACE
    });
    client.registered();
    assert_eq!(client.counts(), [1, 0, 0]);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    close_all(providers);
}

#[test]
fn a_06_a_peer_that_deregistered_before_its_turn_is_not_offered() {
    let rig = Rig::new();
    let providers = ["A", "B", "C"].map(|name| rig.named(Role::Provider, name).registered());
    let client = rig.client();
    client.on_attach(move |offer| {
        if client.counts()[0] == 1 {
            providers[1].close();
        }
        offer.accept()
    });
    client.registered();
    rig.expect(&[Rule::V78]);
    assert_eq!(providers.map(|provider| provider.counts()[0]), [1, 0, 1]);
    client.close();
    providers[0].close();
    providers[2].close();
}

#[test]
fn a_07_an_attach_callback_may_register() {
    for role in ROLES {
        let rig = Rig::new();
        let (client, provider) = rig.pair();
        let nested = rig.named(role, "nested");
        provider.on_attach(move |offer| {
            if provider.counts()[0] == 1 {
                nested.registered();
            }
            offer.accept()
        });
        client.registered();
        provider.registered();
        let peer = if role == Role::Client {
            provider
        } else {
            client
        };
        assert_eq!((nested.counts()[0], peer.counts()[0]), (1, 2));
        close_all([nested, client, provider]);
    }
}

#[test]
fn a_13_a_failed_attach_is_never_cleaned_up() {
    for status in [STATUS_NOINTERFACE, STATUS_INSUFFICIENT_RESOURCES] {
        let rig = Rig::new();
        let (client, provider) = rig.pair();
        provider.on_attach(move |_| status);
        client.registered();
        provider.registered().close();
        client.close();
        assert_eq!(rig.calls(), ["client attach", "provider attach"]);
    }
}

#[test]
fn a_19_a_client_that_fails_after_the_attach_is_cleaned_up_on_demand() {
    let rig = Rig::under(Policy {
        cleanup_failed_client: true,
        ..Policy::default()
    });
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        offer.accept();
        STATUS_DEVICE_NOT_READY
    });
    provider.registered();
    client.registered();
    assert_eq!(client.counts(), [1, 0, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    rig.expect(&[Rule::V22]);
    client.close();
    provider.close();
}

#[test]
fn a_19_the_provider_of_a_failed_client_may_pend() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        offer.accept();
        STATUS_DEVICE_NOT_READY
    });
    provider.pends().registered();
    client.registered();
    rig.expect(&[Rule::V22]);
    assert_eq!(provider.counts(), [1, 1, 0]);
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert_eq!(client.blockers().len(), 1, "it waits for the provider");
    provider.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(client.counts(), [1, 0, 0]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    provider.close();
}

#[test]
fn a_20_success_without_an_attach_is_a_decline() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|_| STATUS_SUCCESS);
    provider.registered();
    client.registered().close();
    rig.expect(&[Rule::V21]);
    provider.close();
    assert_eq!(rig.calls(), ["client attach"]);
}

#[test]
fn a_21_a_client_may_try_again_with_another_table() {
    const OLD: usize = 0x100;
    const NEW: usize = 0x200;
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        assert_eq!(offer.ask(NEW).status, STATUS_NOINTERFACE);
        offer.ask(OLD).status
    });
    provider.on_attach(|offer| {
        if offer.offered.peer_dispatch == OLD {
            offer.accept()
        } else {
            STATUS_NOINTERFACE
        }
    });
    client.registered();
    provider.registered();
    assert_eq!(provider.counts(), [2, 0, 0]);
    let kept = client.binding(0).context;
    assert_eq!(
        provider.binding(0).peer_context,
        kept,
        "the first context is forgotten"
    );
    provider.close();
    assert_eq!(rig.entry("client cleanup").context, kept);
    client.close();
}

#[test]
fn a_21_a_try_after_another_failure_works_too() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        offer.accept();
        offer.accept()
    });
    provider.on_attach(move |offer| {
        let first = provider.counts()[0] == 1;
        if first {
            STATUS_DEVICE_NOT_READY
        } else {
            offer.accept()
        }
    });
    client.registered();
    provider.registered();
    assert_eq!(
        rig.expect_one(Rule::V26).status,
        Some(STATUS_DEVICE_NOT_READY)
    );
    client.close();
    provider.close();
    assert_eq!(provider.counts(), [2, 1, 1]);
}

#[test]
fn a_22_an_attach_after_success_leaves_the_binding_as_it_is() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let context = client.binding(0).context;
    let again = Function::Attach.call(client.offer(0));
    assert_eq!(again, Some(STATUS_INVALID_DEVICE_STATE));
    rig.expect(&[Rule::V24]);
    provider.close();
    assert_eq!(rig.entry("client detach").context, context);
    assert_eq!(provider.counts(), [1, 1, 1]);
    client.close();
}

#[test]
fn a_23_every_success_code_but_success_declines() {
    for status in [1, STATUS_PENDING, 0x4000_0000] {
        let rig = Rig::new();
        let (client, provider) = rig.pair();
        provider.on_attach(move |offer| {
            offer.accept();
            status
        });
        client.on_attach(|offer| {
            assert_eq!(offer.accept(), STATUS_NOINTERFACE);
            STATUS_NOINTERFACE
        });
        client.registered();
        provider.registered().close();
        client.close();
        assert_eq!(rig.expect_one(Rule::V23).status, Some(status));
        assert_eq!(provider.counts(), [1, 0, 0]);
    }
}

#[test]
fn a_31_attach_callbacks_run_at_the_callers_level() {
    for policy in ["irql=dispatch", "mode=strict"] {
        let rig = Rig::with(policy);
        let (client, provider) = rig.attached();
        for callback in ["client attach", "provider attach"] {
            assert_eq!(rig.entry(callback).irql, irql::PASSIVE_LEVEL);
        }
        client.close();
        assert_eq!(rig.entry("client detach").irql, DISPATCH_LEVEL);
        provider.close();
    }
}

#[test]
fn a_32_others_may_act_while_the_client_is_about_to_attach() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    let asking = Pause::new();
    provider.on_attach(move |offer| {
        asking.here();
        offer.accept()
    });
    client.registered();
    let registering = rig.thread(move || provider.register());
    asking.reached();
    let other = rig.named(Role::Provider, "other").registered();
    assert_eq!(
        other.counts(),
        [1, 0, 0],
        "no lock is held across a callback"
    );
    asking.release();
    assert_eq!(registering.join(), STATUS_SUCCESS);
    close_all([client, provider, other]);
}
