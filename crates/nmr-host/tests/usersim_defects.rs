//! The defects of usersim, each as a test that this registrar passes (contract section 6.1).

mod common;

use common::*;
use nmr_host::{Policy, Severity};
use std::time::Duration;

#[test]
fn u_01_a_failed_attach_is_not_cleaned_up() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.on_attach(|offer| {
        offer.store_context();
        STATUS_NOINTERFACE
    });
    client.registered();
    provider.registered();
    client.close();
    provider.close();
    assert_eq!(client.counts(), [1, 0, 0]);
    assert_eq!(provider.counts(), [1, 0, 0]);
    rig.expect(&[Rule::V30]);
}

#[test]
fn u_02_completions_inside_both_detach_callbacks_clean_up_once() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.completes_inside();
    provider.completes_inside();
    client.close();
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    client.registered();
    assert_eq!(client.counts(), [2, 1, 1], "a later registration attaches");
    client.close();
    provider.close();
}

#[test]
fn u_02_completions_by_another_thread_inside_the_second_detach_clean_up_once() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let second = Pause::new();
    client.pends();
    provider.on_detach(move |_| {
        second.here();
        STATUS_PENDING
    });
    let other = rig.thread(move || {
        second.reached();
        client.binding(0).complete();
        provider.binding(0).complete();
        second.release();
    });
    assert_eq!(client.deregister(), STATUS_PENDING);
    other.join();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    provider.detaches();
    client.detaches().registered().close();
    provider.close();
}

/// Deregisters a module while another thread is inside `ProviderAttachClient`.
fn deregisters_during_attach(role: Role) {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    let leaver = if role == Role::Client {
        client
    } else {
        provider
    };
    let attaching = Pause::new();
    provider.on_attach(move |offer| {
        attaching.here();
        offer.accept()
    });
    client.registered();
    let registering = rig.thread(move || provider.register());
    attaching.reached();
    assert_eq!(leaver.deregister(), STATUS_PENDING);
    assert_eq!(
        client.counts(),
        [1, 0, 0],
        "an offer in progress is left alone"
    );
    attaching.release();
    assert_eq!(registering.join(), STATUS_SUCCESS);
    assert_eq!(leaver.wait(), STATUS_SUCCESS);
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    (if role == Role::Client {
        provider
    } else {
        client
    })
    .close();
}

#[test]
fn u_03_a_client_that_deregisters_during_an_attach_is_detached() {
    deregisters_during_attach(Role::Client);
}

#[test]
fn u_03_a_provider_that_deregisters_during_an_attach_is_detached() {
    deregisters_during_attach(Role::Provider);
}

#[test]
fn u_03_a_client_that_deregisters_inside_its_attach_callback_is_detached() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        assert_eq!(offer.module.deregister(), STATUS_PENDING);
        offer.accept()
    });
    provider.registered();
    client.registered();
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn u_04_null_contexts_are_detached_and_cleaned_up() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| offer.accept_as(0, 0).status);
    provider.on_attach(|offer| offer.accept_as(0, 0).status);
    client.registered();
    provider.registered().close();
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    assert_eq!(rig.entry("client detach").context, 0);
    assert_eq!(rig.entry("provider cleanup").context, 0);
    provider.registered().close();
    assert_eq!(client.counts(), [2, 2, 2], "it attaches again");
    client.close();
    rig.expect(&[Rule::V36; 4]);
}

#[test]
fn u_05_a_cleanup_callback_may_complete_another_binding() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let other = rig.named(Role::Provider, "other").registered();
    client.pends();
    provider.on_cleanup(move |_| client.binding(1).complete());
    assert_eq!(client.deregister(), STATUS_PENDING);
    client.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(client.counts(), [2, 2, 2]);
    assert_eq!(other.counts(), [1, 1, 1]);
    provider.close();
    other.close();
}

