//! The decisions of contract section 5 about registration and matching. What is accepted as
//! characteristics is in `handles.rs`.

mod common;

use common::*;
use nmr_host::Severity;

#[test]
fn a_01_offers_run_on_the_registering_thread_before_it_returns() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.registered();
    let thread = rig.thread(move || {
        client.registered();
        assert_eq!(
            provider.counts(),
            [1, 0, 0],
            "before the registration returned"
        );
        nmr_host::current_thread()
    });
    let thread = thread.join();
    assert_eq!(rig.entry("client attach").thread, thread);
    assert_eq!(rig.entry("provider attach").thread, thread);
    client.close();
    provider.close();
}

#[test]
fn a_01_a_registration_succeeds_when_every_offer_is_declined() {
    for role in ROLES {
        let rig = Rig::new();
        let peer = rig.module(role.other()).declines().registered();
        let module = rig.module(role).declines();
        assert_eq!(module.register(), STATUS_SUCCESS);
        module.close();
        peer.close();
    }
}

/// The order in which five providers are offered to a client that registers last.
fn offer_order(policy: &str) -> Vec<String> {
    let rig = Rig::with(policy);
    let providers = ["A", "B", "C", "D", "E"].map(|name| rig.named(Role::Provider, name));
    for provider in providers {
        provider.registered();
    }
    let client = rig.client().registered();
    let calls = rig.calls().into_iter();
    let order = calls.filter(|call| call != "client attach").collect();
    close_all(providers.into_iter().chain([client]));
    order
}

#[test]
fn a_02_peers_are_offered_in_the_order_of_registration() {
    let order = offer_order("offers=in-order,seed=7");
    assert_eq!(
        order,
        ["A attach", "B attach", "C attach", "D attach", "E attach"]
    );
}

#[test]
fn a_02_a_seed_shuffles_the_offers() {
    let shuffled = |seed| offer_order(&format!("offers=shuffled,seed={seed}"));
    for seed in 0..10 {
        assert_eq!(shuffled(seed), shuffled(seed), "seed {seed}");
        let mut sorted = shuffled(seed);
        sorted.sort();
        assert_eq!(sorted, offer_order(""), "each is offered once");
    }
    assert!((1..10).any(|seed| shuffled(seed) != shuffled(0)));
}

#[test]
fn a_03_a_client_is_offered_every_provider() {
    let rig = Rig::new();
    let early = ["A", "B"].map(|name| rig.named(Role::Provider, name).registered());
    early[0].declines();
    let client = rig.client().registered();
    let late = rig.named(Role::Provider, "C").registered();
    assert_eq!(
        client.counts(),
        [3, 0, 0],
        "a decline does not stop the rest"
    );
    assert_eq!(
        client.blockers().len(),
        2 * 2,
        "two bindings, two ends each"
    );
    client.close();
    assert_eq!(client.counts(), [3, 2, 2]);
    close_all(early.into_iter().chain([late]));
}

#[test]
fn a_12_the_handle_is_null_at_first_and_after_a_failure() {
    let rig = Rig::new();
    for role in ROLES {
        let broken = rig.shaped(role, "broken", |shape| shape.length = 0);
        assert_ne!(broken.handle(), 0, "it has not been written yet");
        assert_eq!(broken.register(), STATUS_INVALID_PARAMETER);
        assert_eq!(broken.handle(), 0);
        rig.expect(&[Rule::V03]);
    }
}

