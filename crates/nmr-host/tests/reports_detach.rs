//! Every rule about detachment, handles and the wait is broken once, and reported as just that. See
//! `reports.rs`.

mod common;

use std::time::Duration;

use common::*;
use nmr_host::Severity::{Error, Warning};
use nmr_host::irql::{self, DISPATCH_LEVEL, Irql};
use nmr_host::{Missing, Policy, Report};

/// Returns `true` if a report accuses this module, over its first binding.
fn accuses(report: &Report, module: Module, peer: Module) -> bool {
    let id = |label: Option<nmr_host::ModuleLabel>| label.and_then(|label| label.id);
    report.binding == Some(1)
        && id(report.module) == Some(module.id())
        && id(report.peer) == Some(peer.id())
}

#[test]
fn v_40_a_detach_callback_answers_success_or_pending() {
    for (role, function) in ROLES
        .into_iter()
        .zip(["ClientDetachProvider", "ProviderDetachClient"])
    {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.on_detach(|_| STATUS_INVALID_PARAMETER);
        peer.close();
        let report = rig.expect_one(Rule::V40);
        assert!(accuses(&report, module, peer));
        assert_eq!((report.severity, report.function), (Error, function));
        assert_eq!(report.status, Some(STATUS_INVALID_PARAMETER));
        module.close();
    }
}

/// Lets a module wait with a watchdog for a client and a provider that pend as told.
fn watched(role: Role, pending: [bool; 2]) -> (Report, [Module; 2]) {
    let rig = Rig::under(Policy {
        watchdog: Some(Duration::from_millis(1)),
        ..Policy::default()
    });
    let (client, provider) = rig.attached();
    let modules = [client, provider];
    let pending = modules.into_iter().zip(pending).filter(|(_, pends)| *pends);
    let pending: Vec<Module> = pending.map(|(module, _)| module.pends()).collect();
    let [waiter, peer] = if role == Role::Client {
        modules
    } else {
        [provider, client]
    };
    let closing = rig.thread(move || {
        assert_eq!(waiter.deregister(), STATUS_PENDING);
        waiter.wait_for_others()
    });
    until(|| !rig.registrar.reports().is_empty());
    for module in pending {
        module.binding(0).complete();
    }
    assert_eq!(closing.join(), STATUS_SUCCESS);
    peer.detaches().close();
    (rig.expect_one(Rule::V41), modules)
}

#[test]
fn v_41_a_pending_detach_is_completed_by_the_client() {
    for waiter in ROLES {
        let (report, [client, provider]) = watched(waiter, [true, false]);
        assert!(accuses(&report, client, provider), "for either waiter");
        assert_eq!(report.severity, Error);
        assert_eq!(report.blockers.len(), 1);
        assert_eq!(
            report.blockers[0].missing,
            Missing::Completion(Role::Client)
        );
    }
}

#[test]
fn v_41_a_pending_detach_is_completed_by_the_provider() {
    for waiter in ROLES {
        let (report, [client, provider]) = watched(waiter, [false, true]);
        assert!(accuses(&report, provider, client), "for either waiter");
        assert_eq!(report.blockers[0].provider.id, Some(provider.id()));
        assert_eq!(
            report.blockers[0].missing,
            Missing::Completion(Role::Provider)
        );
    }
}

#[test]
fn v_41_names_everything_that_a_wait_waits_for() {
    let (report, [client, provider]) = watched(Role::Client, [true, true]);
    let client = format!("client {}", client.id());
    let provider = format!("provider {}", provider.id());
    let text = report.to_string();
    for name in [client, provider] {
        let blocker = format!(
            "; waiting for binding 1: {name} answered STATUS_PENDING and has not completed"
        );
        assert!(text.contains(&blocker), "{text}");
    }
}