#[test]
fn u_05_a_cleanup_callback_may_register() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let late = rig.named(Role::Client, "late");
    provider.on_cleanup(move |_| {
        late.registered();
    });
    client.close();
    assert_eq!(late.counts(), [1, 0, 0], "it was offered the provider");
    rig.expect(&[Rule::V62]);
    provider.on_cleanup(|_| ());
    late.close();
    provider.close();
}

#[test]
fn u_05_others_register_while_a_cleanup_callback_runs() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let cleaning = Pause::new();
    client.on_cleanup(move |_| cleaning.here());
    let closing = rig.thread(move || client.close());
    cleaning.reached();
    let stranger = rig.shaped(Role::Client, "stranger", |shape| shape.npi.Data1 = 0);
    stranger.registered().close();
    cleaning.release();
    closing.join();
    provider.close();
}

#[test]
fn u_06_deregistration_without_bindings_is_pending() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        assert_eq!(module.deregister(), STATUS_PENDING);
        assert_eq!(module.wait(), STATUS_SUCCESS);
    }
}

#[test]
fn u_06_deregistration_with_prompt_detaches_is_pending() {
    for role in ROLES {
        let rig = Rig::new();
        let (first, second) = rig.attached_as(role);
        assert_eq!(first.deregister(), STATUS_PENDING);
        assert_eq!(first.blockers(), []);
        assert_eq!(first.wait(), STATUS_SUCCESS);
        second.close();
    }
}

#[test]
fn u_07_a_bad_handle_is_refused() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    for function in Function::ALL {
        let status = function.call(0xbad);
        assert!(status.is_none_or(|status| status == STATUS_INVALID_PARAMETER));
        rig.expect(&[Rule::V75]);
    }
    client.close();
    provider.close();
    assert_eq!(provider.counts(), [1, 1, 1]);
}

#[test]
fn u_08_a_wait_without_deregistration_is_refused() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        assert_eq!(module.wait(), STATUS_INVALID_PARAMETER);
        rig.expect(&[Rule::V71]);
        let peer = rig.module(role.other()).registered();
        assert_eq!(module.counts(), [1, 0, 0], "it still gets offers");
        assert_eq!(
            module.wait_for_others(),
            STATUS_INVALID_PARAMETER,
            "and does not block"
        );
        rig.expect(&[Rule::V71]);
        module.close();
        peer.close();
    }
}

#[test]
fn u_09_a_completion_before_the_detach_counts() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    provider.pends();
    provider.binding(0).complete();
    assert_eq!(provider.counts(), [1, 0, 0]);
    assert_eq!(rig.expect_one(Rule::V42).severity, Severity::Warning);
    provider.close();
    assert_eq!(client.counts(), [1, 1, 1]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    client.close();
}

/// The test with 100,000 rounds is in `races.rs`; this one only shows that it is there.
#[test]
fn u_10_a_pair_that_registers_at_once_gets_one_offer() {
    let rig = Rig::new();
    rig.silence();
    let (client, provider) = rig.pair();
    let rounds = 1_000;
    for round in 1..=rounds {
        let start = Gate::new();
        let other = rig.thread(move || {
            start.pass();
            provider.register()
        });
        start.open();
        client.registered();
        assert_eq!(other.join(), STATUS_SUCCESS);
        assert_eq!([client.counts()[0], provider.counts()[0]], [round; 2]);
        client.close();
        provider.close();
    }
}

/// Fails each reservation of memory in turn while a module registers that has two peers.
fn registers_without_memory(role: Role) {
    let rig = Rig::new();
    let module = rig.module(role);
    let peers = ["one", "two"].map(|name| rig.named(role.other(), name).registered());
    for skip in 0..4 {
        rig.registrar.fail_reservation(skip);
        assert_eq!(module.register(), STATUS_INSUFFICIENT_RESOURCES);
        assert_eq!(module.handle(), 0);
    }
    let late = rig.named(role.other(), "late").registered();
    assert_eq!(module.counts(), [0, 0, 0], "what failed gets no offers");
    for peer in peers.into_iter().chain([late]) {
        assert_eq!(peer.counts(), [0, 0, 0]);
        peer.close();
    }
    rig.registrar.fail_reservation(2);
    module.registered().close();
}

