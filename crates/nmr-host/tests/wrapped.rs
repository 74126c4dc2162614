//! The rules about calls between modules, each broken once, and reported as just that. The registrar
//! sees the calls because it hands out copies of the dispatch tables.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

mod common;

use common::*;
use nmr_host::Severity::Error;
use nmr_host::{Interface, Policy, Report, Table, Unwrappable, Wrapping};

/// A rig that watches calls.
fn watching() -> Rig {
    watching_under(Policy::default(), Wrapping::default())
}

fn watching_under(policy: Policy, wrapping: Wrapping) -> Rig {
    let rig = Rig::under(policy);
    wrap(&rig.registrar, wrapping).expect("calls can be watched here");
    rig
}

/// Accepts an offer with a table that can be called.
fn accept(offer: &Offer) -> NTSTATUS {
    offer.ask(TABLE.address()).status
}

/// A client and a provider that can call each other, the one of this role first.
fn attached(rig: &Rig, role: Role) -> (Module, Module) {
    let (client, provider) = rig.pair();
    let client = client.on_attach(accept).registered();
    let provider = provider.on_attach(accept).registered();
    match role {
        Role::Client => (client, provider),
        Role::Provider => (provider, client),
    }
}

/// Returns `true` if a report accuses a module of a call into its peer.
fn accuses(report: &Report, module: Module, peer: Module) -> bool {
    let id = |label: Option<nmr_host::ModuleLabel>| label.and_then(|label| label.id);
    let function = match module.role() {
        Role::Client => "a call into the provider",
        Role::Provider => "a call into the client",
    };
    id(report.module) == Some(module.id())
        && id(report.peer) == Some(peer.id())
        && (report.severity, report.function) == (Error, function)
        && (report.binding, report.called) == (Some(1), Some(0))
}

fn nothing() {}

#[test]
fn a_watched_call_reaches_its_function_and_each_module_gets_a_copy_of_its_own() {
    let rig = watching();
    let (client, provider) = attached(&rig, Role::Client);
    let other = rig
        .named(Role::Provider, "other")
        .on_attach(accept)
        .registered();
    let ends = [
        client.binding(0),
        provider.binding(0),
        client.binding(1),
        other.binding(0),
    ];
    let mut tables: Vec<usize> = ends.iter().map(|end| end.peer_dispatch).collect();
    tables.push(TABLE.address());
    tables.sort_unstable();
    tables.dedup();
    assert_eq!(tables.len(), 5);
    for end in ends {
        let mut called = false;
        end.call(|| called = true);
        assert!(called);
    }
    close_all([client, provider, other]);
}

#[test]
fn without_a_switch_the_modules_get_each_others_tables() {
    let rig = Rig::new();
    rig.registrar.declare(Interface {
        npi: Shape::new().npi,
        client: Some(Table {
            size: 8,
            functions: 1,
        }),
        provider: Some(Table {
            size: 8,
            functions: 1,
        }),
    });
    let (client, provider) = attached(&rig, Role::Client);
    assert_eq!(client.binding(0).peer_dispatch, TABLE.address());
    assert_eq!(provider.binding(0).peer_dispatch, TABLE.address());
    close_all([client, provider]);
}

#[test]
fn a_table_that_cannot_be_is_refused() {
    let rig = Rig::new();
    for (size, functions) in [(8, 2), (12, 1), (0, 1)] {
        let interface = Interface {
            npi: Shape::new().npi,
            client: None,
            provider: Some(Table { size, functions }),
        };
        let answer = rig.registrar.wrap(interface, Wrapping::default());
        assert_eq!(answer, Err(Unwrappable::Table(Role::Provider)));
    }
}

#[test]
fn calls_nest_and_deregister_inside_each_other() {
    let rig = watching();
    let (client, provider) = attached(&rig, Role::Client);
    client.pends();
    let (ours, theirs) = (client.binding(0), provider.binding(0));
    ours.call(|| {
        theirs.call(|| ours.call(nothing));
        assert_eq!(provider.deregister(), STATUS_PENDING);
    });
    ours.complete();
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    client.close();
}

#[test]
fn v_37_a_provider_does_not_call_inside_its_attach_callback() {
    let rig = watching();
    let (client, provider) = rig.pair();
    let client = client.on_attach(accept).registered();
    let provider = provider
        .on_attach(|offer| {
            offer.peer().call(nothing);
            accept(offer)
        })
        .registered();
    let report = rig.expect_one(Rule::V37);
    assert!(accuses(&report, provider, client), "{report}");
    provider.binding(0).call(nothing);
    close_all([client, provider]);
}

#[test]
fn v_37_a_provider_that_has_declined_does_not_call() {
    let rig = watching();
    let kept = std::sync::Arc::new(std::sync::Mutex::new(None));
    let (client, provider) = rig.pair();
    let client = client.on_attach(accept).registered();
    let keep = std::sync::Arc::clone(&kept);
    let provider = provider
        .on_attach(move |offer| {
            *keep.lock().unwrap() = Some(offer.peer());
            STATUS_NOINTERFACE
        })
        .registered();
    kept.lock().unwrap().expect("it was offered").call(nothing);
    let report = rig.expect_one(Rule::V37);
    assert!(accuses(&report, provider, client), "{report}");
    close_all([client, provider]);
}

