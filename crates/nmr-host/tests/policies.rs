//! The whole life of honest modules, under every combination of settings: no report, nothing left,
//! and every callback exactly as often as it should be called.

mod common;

use std::sync::mpsc::{Sender, channel};

use common::*;
use nmr_host::irql::{DISPATCH_LEVEL, Irql, PASSIVE_LEVEL};
use nmr_host::{Choice, Cleanup, DetachIrql, Mode, Offers, Order, Policy};

/// Every combination of the settings that an honest module may meet.
fn policies() -> Vec<Policy> {
    let mut all = vec![Policy::default()];
    let mut vary = |change: &dyn Fn(&Policy) -> Vec<Policy>| {
        all = all.iter().flat_map(change).collect();
    };
    let with = |policy: &Policy, set: &dyn Fn(&mut Policy)| {
        let mut policy = policy.clone();
        set(&mut policy);
        policy
    };
    vary(&|old| {
        Mode::ALL
            .iter()
            .map(|&mode| with(old, &|new| new.mode = mode))
            .collect()
    });
    vary(&|old| {
        Offers::ALL
            .iter()
            .map(|&offers| with(old, &|new| new.offers = offers))
            .collect()
    });
    vary(&|old| {
        Order::ALL
            .iter()
            .map(|&order| with(old, &|new| new.detach_order = order))
            .collect()
    });
    vary(&|old| {
        Order::ALL
            .iter()
            .map(|&order| with(old, &|new| new.cleanup_order = order))
            .collect()
    });
    vary(&|old| {
        DetachIrql::ALL
            .iter()
            .map(|&irql| with(old, &|new| new.detach_irql = irql))
            .collect()
    });
    vary(&|old| {
        Cleanup::ALL
            .iter()
            .map(|&cleanup| with(old, &|new| new.cleanup = cleanup))
            .collect()
    });
    all
}

/// Runs a test under every policy.
fn under_every_policy(test: impl Fn(&Rig)) {
    let policies = policies();
    assert_eq!(policies.len(), 144);
    for policy in policies {
        println!("{policy}");
        let rig = Rig::under(policy);
        test(&rig);
        assert_eq!(rig.registrar.finish(), []);
    }
}

/// Who registers first, and who deregisters first.
fn orders() -> impl Iterator<Item = (Role, Role)> {
    ROLES
        .into_iter()
        .flat_map(|first| ROLES.map(|leaver| (first, leaver)))
}

/// A client and a provider, registered in an order, the one that will leave first.
fn attach(rig: &Rig, (first, leaver): (Role, Role)) -> [Module; 2] {
    let (client, provider) = rig.pair();
    match first {
        Role::Client => [client, provider].map(Module::registered),
        Role::Provider => [provider, client].map(Module::registered),
    };
    if leaver == Role::Client {
        [client, provider]
    } else {
        [provider, client]
    }
}

/// Checks that each callback of a module was called once.
fn once_each(modules: [Module; 2]) {
    for module in modules {
        assert_eq!(module.counts(), [1, 1, 1], "{module:?}");
    }
}

/// How a module detaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// At once.
    Prompt,
    /// It completes inside the detach callback.
    Inside,
    /// It completes after the deregistration has returned.
    Late,
    /// Another thread completes, perhaps before the detach callback has returned.
    Elsewhere,
}

const WAYS: [Way; 4] = [Way::Prompt, Way::Inside, Way::Late, Way::Elsewhere];

fn detach_this_way(module: Module, way: Way, elsewhere: &Sender<Binding>) {
    let elsewhere = elsewhere.clone();
    match way {
        Way::Prompt => module.detaches(),
        Way::Inside => module.completes_inside(),
        Way::Late => module.pends(),
        Way::Elsewhere => module.on_detach(move |binding| {
            elsewhere.send(binding).expect("the other thread runs");
            STATUS_PENDING
        }),
    };
}

#[test]
fn both_orders_and_every_way_to_detach() {
    under_every_policy(|rig| {
        let (elsewhere, bindings) = channel::<Binding>();
        let other = rig.thread(move || bindings.into_iter().for_each(Binding::complete));
        for order in orders() {
            for ways in WAYS
                .into_iter()
                .flat_map(|way| WAYS.map(|other| [way, other]))
            {
                let modules = attach(rig, order);
                for (module, way) in modules.into_iter().zip(ways) {
                    detach_this_way(module, way, &elsewhere);
                }
                assert_eq!(modules[0].deregister(), STATUS_PENDING);
                for (module, way) in modules.into_iter().zip(ways) {
                    if way == Way::Late {
                        module.binding(0).complete();
                    }
                }
                assert_eq!(modules[0].wait_for_others(), STATUS_SUCCESS, "{ways:?}");
                once_each(modules);
                modules[1].close();
                for module in modules {
                    module.detaches();
                }
            }
        }
        drop(elsewhere);
        other.join();
    });
}

