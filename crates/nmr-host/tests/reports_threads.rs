//! The rules about what modules do to their threads: stacks, levels, locks, time, and code that goes
//! away. See `reports.rs`.

mod common;

use common::*;
use nmr_host::Severity::{Error, Warning};
use nmr_host::irql::{self, APC_LEVEL, DISPATCH_LEVEL};
use nmr_host::{Report, Visit, locks, may_block};

/// Returns `true` if a report accuses this module, over its first binding, in this function.
fn accuses(report: &Report, module: Module, peer: Module, function: &str) -> bool {
    let id = |label: Option<nmr_host::ModuleLabel>| label.and_then(|label| label.id);
    (report.binding, report.function) == (Some(1), function)
        && id(report.module) == Some(module.id())
        && id(report.peer) == Some(peer.id())
}

const ATTACH: [&str; 2] = ["ClientAttachProvider", "ProviderAttachClient"];
const DETACH: [&str; 2] = ["ClientDetachProvider", "ProviderDetachClient"];

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn v_13_nothing_that_is_lent_is_on_a_stack() {
    for (role, function) in ROLES
        .into_iter()
        .zip(["NmrRegisterClient", "NmrRegisterProvider"])
    {
        let rig = Rig::new();
        let module = rig.module(role);
        module.come_and_go_on_the_stack();
        let report = rig.expect_one(Rule::V13);
        assert_eq!((report.severity, report.function), (Error, function));
        assert_eq!(report.module.unwrap().id, Some(module.id()));
    }
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn v_33_contexts_and_tables_are_not_on_a_stack() {
    for role in ROLES {
        let scripts: [fn(&Offer) -> NTSTATUS; 2] = [
            |offer| {
                let context = 0_u64;
                offer.accept_as((&raw const context).addr(), 1).status
            },
            |offer| {
                let table = [0_usize; 2];
                offer.ask((&raw const table).addr()).status
            },
        ];
        for script in scripts {
            let rig = Rig::new();
            let (client, provider) = rig.pair();
            let [module, peer] = if role == Role::Client {
                [client, provider]
            } else {
                [provider, client]
            };
            module.on_attach(script);
            close_all([client.registered(), provider.registered()]);
            let report = rig.expect_one(Rule::V33);
            let function = ["NmrClientAttachProvider", ATTACH[1]][role as usize];
            assert!(accuses(&report, module, peer, function), "{report}");
            assert_eq!(report.severity, Error);
        }
    }
}

/// Registers a module whose attach callback takes a lock that the registering thread holds, or not.
fn registers_with_lock(role: Role, held: bool) -> (Rig, [Module; 2]) {
    const LOCK: usize = 0x10c_0000;
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    let [module, peer] = if role == Role::Client {
        [client, provider]
    } else {
        [provider, client]
    };
    module.on_attach(|offer| {
        locks::acquiring(LOCK);
        // A free lock would be taken here; this one never.
        locks::abandoned(LOCK);
        offer.accept()
    });
    peer.registered();
    if held {
        locks::acquiring(LOCK);
        locks::acquired(LOCK);
    }
    module.registered();
    if held {
        locks::released(LOCK);
    }
    (rig, [module, peer])
}

#[test]
fn v_15_no_lock_is_held_that_an_attach_callback_takes() {
    for role in ROLES {
        let (rig, [module, peer]) = registers_with_lock(role, true);
        let report = rig.expect_one(Rule::V15);
        assert!(accuses(&report, module, peer, ATTACH[role as usize]));
        assert_eq!(report.severity, Warning);
        close_all([module, peer]);
        let (_rig, modules) = registers_with_lock(role, false);
        close_all(modules);
    }
}

#[test]
fn v_27_a_callback_leaves_the_level_as_it_was() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.on_detach(|_| {
            std::mem::forget(irql::raise(APC_LEVEL));
            STATUS_SUCCESS
        });
        module.close();
        let report = rig.expect_one(Rule::V27);
        assert!(accuses(&report, module, peer, DETACH[role as usize]));
        assert_eq!((report.severity, report.irql), (Error, APC_LEVEL));
        assert_eq!(irql::current(), irql::PASSIVE_LEVEL, "it is put back");
        peer.close();
    }
}

#[test]
fn v_27_and_the_locks() {
    const LOCK: usize = 0x10c_0010;
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        locks::acquiring(LOCK);
        locks::acquired(LOCK);
        offer.accept()
    });
    provider.registered();
    client.registered();
    let report = rig.expect_one(Rule::V27);
    assert!(accuses(&report, client, provider, ATTACH[0]));
    locks::released(LOCK);
    close_all([client, provider]);
}

#[test]
fn v_52_a_callback_at_dispatch_level_does_not_block() {
    for (policy, severity) in [("irql=dispatch", Warning), ("mode=strict", Error)] {
        let rig = Rig::with(policy);
        let (client, provider) = rig.attached();
        client.on_detach(|_| {
            may_block();
            STATUS_SUCCESS
        });
        provider.on_cleanup(|_| may_block());
        client.close();
        let reports = rig.expect(&[Rule::V52; 2]);
        assert!(accuses(&reports[0], client, provider, DETACH[0]));
        assert!(accuses(
            &reports[1],
            provider,
            client,
            "ProviderCleanupBindingContext"
        ));
        for report in reports {
            assert_eq!((report.severity, report.irql), (severity, DISPATCH_LEVEL));
        }
        provider.on_cleanup(|_| ()).close();
    }
}

#[test]
fn blocking_elsewhere_is_in_order() {
    let rig = Rig::strict();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        may_block();
        offer.accept()
    });
    close_all([client.registered(), provider.registered()]);
    may_block();
    drop(rig);
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.on_detach(|_| {
        may_block();
        STATUS_SUCCESS
    });
    close_all([client, provider]);
}