#[test]
fn v_41_accuses_no_module_while_a_callback_runs() {
    let rig = Rig::under(Policy {
        watchdog: Some(Duration::from_millis(1)),
        ..Policy::default()
    });
    let (client, provider) = rig.attached();
    let detaching = Pause::new();
    provider.on_detach(move |_| {
        detaching.here();
        STATUS_SUCCESS
    });
    let deregistering = rig.thread(move || client.deregister());
    detaching.reached();
    let waiting = rig.thread(move || client.wait_for_others());
    until(|| !rig.registrar.reports().is_empty());
    detaching.release();
    assert_eq!(deregistering.join(), STATUS_PENDING);
    assert_eq!(waiting.join(), STATUS_SUCCESS);
    let report = rig.expect_one(Rule::V41);
    assert_eq!(report.module, None);
    assert_eq!(
        report.blockers[0].missing,
        Missing::DetachReturn(Role::Provider)
    );
    provider.close();
}

#[test]
fn v_42_a_completion_follows_the_detach_callback() {
    for (role, severity) in ROLES
        .into_iter()
        .flat_map(|role| [(role, Warning), (role, Error)])
    {
        let rig = if severity == Error {
            Rig::strict()
        } else {
            Rig::new()
        };
        let (module, peer) = rig.attached_as(role);
        module.pends().binding(0).complete();
        let report = rig.expect_one(Rule::V42);
        assert!(accuses(&report, module, peer));
        assert_eq!(report.severity, severity);
        close_all([module, peer]);
    }
}

#[test]
fn v_43_a_detach_is_completed_once() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.pends();
        peer.pends();
        assert_eq!(module.deregister(), STATUS_PENDING);
        module.binding(0).complete();
        rig.expect(&[]);
        module.binding(0).complete();
        let report = rig.expect_one(Rule::V43);
        assert!(accuses(&report, module, peer));
        assert_eq!(report.severity, Error);
        peer.binding(0).complete();
        assert_eq!(module.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

#[test]
fn v_43_a_detach_that_succeeded_is_not_completed() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    provider.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    client.binding(0).complete();
    rig.expect(&[Rule::V43]);
    provider.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn v_44_a_callback_that_was_completed_answers_pending() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.on_detach(|binding| {
            binding.complete();
            STATUS_SUCCESS
        });
        module.close();
        let report = rig.expect_one(Rule::V44);
        assert!(accuses(&report, module, peer));
        assert_eq!(
            (report.severity, report.status),
            (Error, Some(STATUS_SUCCESS))
        );
        assert_eq!((module.counts(), peer.counts()), ([1, 1, 1], [1, 1, 1]));
        peer.close();
    }
}

#[test]
fn v_45_a_detach_is_completed_with_the_own_binding_handle() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.pends();
        assert_eq!(module.deregister(), STATUS_PENDING);
        for wrong in [peer.offer(0), module.handle(), peer.handle()] {
            Function::Complete(role).call(wrong);
            assert_eq!(rig.expect_one(Rule::V45).severity, Error);
        }
        assert_eq!(module.counts(), [1, 1, 0]);
        module.binding(0).complete();
        assert_eq!(module.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

#[test]
fn v_46_a_completion_comes_before_the_binding_is_gone() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.pends();
        assert_eq!(module.deregister(), STATUS_PENDING);
        module.binding(0).complete();
        module.binding(0).complete();
        assert_eq!(rig.expect_one(Rule::V46).severity, Error);
        assert_eq!((module.counts(), peer.counts()), ([1, 1, 1], [1, 1, 1]));
        assert_eq!(module.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

/// A level above `DISPATCH_LEVEL`.
const DEVICE_LEVEL: Irql = Irql(5);

#[test]
fn v_47_a_detach_is_completed_at_dispatch_level_at_most() {
    for (level, rules) in [(DISPATCH_LEVEL, vec![]), (DEVICE_LEVEL, vec![Rule::V47])] {
        let rig = Rig::new();
        let (client, provider) = rig.attached();
        client.pends();
        assert_eq!(client.deregister(), STATUS_PENDING);
        let raised = irql::raise(level);
        client.binding(0).complete();
        drop(raised);
        let reports = rig.expect(&rules);
        assert!(reports.iter().all(|report| report.irql == DEVICE_LEVEL));
        assert_eq!(client.wait(), STATUS_SUCCESS, "it counts all the same");
        provider.close();
    }
}

#[test]
fn v_55_a_binding_handle_is_not_used_once_cleanup_has_started() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.on_cleanup(Binding::complete);
        module.close();
        let report = rig.expect_one(Rule::V55);
        assert!(accuses(&report, module, peer));
        assert_eq!(report.severity, Error);
        assert_eq!((module.counts(), peer.counts()), ([1, 1, 1], [1, 1, 1]));
        peer.close();
    }
}