#[test]
fn u_11_a_client_that_fails_to_register_leaves_nothing() {
    registers_without_memory(Role::Client);
}

#[test]
fn u_11_a_provider_that_fails_to_register_leaves_nothing() {
    registers_without_memory(Role::Provider);
}

#[test]
fn u_12_a_module_sees_its_peers_own_instance() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        assert_eq!(offer.offered.peer_instance, provider.instance());
        offer.accept()
    });
    provider.on_attach(move |offer| {
        assert_eq!(offer.offered.peer_instance, client.instance());
        offer.accept()
    });
    client.registered();
    provider.registered().close();
    client.close();
}

#[test]
fn u_13_the_handle_is_there_inside_the_first_callback() {
    for role in ROLES {
        let rig = Rig::new();
        let peer = rig.module(role.other()).registered();
        let module = rig.module(role);
        let seen = module.on_attach(|offer| {
            assert!(![0, module_untouched()].contains(&offer.module.handle()));
            offer.accept()
        });
        seen.registered().close();
        peer.close();
    }
}

/// What a handle's place holds before it is written.
fn module_untouched() -> usize {
    let rig = Rig::new();
    rig.client().handle()
}

#[test]
fn u_14_a_second_attach_is_refused() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        let first = offer.accept();
        let again = Function::Attach.call(offer.offered.handle);
        assert_eq!(again, Some(STATUS_INVALID_DEVICE_STATE));
        first
    });
    client.registered();
    provider.registered();
    rig.expect(&[Rule::V25]);
    let late = Function::Attach.call(client.offer(0));
    assert_eq!(late, Some(STATUS_INVALID_DEVICE_STATE));
    rig.expect(&[Rule::V24]);
    assert_eq!(provider.counts(), [1, 0, 0]);
    client.close();
    provider.close();
}

#[test]
fn u_15_a_client_that_fails_after_the_attach_makes_the_provider_detach() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        offer.accept();
        STATUS_NOINTERFACE
    });
    client.registered();
    provider.registered();
    assert_eq!(
        rig.calls(),
        [
            "client attach",
            "provider attach",
            "provider detach",
            "provider cleanup"
        ]
    );
    rig.expect(&[Rule::V22]);
    client.close();
    provider.close();
}

#[test]
fn u_16_malformed_characteristics_are_refused() {
    let rig = Rig::new();
    let faults: [Fault; 6] = [
        |shape| shape.leave_out(Part::Characteristics),
        |shape| shape.length = 71,
        |shape| shape.size = 39,
        |shape| shape.leave_out(Part::Attach),
        |shape| shape.leave_out(Part::Detach),
        |shape| shape.leave_out(Part::NpiId),
    ];
    for (fault, role) in faults
        .into_iter()
        .flat_map(|fault| ROLES.map(|role| (fault, role)))
    {
        let module = rig.shaped(role, "malformed", fault);
        assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
        assert_eq!(rig.registrar.take_reports().len(), 1);
    }
    assert_eq!(rig.registrar.leaks(), []);
}

#[test]
fn u_17_a_lack_of_memory_has_its_documented_status() {
    let rig = Rig::new();
    rig.registrar.fail_reservation(0);
    let status = rig.client().register();
    assert_eq!(status, STATUS_INSUFFICIENT_RESOURCES);
    assert_ne!(status, STATUS_NO_MEMORY);
}

#[test]
fn u_18_a_second_completion_is_reported() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    provider.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    client.binding(0).complete();
    client.binding(0).complete();
    assert_eq!(
        rig.expect_one(Rule::V43).module.unwrap().id,
        Some(client.id())
    );
    assert_eq!(client.counts(), [1, 1, 0], "the provider is not done");
    provider.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(client.counts(), [1, 1, 1]);
    provider.close();
}