#[test]
fn v_54_a_detach_callback_is_short() {
    for (limit, rules) in [("0", vec![Rule::V54; 2]), ("3600000", vec![])] {
        let rig = Rig::with(&format!("slow-ms={limit}"));
        let (client, provider) = rig.attached();
        client.close();
        let reports = rig.expect(&rules);
        if let [first, second] = &reports[..] {
            assert!(accuses(first, client, provider, DETACH[0]));
            assert!(accuses(second, provider, client, DETACH[1]));
            assert_eq!(first.severity, Warning);
        }
        provider.close();
    }
}

#[test]
fn v_79_code_stays_until_its_registrations_are_closed() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        let code = detach_callback(role)..detach_callback(role) + 1;
        let elsewhere = code.end + 0x100_0000..code.end + 0x100_0001;
        assert_eq!(rig.registrar.unloading(&elsewhere), 0);
        rig.expect(&[]);
        assert_eq!(module.deregister(), STATUS_PENDING);
        assert_eq!(rig.registrar.unloading(&code), 1);
        let report = rig.expect_one(Rule::V79);
        assert_eq!((report.severity, report.function), (Error, "unload"));
        assert_eq!(report.module.unwrap().id, Some(module.id()));
        assert_eq!(module.wait(), STATUS_SUCCESS);
        assert_eq!(rig.registrar.unloading(&code), 0);
    }
}

/// A lock that a module holds while it waits.
const HELD: usize = 0x10c_0020;

/// Lets a client wait with a lock, and returns the thread that does.
fn waits_with_lock(rig: &Rig, client: Module) -> Other<NTSTATUS> {
    rig.thread(move || {
        locks::acquiring(HELD);
        locks::acquired(HELD);
        let status = client.wait_for_others();
        locks::released(HELD);
        status
    })
}

#[test]
fn v_81_a_wait_holds_no_lock_that_a_callback_wants() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let wants = Pause::new();
    client.on_detach(move |_| {
        locks::acquiring(HELD);
        wants.here();
        locks::abandoned(HELD);
        STATUS_SUCCESS
    });
    let detaching = rig.thread(move || provider.deregister());
    wants.reached();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let waiting = waits_with_lock(&rig, client);
    until(|| !rig.registrar.reports().is_empty());
    wants.release();
    assert_eq!(detaching.join(), STATUS_PENDING);
    assert_eq!(waiting.join(), STATUS_SUCCESS);
    let report = rig.expect_one(Rule::V81);
    assert_eq!(report.function, "NmrWaitForClientDeregisterComplete");
    assert_eq!(report.severity, Error);
    assert_eq!(report.module.unwrap().id, Some(client.id()));
    assert_eq!(provider.wait(), STATUS_SUCCESS);
}

#[test]
fn v_81_or_that_one_will_want() {
    let rig = Rig::with("watchdog-ms=1");
    let (client, provider) = rig.attached();
    let entered = Pause::new();
    client.on_detach(move |_| {
        entered.here();
        locks::acquiring(HELD + 1);
        locks::abandoned(HELD + 1);
        locks::acquiring(HELD);
        locks::abandoned(HELD);
        STATUS_SUCCESS
    });
    let detaching = rig.thread(move || provider.deregister());
    entered.reached();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let waiting = waits_with_lock(&rig, client);
    // The watchdog says that it waits.
    until(|| !rig.registrar.reports().is_empty());
    entered.release();
    assert_eq!(detaching.join(), STATUS_PENDING);
    assert_eq!(waiting.join(), STATUS_SUCCESS);
    rig.expect(&[Rule::V41, Rule::V81]);
    assert_eq!(provider.wait(), STATUS_SUCCESS);
}

#[test]
fn v_81_or_that_the_completing_thread_wants() {
    let rig = Rig::with("watchdog-ms=1");
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    locks::acquiring(HELD);
    let waiting = waits_with_lock(&rig, client);
    until(|| rig.registrar.reports().len() == 2);
    locks::abandoned(HELD);
    client.binding(0).complete();
    assert_eq!(waiting.join(), STATUS_SUCCESS);
    rig.expect(&[Rule::V41, Rule::V81]);
    provider.close();
}

/// A thread completes a detach as its last act, and is still inside when the wait returns. `look` sees what
/// is reported then.
fn completes_last(visit: fn() -> Visit, look: impl Fn(&Rig, Module, Module)) {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.pends();
        assert_eq!(module.deregister(), STATUS_PENDING);
        let inside = Pause::new();
        let completing = rig.thread(move || {
            let visit = visit();
            module.binding(0).complete();
            inside.here();
            drop(visit);
        });
        inside.reached();
        assert_eq!(module.wait(), STATUS_SUCCESS);
        look(&rig, module, peer);
        inside.release();
        completing.join();
        peer.close();
    }
}

#[test]
fn v_83_no_thread_that_completed_is_inside_when_the_wait_returns() {
    completes_last(Visit::enter_unreferenced, |rig, module, peer| {
        let report = rig.expect_one(Rule::V83);
        assert!(accuses(&report, module, peer, report.function));
        assert_eq!(report.severity, Warning);
    });
}

#[test]
fn a_work_item_that_references_its_device_may_complete_last() {
    completes_last(Visit::enter, |rig, _, _| {
        rig.expect(&[]);
    });
}

#[test]
fn a_thread_that_completed_and_left_is_in_order() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let complete = move || {
        let _visit = Visit::enter_unreferenced();
        client.binding(0).complete();
    };
    rig.thread(complete).join();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}
