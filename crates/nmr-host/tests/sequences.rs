//! The life-cycle sequences of contract section 3, callback by callback.
//!
//! The rows of the scenario matrix in its appendix A are tested elsewhere, most of them as the
//! defect of another registrar: 1 `u_06`, 2 `x_02` here, 3 `u_01`, 4 `a_21`, 5 `u_14`, 6 `u_04`,
//! 7 `r_01`, 8 and 8b `u_02`, 9 `u_09`, 10 `u_08`, 11 `u_19`, 11b `v_70`, 12 `a_20`, 13 `u_15` and
//! `r_13`, 14 `u_14`, 14b `v_55`, 15 `u_03`, 16 `u_05`, 17 `u_12`, 18 `u_13` and `a_29`, 19 `u_23`,
//! 20 `a_02` and `u_24`, 21 `a_27`, 22 `a_26`, 23 `u_18`, 23b `v_46`, 24 `a_07`, 25 `u_03`,
//! 26 `a_24`, 27 `r_08`, 28 `a_35`, 29 `v_45`, 30 `a_11`, 32 `v_74`, 33 `r_07`, and the race `u_10`.

mod common;

use common::*;
use nmr_host::{Actor, Moment};

const ATTACH: [&str; 4] = [
    "client attach",
    "provider attach",
    "provider attach returned",
    "client attach returned",
];
const DETACH: [&str; 4] = [
    "client detach",
    "client detach returned",
    "provider detach",
    "provider detach returned",
];
const CLEANUP: [&str; 4] = [
    "client cleanup",
    "client cleanup returned",
    "provider cleanup",
    "provider cleanup returned",
];

#[test]
fn s_3_1_provider_first() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.registered();
    assert!(rig.calls().is_empty());
    client.registered();
    assert_eq!(rig.calls_and_returns(), ATTACH);
    close_all([client, provider]);
}

#[test]
fn s_3_2_client_first() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.registered();
    assert!(rig.calls().is_empty());
    provider.registered();
    assert_eq!(
        rig.calls_and_returns(),
        ATTACH,
        "the offer starts with the client all the same"
    );
    close_all([client, provider]);
}

#[test]
fn s_3_1_each_gets_its_own_context_and_the_others() {
    const CLIENT_TABLE: usize = 0xc0;
    const PROVIDER_TABLE: usize = 0xf0;
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        assert_eq!(offer.context, offer.module.context());
        offer.ask(CLIENT_TABLE).status
    });
    provider.on_attach(|offer| {
        assert_eq!(offer.context, offer.module.context());
        offer.ask(PROVIDER_TABLE).status
    });
    client.registered();
    provider.registered();
    let [here, there] = [client.binding(0), provider.binding(0)];
    assert_eq!(
        (here.peer_context, here.peer_dispatch),
        (there.context, PROVIDER_TABLE)
    );
    assert_eq!(
        (there.peer_context, there.peer_dispatch),
        (here.context, CLIENT_TABLE)
    );
    close_all([client, provider]);
    for (module, binding) in [("client", here), ("provider", there)] {
        assert_eq!(
            rig.entry(&format!("{module} detach")).context,
            binding.context
        );
        assert_eq!(
            rig.entry(&format!("{module} cleanup")).context,
            binding.context
        );
    }
}

#[test]
fn s_3_3_offers_are_made_one_after_the_other() {
    let rig = Rig::new();
    let client = rig.client();
    let providers = ["A", "B"].map(|name| rig.named(Role::Provider, name).registered());
    client.registered();
    let pair = |name: &str| ATTACH.map(|call| call.replace("provider", name));
    assert_eq!(rig.calls_and_returns(), [pair("A"), pair("B")].concat());
    client.close();
    close_all(providers);
}

#[test]
fn x_02_a_declining_client_keeps_the_provider_out_of_it() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    close_all([client.declines().registered(), provider.registered()]);
    assert_eq!(rig.calls(), ["client attach"]);
}

#[test]
fn s_3_5_a_declining_provider_is_not_detached() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        let status = offer.accept();
        assert_eq!(
            status, STATUS_NOINTERFACE,
            "the client gets the provider's status"
        );
        status
    });
    close_all([client.registered(), provider.declines().registered()]);
    assert_eq!(rig.calls_and_returns(), ATTACH);
}

#[test]
fn s_3_6_and_3_7_nothing_in_flight() {
    for role in ROLES {
        let rig = Rig::new();
        let (first, second) = rig.attached_as(role);
        rig.clear();
        assert_eq!(first.deregister(), STATUS_PENDING);
        assert_eq!(rig.calls_and_returns(), [DETACH, CLEANUP].concat());
        assert_eq!(first.wait(), STATUS_SUCCESS);
        second.close();
        assert_eq!(rig.calls_and_returns().len(), 8, "nothing more");
    }
}