#[test]
fn a_12_the_handle_is_there_before_the_first_offer() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role);
        let peer = rig.module(role.other());
        peer.on_attach(move |_| {
            assert_eq!(module.deregister(), STATUS_PENDING, "it can be used");
            STATUS_NOINTERFACE
        });
        peer.registered();
        module.registered();
        assert_eq!(module.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

#[test]
fn a_25_characteristics_are_not_copied() {
    let rig = Rig::new();
    let provider = rig.shaped(Role::Provider, "provider", |shape| shape.number = 42);
    let client = rig.client().on_attach(move |offer| {
        assert_eq!(offer.offered.peer_instance, provider.instance());
        STATUS_NOINTERFACE
    });
    client.registered();
    provider.registered().close();
    client.close();
    assert_eq!(client.counts(), [1, 0, 0]);
}

#[test]
fn a_27_only_the_interface_is_compared() {
    let rig = Rig::new();
    let mut identity = None;
    let client = rig.shaped(Role::Client, "client", |shape| identity = Some(shape.id));
    let same = rig.shaped(Role::Provider, "same", |shape| shape.id = identity.unwrap());
    let numbered = rig.shaped(Role::Provider, "numbered", |shape| shape.number = 9);
    let stranger = rig.shaped(Role::Provider, "stranger", |shape| shape.npi.Data1 ^= 1);
    let modules = [client, same, numbered, stranger].map(Module::registered);
    assert_eq!(modules.map(|module| module.counts()[0]), [2, 1, 1, 0]);
    close_all(modules);
}

#[test]
fn a_28_a_module_may_register_twice() {
    let rig = Rig::new();
    let mut identity = None;
    let one = rig.shaped(Role::Client, "one", |shape| identity = Some(shape.id));
    let two = rig.shaped(Role::Client, "two", |shape| shape.id = identity.unwrap());
    let provider = rig.provider();
    let modules = [one, provider, two].map(Module::registered);
    assert_ne!(one.handle(), two.handle());
    assert_eq!(modules.map(|module| module.counts()[0]), [1, 2, 1]);
    one.close();
    assert_eq!(two.counts(), [1, 0, 0], "the other stays");
    two.close();
    provider.close();
}

#[test]
fn a_29_the_two_ends_have_different_handles() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let handles = [
        client.handle(),
        provider.handle(),
        client.offer(0),
        provider.offer(0),
    ];
    for (index, handle) in handles.iter().enumerate() {
        assert!(!handles[index + 1..].contains(handle));
        assert_ne!(*handle, 0);
    }
    client.close();
    provider.close();
}

#[test]
fn a_30_a_module_without_identity_is_refused_in_strict_mode() {
    let nameless = |rig: &Rig| {
        rig.shaped(Role::Client, "nameless", |shape| {
            shape.leave_out(Part::ModuleId);
        })
    };
    let rig = Rig::new();
    nameless(&rig).registered().close();
    assert_eq!(rig.expect_one(Rule::V08).severity, Severity::Warning);
    let rig = Rig::strict();
    assert_eq!(nameless(&rig).register(), STATUS_INVALID_PARAMETER);
    assert_eq!(rig.expect_one(Rule::V08).severity, Severity::Error);
}

#[test]
fn a_34_a_declined_pair_is_offered_again_only_after_a_registration() {
    for role in ROLES {
        let rig = Rig::new();
        let (client, provider) = rig.pair();
        client.declines().registered();
        provider.registered();
        rig.named(Role::Client, "other client")
            .declines()
            .registered()
            .close();
        rig.named(Role::Provider, "other provider")
            .registered()
            .close();
        let own_offers = client.counts()[0];
        assert_eq!(own_offers, 2, "the provider and the other one, once each");
        let again = if role == Role::Client {
            client
        } else {
            provider
        };
        again.close();
        again.registered();
        assert_eq!(client.counts()[0], own_offers + 1);
        client.close();
        provider.close();
    }
}

#[test]
fn a_36_a_registration_is_all_or_nothing() {
    let rig = Rig::new();
    let client = rig.client();
    let providers = ["A", "B"].map(|name| rig.named(Role::Provider, name).registered());
    rig.registrar.fail_reservation(3);
    assert_eq!(
        client.register(),
        STATUS_INSUFFICIENT_RESOURCES,
        "there is memory for A alone"
    );
    assert_eq!(providers[0].counts(), [0, 0, 0]);
    assert_eq!(rig.registrar.leaks().len(), 2);
    client.registered();
    assert_eq!(client.counts(), [2, 0, 0]);
    client.close();
    close_all(providers);
}