#[test]
fn both_deregister_at_once() {
    under_every_policy(|rig| {
        for ways in WAYS
            .into_iter()
            .flat_map(|way| WAYS.map(|other| [way, other]))
        {
            let modules = attach(rig, (Role::Client, Role::Provider));
            let (elsewhere, bindings) = channel();
            for (module, way) in modules.into_iter().zip(ways) {
                let way = if way == Way::Late {
                    Way::Elsewhere
                } else {
                    way
                };
                detach_this_way(module, way, &elsewhere);
            }
            drop(elsewhere);
            let threads = modules.map(|module| {
                rig.thread(move || {
                    assert_eq!(module.deregister(), STATUS_PENDING);
                    module.wait_for_others()
                })
            });
            let pending = ways
                .iter()
                .filter(|way| matches!(way, Way::Late | Way::Elsewhere));
            for _ in pending {
                bindings
                    .recv()
                    .expect("a detach callback sends it")
                    .complete();
            }
            assert_eq!(threads.map(Other::join), [STATUS_SUCCESS; 2]);
            once_each(modules);
        }
    });
}

#[test]
fn a_late_comer_is_detached_by_the_attaching_thread() {
    under_every_policy(|rig| {
        for (first, leaver) in orders() {
            let (client, provider) = rig.pair();
            let [leaver, stayer] = if leaver == Role::Client {
                [client, provider]
            } else {
                [provider, client]
            };
            let attaching = Pause::new();
            provider.on_attach(move |offer| {
                attaching.here();
                offer.accept()
            });
            let [early, late] = if first == Role::Client {
                [client, provider]
            } else {
                [provider, client]
            };
            early.registered();
            let registering = rig.thread(move || (late.register(), nmr_host::current_thread()));
            attaching.reached();
            assert_eq!(leaver.deregister(), STATUS_PENDING);
            assert_eq!((client.counts(), provider.counts()), ([1, 0, 0], [1, 0, 0]));
            rig.clear();
            attaching.release();
            let (status, thread) = registering.join();
            assert_eq!(status, STATUS_SUCCESS);
            assert_eq!(leaver.wait(), STATUS_SUCCESS);
            once_each([client, provider]);
            assert_eq!(rig.entry("client detach").thread, thread);
            stayer.close();
        }
    });
}

#[test]
fn several_peers_come_and_go() {
    under_every_policy(|rig| {
        let client = rig.client().registered();
        let early = ["A", "B"].map(|name| rig.named(Role::Provider, name).registered());
        let second = rig.named(Role::Client, "second").registered();
        let late = rig
            .named(Role::Provider, "C")
            .completes_inside()
            .registered();
        assert_eq!((client.counts(), second.counts()), ([3, 0, 0], [3, 0, 0]));
        early[0].close();
        assert_eq!((client.counts(), second.counts()), ([3, 1, 1], [3, 1, 1]));
        early[0].registered();
        close_all([client, second]);
        assert_eq!((client.counts(), second.counts()), ([4, 4, 4], [4, 4, 4]));
        close_all([early[0], early[1], late]);
        assert_eq!(early[0].counts(), [4, 4, 4]);
        assert_eq!((early[1].counts(), late.counts()), ([2, 2, 2], [2, 2, 2]));
    });
}

#[test]
fn declines_leave_nothing() {
    under_every_policy(|rig| {
        for decliner in ROLES {
            let (client, provider) = rig.pair();
            let decliner = if decliner == Role::Client {
                client
            } else {
                provider
            };
            decliner.declines();
            close_all([client, provider].map(Module::registered));
            assert_eq!(client.counts(), [1, 0, 0]);
            assert_eq!(provider.counts()[1..], [0, 0]);
        }
    });
}

#[test]
fn callbacks_run_at_the_level_of_the_policy() {
    under_every_policy(|rig| {
        let modules = attach(rig, (Role::Client, Role::Provider));
        modules[1].pends();
        assert_eq!(modules[0].deregister(), STATUS_PENDING);
        modules[1].binding(0).complete();
        assert_eq!(modules[0].wait(), STATUS_SUCCESS);
        modules[1].close();
        let policy = rig.registrar.policy();
        let raised = policy.mode == Mode::Strict || policy.detach_irql == DetachIrql::Dispatch;
        let below: Irql = if raised {
            DISPATCH_LEVEL
        } else {
            PASSIVE_LEVEL
        };
        for entry in rig.entries() {
            let attach = entry.text.ends_with("attach");
            assert_eq!(
                entry.irql,
                if attach { PASSIVE_LEVEL } else { below },
                "{}",
                entry.text
            );
        }
    });
}

#[test]
fn cleanups_run_on_the_thread_of_the_policy() {
    under_every_policy(|rig| {
        let modules = attach(rig, (Role::Provider, Role::Client));
        close_all(modules);
        let here = nmr_host::current_thread();
        let inline = rig.registrar.policy().cleanup == Cleanup::Inline;
        for callback in ["client cleanup", "provider cleanup"] {
            assert_eq!(rig.entry(callback).thread == here, inline, "{callback}");
        }
    });
}

#[test]
fn callbacks_run_in_the_order_of_the_policy() {
    under_every_policy(|rig| {
        let modules = attach(rig, (Role::Client, Role::Client));
        close_all(modules);
        let policy = rig.registrar.policy();
        for (callback, order) in [
            ("detach", policy.detach_order),
            ("cleanup", policy.cleanup_order),
        ] {
            let places = ROLES.map(|role| rig.place(&format!("{role} {callback}")));
            match order {
                Order::ClientFirst => assert!(places[0] < places[1]),
                Order::ProviderFirst => assert!(places[1] < places[0]),
                Order::Seeded => (),
            }
        }
    });
}