#[test]
fn u_19_a_second_deregistration_is_refused() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.pends();
        assert_eq!(module.deregister(), STATUS_PENDING);
        assert_eq!(module.deregister(), STATUS_INVALID_PARAMETER);
        rig.expect(&[Rule::V70]);
        assert_eq!(module.counts(), [1, 1, 0]);
        module.binding(0).complete();
        assert_eq!(module.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

#[test]
fn u_20_a_wait_has_no_bound() {
    let rig = Rig::under(Policy {
        watchdog: Some(Duration::from_millis(1)),
        ..Policy::default()
    });
    let (client, provider) = rig.attached();
    client.pends();
    let waiting = rig.thread(move || {
        assert_eq!(client.deregister(), STATUS_PENDING);
        client.wait_for_others()
    });
    until(|| !rig.registrar.reports().is_empty());
    assert!(!waiting.is_finished(), "the watchdog only reports");
    client.binding(0).complete();
    assert_eq!(waiting.join(), STATUS_SUCCESS);
    rig.expect(&[Rule::V41]);
    provider.close();
}

#[test]
fn u_21_one_of_two_waits_is_refused() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let waits = [(); 2].map(|()| rig.thread(move || client.wait_for_others()));
    until(|| waits.iter().any(Other::is_finished));
    client.binding(0).complete();
    let mut statuses = waits.map(Other::join);
    statuses.sort_unstable();
    assert_eq!(statuses, [STATUS_INVALID_PARAMETER, STATUS_SUCCESS]);
    rig.expect(&[Rule::V72]);
    provider.close();
}

#[test]
fn u_22_no_cleanup_runs_inside_a_detach_callback() {
    for order in ["client-first", "provider-first"] {
        let rig = Rig::with(&format!("detach={order}"));
        let (client, provider) = rig.attached();
        client.completes_inside();
        provider.completes_inside();
        provider.close();
        for module in ["client", "provider"] {
            let returned = rig.place(&format!("{module} detach returned"));
            assert!(returned < rig.place("client cleanup"));
            assert!(returned < rig.place("provider cleanup"));
        }
        client.close();
    }
}

#[test]
fn u_23_a_pending_attach_is_a_decline() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        let status = offer.accept();
        assert_eq!(status, STATUS_NOINTERFACE);
        status
    });
    provider.on_attach(|offer| {
        offer.accept();
        STATUS_PENDING
    });
    client.registered();
    provider.registered().close();
    rig.expect(&[Rule::V23]);
    assert_eq!(provider.counts(), [1, 0, 0]);
    client.close();
}

/// The order in which a client with five providers detaches from them.
fn detach_order(policy: &str) -> Vec<String> {
    let rig = Rig::with(policy);
    let client = rig.client().registered();
    let providers = ["A", "B", "C", "D", "E"].map(|name| rig.named(Role::Provider, name));
    for provider in providers {
        provider.registered();
    }
    rig.clear();
    client.close();
    let order = rig.calls();
    close_all(providers);
    order
}

#[test]
fn u_24_the_order_of_detachment_is_that_of_attachment() {
    let order = detach_order("");
    let detaches: Vec<_> = order
        .iter()
        .filter(|call| call.ends_with("detach"))
        .collect();
    let of_providers: Vec<_> = detaches.into_iter().skip(1).step_by(2).collect();
    assert_eq!(
        of_providers,
        ["A detach", "B detach", "C detach", "D detach", "E detach"]
    );
}

#[test]
fn u_24_a_seed_gives_one_order() {
    let seeded = |seed| detach_order(&format!("detach=seeded,cleanup-order=seeded,seed={seed}"));
    for seed in 0..10 {
        assert_eq!(seeded(seed), seeded(seed), "seed {seed}");
    }
    assert!(
        (0..10).any(|seed| seeded(seed) != seeded(0)),
        "and another another"
    );
}