#[test]
fn s_3_8_and_3_9_one_side_pends() {
    for (leaver, pending) in ROLES
        .into_iter()
        .flat_map(|leaver| ROLES.map(|other| (leaver, other)))
    {
        let rig = Rig::new();
        let (slow, prompt) = rig.attached_as(pending);
        let [leaver, stayer] = if leaver == pending {
            [slow, prompt]
        } else {
            [prompt, slow]
        };
        slow.pends();
        rig.clear();
        assert_eq!(leaver.deregister(), STATUS_PENDING);
        assert_eq!(rig.calls_and_returns(), DETACH, "both are asked at once");
        slow.binding(0).complete();
        assert_eq!(rig.calls_and_returns(), [DETACH, CLEANUP].concat());
        assert_eq!(leaver.wait(), STATUS_SUCCESS);
        stayer.close();
    }
}

#[test]
fn s_3_10_both_pend() {
    for first in ROLES {
        let rig = Rig::new();
        let (first, second) = rig.attached_as(first);
        first.pends();
        second.pends();
        rig.clear();
        assert_eq!(first.deregister(), STATUS_PENDING);
        first.binding(0).complete();
        assert_eq!(rig.calls_and_returns(), DETACH, "one is not enough");
        second.binding(0).complete();
        assert_eq!(rig.calls_and_returns(), [DETACH, CLEANUP].concat());
        assert_eq!(first.wait(), STATUS_SUCCESS);
        second.close();
    }
}

#[test]
fn s_3_13_the_second_deregistration_calls_nothing() {
    for role in ROLES {
        let rig = Rig::new();
        let (first, second) = rig.attached_as(role);
        second.pends();
        rig.clear();
        assert_eq!(first.deregister(), STATUS_PENDING);
        assert_eq!(second.deregister(), STATUS_PENDING);
        assert_eq!(rig.calls_and_returns(), DETACH);
        second.binding(0).complete();
        assert_eq!([first.wait(), second.wait()], [STATUS_SUCCESS; 2]);
        assert_eq!(rig.calls_and_returns(), [DETACH, CLEANUP].concat());
    }
}

#[test]
fn s_3_14_a_late_comer_is_detached_after_the_attach() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.on_attach(move |offer| {
        assert_eq!(client.deregister(), STATUS_PENDING);
        offer.accept()
    });
    client.registered();
    provider.registered();
    assert_eq!(rig.calls_and_returns(), [ATTACH, DETACH, CLEANUP].concat());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn s_3_14_a_late_comer_may_pend() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.on_attach(move |offer| {
        assert_eq!(provider.deregister(), STATUS_PENDING);
        offer.accept()
    });
    client.pends().registered();
    assert_eq!(
        provider.register(),
        STATUS_SUCCESS,
        "it was registered, whatever became of it"
    );
    assert_eq!(rig.calls_and_returns(), [ATTACH, DETACH].concat());
    client.binding(0).complete();
    assert_eq!(rig.calls_and_returns(), [ATTACH, DETACH, CLEANUP].concat());
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    client.close();
}

#[test]
fn s_3_15_a_wait_lasts_as_long_as_a_cleanup() {
    let rig = Rig::with("watchdog-ms=1");
    let (client, provider) = rig.attached();
    let (notes, cleaning) = (rig.notes(), Pause::new());
    client.pends();
    provider.on_cleanup(move |_| cleaning.here());
    assert_eq!(client.deregister(), STATUS_PENDING);
    let completing = rig.thread(move || client.binding(0).complete());
    cleaning.reached();
    let waiting = rig.thread(move || {
        assert_eq!(client.wait_for_others(), STATUS_SUCCESS);
        notes.write("waited");
    });
    until(|| waiting.is_finished() || !rig.registrar.reports().is_empty());
    cleaning.release();
    completing.join();
    waiting.join();
    assert!(rig.place("provider cleanup returned") < rig.place("waited"));
    rig.expect(&[Rule::V41]);
    provider.close();
}

#[test]
fn s_3_16_a_module_that_registers_again_is_offered_again() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        let first = module.handle();
        module.close();
        module.registered();
        assert_ne!(module.handle(), first);
        assert_eq!((module.counts(), peer.counts()), ([2, 1, 1], [2, 1, 1]));
        close_all([module, peer]);
    }
}

#[test]
fn the_record_tells_the_same() {
    let rig = Rig::new();
    let client = rig.client().registered();
    let provider = rig.provider().registered();
    let line = |record: &nmr_host::Record| {
        let end = if matches!(record.moment, Moment::Call(_)) {
            ""
        } else {
            " returned"
        };
        let actor = if record.callee == Actor::Nmr {
            record.caller
        } else {
            record.callee
        };
        let Actor::Module(module) = actor else {
            panic!("all actors are known")
        };
        format!("{}: {}{end}", module.role, record.function)
    };
    let records = rig.registrar.records();
    let lines: Vec<String> = records.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "client: NmrRegisterClient",
            "client: NmrRegisterClient returned",
            "provider: NmrRegisterProvider",
            "client: ClientAttachProvider",
            "client: NmrClientAttachProvider",
            "provider: ProviderAttachClient",
            "provider: ProviderAttachClient returned",
            "client: NmrClientAttachProvider returned",
            "client: ClientAttachProvider returned",
            "provider: NmrRegisterProvider returned",
        ]
    );
    assert!(
        records
            .iter()
            .enumerate()
            .all(|(place, record)| record.sequence == place as u64)
    );
    close_all([client, provider]);
}