#[test]
fn v_55_nor_after_a_decline() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.registered();
    client.declines().registered();
    assert_eq!(
        Function::Attach.call(client.offer(0)),
        Some(STATUS_INVALID_PARAMETER)
    );
    assert_eq!(rig.expect_one(Rule::V55).severity, Error);
    close_all([client, provider]);
}

#[test]
fn v_62_a_cleanup_does_not_register() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let late = rig.named(Role::Client, "late");
    provider.on_cleanup(move |_| {
        late.registered();
    });
    client.close();
    let report = rig.expect_one(Rule::V62);
    assert_eq!(
        (report.severity, report.function),
        (Error, "NmrRegisterClient")
    );
    provider.on_cleanup(|_| ());
    close_all([late, provider]);
}

#[test]
fn v_62_a_cleanup_does_not_attach() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.on_cleanup(|binding| {
        let status = Function::Attach.call(binding.handle);
        assert_eq!(status, Some(STATUS_INVALID_DEVICE_STATE));
    });
    client.close();
    rig.expect(&[Rule::V62, Rule::V55]);
    assert_eq!(provider.counts(), [1, 1, 1]);
    provider.close();
}

#[test]
fn v_62_a_cleanup_does_not_wait() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let idle = rig
        .shaped(Role::Client, "idle", |shape| shape.npi.Data1 ^= 1)
        .registered();
    assert_eq!(idle.deregister(), STATUS_PENDING);
    client.on_cleanup(move |_| assert_eq!(idle.wait(), STATUS_SUCCESS));
    client.close();
    let reports = rig.expect(&[Rule::V62, Rule::V77]);
    let severities: Vec<_> = reports.iter().map(|report| report.severity).collect();
    assert_eq!(severities, [Error, Warning]);
    provider.close();
}

#[test]
fn v_70_a_registration_is_deregistered_once() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        assert_eq!(module.deregister(), STATUS_PENDING);
        assert_eq!(module.deregister(), STATUS_INVALID_PARAMETER);
        let report = rig.expect_one(Rule::V70);
        assert_eq!(
            (report.severity, report.module.unwrap().id),
            (Error, Some(module.id()))
        );
        assert_eq!(module.wait(), STATUS_SUCCESS);
        assert_eq!(module.deregister(), STATUS_INVALID_PARAMETER);
        rig.expect(&[Rule::V70]);
    }
}

#[test]
fn v_71_a_wait_follows_a_deregistration() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        assert_eq!(module.wait(), STATUS_INVALID_PARAMETER);
        let report = rig.expect_one(Rule::V71);
        assert_eq!(
            (report.severity, report.module.unwrap().id),
            (Error, Some(module.id()))
        );
        module.close();
    }
}

#[test]
fn v_72_a_registration_is_waited_for_once() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        module.close();
        assert_eq!(module.wait(), STATUS_INVALID_PARAMETER);
        assert_eq!(rig.expect_one(Rule::V72).severity, Error);
    }
}