/// On another thread, the provider may have decided before its callback returns.
#[test]
fn v_37_a_call_on_another_thread_counts_by_what_the_provider_answers() {
    for accepts in [true, false] {
        let rig = watching();
        let (client, provider) = rig.pair();
        let client = client.on_attach(accept).registered();
        let registrar = std::sync::Arc::clone(&rig.registrar);
        let provider = provider
            .on_attach(move |offer| {
                let (peer, registrar) = (offer.peer(), &registrar);
                std::thread::scope(|scope| {
                    scope.spawn(move || peer.call(|| assert!(registrar.reports().is_empty())));
                });
                if accepts {
                    accept(offer)
                } else {
                    STATUS_NOINTERFACE
                }
            })
            .registered();
        if !accepts {
            let report = rig.expect_one(Rule::V37);
            assert_eq!(report.function, "ProviderAttachClient");
            assert_eq!((report.binding, report.called), (Some(1), None));
        }
        close_all([client, provider]);
    }
}

/// An interface that has no closing calls.
const NO_CLOSING_CALLS: Wrapping = Wrapping {
    closing_calls: false,
    recorded: false,
};

#[test]
fn v_48_a_module_starts_no_call_inside_its_detach_callback() {
    for role in ROLES {
        let rig = watching_under(Policy::default(), NO_CLOSING_CALLS);
        let (module, peer) = attached(&rig, role);
        module.on_detach(|binding| {
            binding.call(nothing);
            STATUS_SUCCESS
        });
        peer.close();
        let report = rig.expect_one(Rule::V48);
        assert!(accuses(&report, module, peer), "{report}");
        module.close();
    }
}

/// What a module claimed before the detach covers them, and the registrar does not see claims.
#[test]
fn v_48_closing_calls_are_no_error_unless_the_interface_forbids_them() {
    for role in ROLES {
        let rig = watching();
        let (module, peer) = attached(&rig, role);
        module.on_detach(|binding| {
            binding.call(nothing);
            STATUS_PENDING
        });
        assert_eq!(peer.deregister(), STATUS_PENDING);
        let binding = module.binding(0);
        binding.call(nothing);
        assert!(rig.registrar.reports().is_empty());
        binding.complete();
        assert_eq!(peer.wait(), STATUS_SUCCESS);
        module.close();
    }
}

#[test]
fn v_48_a_module_starts_no_call_while_its_detach_is_pending() {
    for role in ROLES {
        let rig = watching_under(Policy::default(), NO_CLOSING_CALLS);
        let (module, peer) = attached(&rig, role);
        module.pends();
        assert_eq!(peer.deregister(), STATUS_PENDING);
        let binding = module.binding(0);
        binding.call(nothing);
        let report = rig.expect_one(Rule::V48);
        assert!(accuses(&report, module, peer), "{report}");
        binding.complete();
        assert_eq!(peer.wait(), STATUS_SUCCESS);
        module.detaches().close();
    }
}

/// The first call of another thread may have been claimed before the detach, as rundown protection
/// does it. The one after cannot have been.
#[test]
fn v_48_a_thread_starts_no_second_call_while_its_detach_is_pending() {
    for role in ROLES {
        let rig = watching_under(Policy::default(), NO_CLOSING_CALLS);
        let (module, peer) = attached(&rig, role);
        module.pends();
        assert_eq!(peer.deregister(), STATUS_PENDING);
        let binding = module.binding(0);
        let registrar = std::sync::Arc::clone(&rig.registrar);
        let other = rig.thread(move || {
            binding.call(nothing);
            assert!(registrar.reports().is_empty());
            binding.call(nothing);
        });
        other.join();
        let report = rig.expect_one(Rule::V48);
        assert!(accuses(&report, module, peer), "{report}");
        binding.complete();
        assert_eq!(peer.wait(), STATUS_SUCCESS);
        module.detaches().close();
    }
}

/// Lets a module call its peer on another thread, and do something before the call returns.
fn during_a_call(rig: &Rig, module: Module, action: impl FnOnce()) {
    let (pause, binding) = (Pause::new(), module.binding(0));
    let other = rig.thread(move || binding.call(|| pause.here()));
    pause.reached();
    action();
    pause.release();
    other.join();
}

#[test]
fn v_49_a_detach_callback_does_not_succeed_during_a_call() {
    for (role, function) in ROLES
        .into_iter()
        .zip(["ClientDetachProvider", "ProviderDetachClient"])
    {
        let rig = watching();
        let (module, peer) = attached(&rig, role);
        during_a_call(&rig, module, || {
            assert_eq!(peer.deregister(), STATUS_PENDING);
        });
        let report = rig.expect_one(Rule::V49);
        assert_eq!((report.severity, report.function), (Error, function));
        assert_eq!(report.module.and_then(|label| label.id), Some(module.id()));
        assert_eq!((report.binding, report.called), (Some(1), None));
        assert_eq!(peer.wait(), STATUS_SUCCESS);
        module.close();
    }
}