#[test]
fn v_72_not_by_two_threads() {
    let rig = Rig::with("watchdog-ms=1");
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let first = rig.thread(move || client.wait_for_others());
    until(|| !rig.registrar.reports().is_empty());
    rig.expect(&[Rule::V41]);
    assert_eq!(client.wait_for_others(), STATUS_INVALID_PARAMETER);
    assert_eq!(
        rig.expect_one(Rule::V72).module.unwrap().id,
        Some(client.id())
    );
    client.binding(0).complete();
    assert_eq!(first.join(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn v_73_every_registration_is_closed() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let reports = rig.registrar.finish();
    let found: Vec<_> = reports
        .iter()
        .map(|report| (report.rule, report.severity))
        .collect();
    assert_eq!(found, [(Rule::V73, Error); 2]);
    let culprits: Vec<_> = reports
        .iter()
        .map(|report| report.name.as_deref())
        .collect();
    assert_eq!(culprits, [Some("client"), Some("provider")]);
    rig.expect(&[Rule::V73; 2]);
    let leaks = rig.registrar.leaks();
    assert!(
        leaks[0]
            .to_string()
            .ends_with("is still deregistered, not waited for, with 1 bindings")
    );
    assert!(
        leaks[1]
            .to_string()
            .ends_with("is still registered, with 1 bindings")
    );
    client.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn v_74_a_handle_goes_to_the_functions_of_its_role() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        for function in [
            Function::Deregister(role.other()),
            Function::Wait(role.other()),
        ] {
            assert_eq!(
                function.call(module.handle()),
                Some(STATUS_INVALID_PARAMETER)
            );
            assert_eq!(rig.expect_one(Rule::V74).severity, Error);
        }
        module.close();
    }
}

#[test]
fn v_75_a_handle_is_one_that_was_issued() {
    let rig = Rig::new();
    for function in Function::ALL {
        function.call(0);
        let report = rig.expect_one(Rule::V75);
        assert_eq!((report.severity, report.module), (Error, None));
    }
}

#[test]
fn v_76_a_wait_is_below_dispatch_level() {
    let rig = Rig::new();
    let client = rig.client().registered();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let raised = irql::raise(DISPATCH_LEVEL);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    drop(raised);
    let report = rig.expect_one(Rule::V76);
    assert_eq!(report.function, "NmrWaitForClientDeregisterComplete");
    assert_eq!((report.severity, report.irql), (Error, DISPATCH_LEVEL));
}

#[test]
fn v_76_a_deregistration_is_at_dispatch_level_at_most() {
    let rig = Rig::new();
    let provider = rig.provider().registered();
    let raised = irql::raise(DEVICE_LEVEL);
    assert_eq!(provider.deregister(), STATUS_PENDING);
    drop(raised);
    assert_eq!(rig.expect_one(Rule::V76).function, "NmrDeregisterProvider");
    assert_eq!(provider.wait(), STATUS_SUCCESS);
}

/// Lets a module wait for itself, or for its peer, inside one of its callbacks.
fn waits_inside(callback: &str, role: Role, waited: Role) {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    let [module, peer] = if role == Role::Client {
        [client, provider]
    } else {
        [provider, client]
    };
    let waited = if role == waited { module } else { peer };
    let wait = move || {
        assert_eq!(
            waited.wait_for_others(),
            STATUS_INVALID_PARAMETER,
            "it does not hang"
        );
    };
    match callback {
        "attach" => module.on_attach(move |offer| {
            let elsewhere = std::thread::spawn(move || waited.deregister());
            assert_eq!(elsewhere.join().unwrap(), STATUS_PENDING);
            wait();
            offer.accept()
        }),
        "detach" => module.on_detach(move |_| {
            wait();
            STATUS_SUCCESS
        }),
        _ => module.on_cleanup(move |_| wait()),
    };
    client.registered();
    provider.registered();
    if callback != "attach" {
        assert_eq!(waited.deregister(), STATUS_PENDING);
    }
    let reports = rig.registrar.take_reports();
    let report = reports
        .iter()
        .find(|report| report.rule == Rule::V77)
        .expect("a report");
    assert_eq!(
        (report.severity, report.module.unwrap().id),
        (Error, Some(waited.id()))
    );
    assert_eq!(
        reports.len(),
        if callback == "cleanup" { 2 } else { 1 },
        "with V-62 in a cleanup"
    );
    assert_eq!(
        waited.wait(),
        STATUS_SUCCESS,
        "and it may still be waited for"
    );
    (if waited == client { provider } else { client }).close();
}

#[test]
fn v_77_a_callback_does_not_wait_for_its_own_binding() {
    for callback in ["attach", "detach", "cleanup"] {
        for (role, waited) in ROLES
            .into_iter()
            .flat_map(|role| ROLES.map(|other| (role, other)))
        {
            waits_inside(callback, role, waited);
        }
    }
}

#[test]
fn v_77_a_callback_had_better_not_wait_at_all() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    let idle = rig
        .shaped(Role::Client, "idle", |shape| shape.npi.Data1 ^= 1)
        .registered();
    assert_eq!(idle.deregister(), STATUS_PENDING);
    client.on_attach(move |offer| {
        assert_eq!(idle.wait(), STATUS_SUCCESS);
        offer.accept()
    });
    client.registered();
    provider.registered();
    assert_eq!(rig.expect_one(Rule::V77).severity, Warning);
    close_all([client, provider]);
}