#[test]
fn v_49_a_detach_is_not_completed_during_a_call() {
    for (role, function) in ROLES.into_iter().zip([
        "NmrClientDetachProviderComplete",
        "NmrProviderDetachClientComplete",
    ]) {
        let rig = watching();
        let (module, peer) = attached(&rig, role);
        module.pends();
        during_a_call(&rig, module, || {
            assert_eq!(peer.deregister(), STATUS_PENDING);
            module.binding(0).complete();
        });
        let report = rig.expect_one(Rule::V49);
        assert_eq!((report.severity, report.function), (Error, function));
        assert_eq!(report.module.and_then(|label| label.id), Some(module.id()));
        assert_eq!(peer.wait(), STATUS_SUCCESS);
        module.detaches().close();
    }
}

#[test]
fn v_50_a_module_that_is_done_does_not_call() {
    for role in ROLES {
        let rig = watching();
        let (module, peer) = attached(&rig, role);
        peer.pends();
        assert_eq!(peer.deregister(), STATUS_PENDING);
        module.binding(0).call(nothing);
        let report = rig.expect_one(Rule::V50);
        assert!(accuses(&report, module, peer), "{report}");
        peer.binding(0).complete();
        assert_eq!(peer.wait(), STATUS_SUCCESS);
        module.close();
    }
}

#[test]
fn v_50_a_call_long_after_the_binding_is_a_report_and_not_a_crash() {
    for role in ROLES {
        let rig = watching();
        let (module, peer) = attached(&rig, role);
        let binding = module.binding(0);
        close_all([peer, module]);
        binding.call(nothing);
        let report = rig.expect_one(Rule::V50);
        assert!(accuses(&report, module, peer), "{report}");
    }
}

/// What shipped drivers do (3.12) ends their calls, too.
#[test]
fn v_50_a_module_that_has_completed_too_early_does_not_call() {
    let rig = watching();
    let (module, peer) = attached(&rig, Role::Provider);
    module.pends().binding(0).complete();
    module.binding(0).call(nothing);
    let rules: Vec<Rule> = rig
        .registrar
        .take_reports()
        .iter()
        .map(|report| report.rule)
        .collect();
    assert_eq!(rules, [Rule::V42, Rule::V50]);
    module.close();
    peer.close();
}

/// The calls of modules that keep to the rules, on several threads, while they come and go.
#[test]
fn honest_modules_are_not_reported() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    const OPEN: usize = 1 << 32;
    for seed in 0..12 {
        println!("seed {seed}");
        let rig = watching_under(Policy::from_seed(seed), Wrapping::default());
        rig.silence();
        // The rundown protection of the client: calls in progress, and whether it is open.
        let rundown: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
        let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let peer: &'static std::sync::Mutex<Option<Binding>> = Box::leak(Box::default());
        let leave = |binding: Binding| {
            if rundown.fetch_sub(1, SeqCst) == 1 {
                binding.complete();
            }
        };
        let client = rig
            .client()
            .on_attach(accept)
            .on_detach(move |_| {
                let before = rundown.fetch_and(!OPEN, SeqCst) & !OPEN;
                if before == 0 {
                    STATUS_SUCCESS
                } else {
                    STATUS_PENDING
                }
            })
            .registered();
        let callers = [(); 3].map(|()| {
            rig.thread(move || {
                while !stop.load(SeqCst) {
                    let claim = |count| (count & OPEN != 0).then_some(count + 1);
                    if rundown.fetch_update(SeqCst, SeqCst, claim).is_ok() {
                        let binding = peer.lock().unwrap().expect("it is open");
                        binding.call(nothing);
                        leave(binding);
                    }
                }
            })
        });
        for _ in 0..8 {
            let provider = rig.provider().on_attach(accept).registered();
            *peer.lock().unwrap() = Some(client.binding(0));
            rundown.fetch_or(OPEN, SeqCst);
            std::thread::yield_now();
            assert_eq!(provider.deregister(), STATUS_PENDING);
            assert_eq!(provider.wait_for_others(), STATUS_SUCCESS);
        }
        stop.store(true, SeqCst);
        for caller in callers {
            caller.join();
        }
        assert_eq!(client.deregister(), STATUS_PENDING);
        assert_eq!(client.wait_for_others(), STATUS_SUCCESS);
    }
}

#[test]
fn calls_get_into_the_record_on_demand() {
    let wrapping = Wrapping {
        recorded: true,
        ..Wrapping::default()
    };
    let rig = watching_under(Policy::default(), wrapping);
    let (client, provider) = attached(&rig, Role::Client);
    let before = rig.registrar.recorded();
    client.binding(0).call(|| provider.binding(0).call(nothing));
    let records = rig.registrar.records_since(before);
    let lines: Vec<String> = records
        .iter()
        .map(|record| record.to_string().split_off(8))
        .collect();
    let calls: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    assert_eq!(calls.len(), 4, "{calls:#?}");
    assert!(calls[0].contains("provider function 0("), "{calls:#?}");
    assert!(calls[1].contains("client function 0("), "{calls:#?}");
    assert!(records.iter().all(|record| record.binding == Some(1)));
    close_all([client, provider]);
}