#[test]
fn v_77_does_not_hide_a_missing_deregistration() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        assert_eq!(client.wait_for_others(), STATUS_INVALID_PARAMETER);
        offer.accept()
    });
    client.registered();
    provider.registered();
    let reports = rig.expect(&[Rule::V77, Rule::V71]);
    let severities: Vec<_> = reports.iter().map(|report| report.severity).collect();
    assert_eq!(severities, [Warning, Error], "it would not have hung");
    close_all([client, provider]);
}

#[test]
fn v_78_a_callback_does_not_wait_for_what_it_has_deregistered() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        assert_eq!(client.deregister(), STATUS_PENDING);
        assert_eq!(client.wait_for_others(), STATUS_INVALID_PARAMETER);
        offer.accept()
    });
    provider.registered();
    client.registered();
    let report = rig.expect_one(Rule::V78);
    assert_eq!(report.severity, Error);
    assert_eq!(report.module.unwrap().id, Some(client.id()));
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn v_82_no_spin_lock_is_held_across_a_deregistration() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        let raised = irql::raise(DISPATCH_LEVEL);
        assert_eq!(module.deregister(), STATUS_PENDING);
        drop(raised);
        let report = rig.expect_one(Rule::V82);
        assert_eq!((report.severity, report.irql), (Warning, DISPATCH_LEVEL));
        assert_eq!(report.module.unwrap().id, Some(module.id()));
        assert_eq!(module.wait(), STATUS_SUCCESS);
    }
}

#[test]
fn a_deregistration_in_a_callback_at_dispatch_level_holds_no_lock() {
    let rig = Rig::with("irql=dispatch");
    let (client, provider) = rig.attached();
    let other = rig.named(Role::Client, "other").registered();
    client.on_detach(move |_| {
        assert_eq!(other.deregister(), STATUS_PENDING);
        STATUS_SUCCESS
    });
    client.close();
    assert_eq!(other.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn v_84_there_is_no_handle_after_a_failed_registration() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.shaped(role, "malformed", |shape| shape.leave_out(Part::Detach));
        assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
        rig.expect(&[Rule::V04]);
        assert_eq!(module.deregister(), STATUS_INVALID_PARAMETER);
        let reports = rig.expect(&[Rule::V75, Rule::V84]);
        assert_eq!(reports[1].severity, Warning);
        assert_eq!(module.deregister(), STATUS_INVALID_PARAMETER);
        rig.expect(&[Rule::V75]);
    }
}

#[test]
fn a_forged_handle_is_reported_where_it_was_used() {
    let rig = Rig::new();
    // A client's, of the shared registrar, which has issued none of this number.
    let forged = 1 << 61 | 0x3039;
    Function::Deregister(Role::Client).call(forged);
    rig.expect(&[Rule::V75]);
}

#[test]
fn a_refused_call_is_in_the_record() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(Offer::ask_without_outputs);
    provider.registered();
    client.registered();
    let records = rig.registrar.records();
    let calls = records
        .iter()
        .filter(|record| record.function == "NmrClientAttachProvider");
    assert_eq!(calls.count(), 2, "the call and its return");
    rig.expect(&[Rule::V28]);
    close_all([client, provider]);
}
