//! Modules on the raw functions that meet in the registrar on several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use nmr_host::{Role, Rule};
use nmr_sys::{
    STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_PENDING, STATUS_SUCCESS,
};
use shuttle::sync::mpsc::channel;

use crate::explore::explore;
use crate::raw::{Cast, Conduct, Detach, Hook, Module};
use crate::world::{World, maybe, one_of};

/// Lets modules do something, each on a thread of its own.
fn each(world: &World, modules: impl IntoIterator<Item = Arc<Module>>, run: fn(&Module)) {
    for module in modules {
        world.thread(move || run(&module));
    }
}

/// The first time only, the module does something.
fn once(run: impl Fn(&Arc<Module>) + Send + Sync + 'static) -> Hook {
    let done = AtomicBool::new(false);
    Box::new(move |module| {
        if !done.swap(true, SeqCst) {
            run(module);
        }
    })
}

fn picky() -> Conduct {
    Conduct {
        picky: true,
        ..Conduct::default()
    }
}

#[test]
fn t_22_registrations_meet_deregistrations() {
    explore(|world| {
        let (client, provider) = Cast::new(world).pair();
        each(world, [client, provider], |module| {
            module.come_and_go();
            module.come_and_go();
        });
    });
}

#[test]
fn t_22_two_clients_and_two_providers_come_and_go() {
    explore(|world| {
        let cast = Cast::new(world);
        let roles = [Role::Client, Role::Client, Role::Provider, Role::Provider];
        let modules = roles.map(|role| cast.module(role, Conduct::default()));
        each(world, modules, Module::come_and_go);
    });
}

#[test]
fn u_10_two_that_register_at_once_attach_once() {
    explore(|world| {
        let (client, provider) = Cast::new(world).pair();
        let modules = [client, provider];
        each(world, modules.clone(), Module::register);
        world.join_all();
        assert_eq!(modules.each_ref().map(|module| module.ends().len()), [1, 1]);
        each(world, modules, Module::close);
    });
}

#[test]
fn t_15_a_peer_leaves_while_it_is_offered() {
    explore(|world| {
        let (client, provider) = Cast::new(world).pair();
        let (first, second) = if maybe() {
            (client, provider)
        } else {
            (provider, client)
        };
        first.register();
        each(world, [first], Module::close);
        second.register();
        second.close();
    });
}

#[test]
fn t_16_an_attach_that_may_fail_meets_deregistrations() {
    explore(|world| {
        let cast = Cast::new(world);
        let modules = [Role::Client, Role::Provider].map(|role| cast.module(role, picky()));
        each(world, modules, Module::come_and_go);
    });
}

#[test]
fn t_16_a_module_ends_its_registration_inside_the_attach() {
    explore(|world| {
        let cast = Cast::new(world);
        let going = Conduct {
            on_attach: once(|module| module.deregister()),
            ..Conduct::default()
        };
        let role = *one_of(&[Role::Client, Role::Provider]);
        let leaver = cast.module(role, going);
        let peer = cast.module(role.other(), Conduct::default());
        peer.register();
        leaver.register();
        each(world, [leaver], Module::wait);
        peer.close();
    });
}

#[test]
fn t_18_a_binding_is_completed_before_its_detach() {
    explore(|world| {
        // XDP completes first and deregisters then, which breaks a rule that ships.
        world.tolerate(&[Rule::V42]);
        let (client, provider) = Cast::new(world).pair();
        client.register();
        provider.register();
        each(world, [client], Module::close);
        for end in provider.ends() {
            end.complete_early();
        }
        provider.close();
    });
}

#[test]
fn t_18_both_ends_are_completed_early() {
    explore(|world| {
        world.tolerate(&[Rule::V42]);
        let (client, provider) = Cast::new(world).pair();
        client.register();
        provider.register();
        each(world, [client, provider], |module| {
            module.ends().iter().for_each(|end| end.complete_early());
            module.close();
        });
    });
}

#[test]
fn t_19_a_module_registers_inside_an_attach_and_deregisters_inside_a_detach() {
    explore(|world| {
        let cast = Cast::new(world);
        let inner = cast.module(Role::Client, Conduct::default());
        // The peer may come and leave again inside `register`, and then there is nothing to end yet.
        let [registered, ended] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let end = {
            let (inner, registered, ended) = (Arc::clone(&inner), Arc::clone(&registered), ended);
            move || {
                let registered = registered.load(SeqCst);
                if registered && !ended.swap(true, SeqCst) {
                    inner.deregister();
                }
                registered
            }
        };
        let (begins, ends) = (Arc::clone(&inner), end.clone());
        let outer = Conduct {
            on_attach: once(move |_| {
                begins.register();
                registered.store(true, SeqCst);
            }),
            on_detach: Box::new(move |_| _ = ends()),
            ..Conduct::default()
        };
        let outer = cast.module(Role::Provider, outer);
        let client = cast.module(Role::Client, Conduct::default());
        each(world, [client], Module::come_and_go);
        outer.come_and_go();
        if end() {
            inner.wait();
        }
    });
}

/// Waits, inside a callback, for another thread that uses the registrar.
fn waits_for_another(other: &Arc<Module>) -> Hook {
    let other = Arc::clone(other);
    once(move |module| {
        let (send, done) = channel();
        let other = Arc::clone(&other);
        module.world().thread(move || {
            other.register();
            send.send(()).expect("the callback waits");
            other.close();
        });
        done.recv().expect("the other thread ends");
    })
}

#[test]
fn u_05_a_callback_waits_for_another_thread_in_the_registrar() {
    explore(|world| {
        let cast = Cast::new(world);
        let role = *one_of(&[Role::Client, Role::Provider]);
        let other = cast.module(role.other(), Conduct::default());
        let hook = waits_for_another(&other);
        let waits = match one_of(&[0, 1, 2]) {
            0 => Conduct {
                on_attach: hook,
                ..Conduct::default()
            },
            1 => Conduct {
                on_detach: hook,
                ..Conduct::default()
            },
            _ => Conduct {
                on_cleanup: hook,
                ..Conduct::default()
            },
        };
        let module = cast.module(role, waits);
        let peer = cast.module(role.other(), Conduct::default());
        each(world, [peer, module], Module::come_and_go);
    });
}

#[test]
fn t_23_a_handle_that_two_threads_end_is_ended_once() {
    explore(|world| {
        world.tolerate(&[Rule::V70, Rule::V71, Rule::V72, Rule::V75]);
        let (client, provider) = Cast::new(world).pair();
        client.register();
        let counts = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
        for _ in 0..2 {
            let client = Arc::clone(&client);
            let [deregistered, waited] = counts.clone();
            world.thread(move || {
                match client.try_deregister() {
                    STATUS_PENDING => deregistered.fetch_add(1, SeqCst),
                    other => u32::from(other != STATUS_INVALID_PARAMETER) * 100,
                };
                if client.try_wait() == STATUS_SUCCESS {
                    waited.fetch_add(1, SeqCst);
                }
            });
        }
        // What it uses again must not be mistaken for what was there.
        each(world, [provider], Module::come_and_go);
        world.join_all();
        let [deregistered, waited] = counts.map(|count| count.load(SeqCst));
        assert_eq!((deregistered, waited), (1, 1));
        client.is_over();
    });
}

#[test]
fn t_23_a_binding_that_two_threads_complete_is_cleaned_up_once() {
    explore(|world| {
        world.tolerate(&[Rule::V43, Rule::V46, Rule::V55]);
        let cast = Cast::new(world);
        let twice = Conduct {
            detach: vec![Detach::Elsewhere],
            on_detach: Box::new(|module| {
                for end in module.ends() {
                    module.world().thread(move || end.complete());
                }
            }),
            ..Conduct::default()
        };
        let client = cast.module(Role::Client, twice);
        let provider = cast.module(Role::Provider, Conduct::default());
        each(world, [client, provider], Module::come_and_go);
    });
}

#[test]
fn u_11_a_registration_without_memory_leaves_nothing() {
    explore(|world| {
        let (client, provider) = Cast::new(world).pair();
        world.registrar.fail_reservation(*one_of(&[0, 1, 2, 3, 4]));
        each(world, [client, provider], |module| {
            match module.try_register() {
                STATUS_SUCCESS => module.close(),
                STATUS_INSUFFICIENT_RESOURCES => module.is_over(),
                other => panic!("{other:#x}"),
            }
        });
    });
}

/// Calls through every binding of a module, a few times.
fn calls(module: &Module) {
    for _ in 0..2 {
        for end in module.ends() {
            end.call();
        }
    }
}

#[test]
fn t_06_calls_meet_attaches_and_detaches() {
    explore(|world| {
        let (client, provider) = Cast::new(world).pair();
        each(world, [client.clone(), provider.clone()], calls);
        each(world, [client, provider], Module::come_and_go);
    });
}

#[test]
fn t_03_a_module_is_called_until_its_peer_is_done() {
    explore(|world| {
        let (client, provider) = Cast::new(world).pair();
        client.register();
        provider.register();
        each(world, [client.clone(), provider.clone()], calls);
        let first = if maybe() { &client } else { &provider };
        first.deregister();
        calls(&client);
        calls(&provider);
        world.join_all();
        let second = if Arc::ptr_eq(first, &client) {
            &provider
        } else {
            &client
        };
        second.deregister();
        client.wait();
        provider.wait();
    });
}

/// Calls at once, on another thread, while its own attach callback still runs.
fn calls_at_once() -> Conduct {
    Conduct {
        on_attach: Box::new(|module| {
            let module = Arc::clone(module);
            module.world().clone().thread(move || calls(&module));
        }),
        ..Conduct::default()
    }
}

#[test]
fn t_07_a_module_calls_as_soon_as_it_knows_its_peer() {
    explore(|world| {
        let cast = Cast::new(world);
        let modules = [Role::Client, Role::Provider].map(|role| cast.module(role, calls_at_once()));
        each(world, modules, Module::come_and_go);
    });
}

#[test]
fn t_13_a_provider_calls_a_client_that_then_fails() {
    explore(|world| {
        world.tolerate(&[Rule::V22]);
        let cast = Cast::new(world);
        let fails = Conduct {
            fails_late: true,
            ..Conduct::default()
        };
        let client = cast.module(Role::Client, fails);
        let provider = cast.module(Role::Provider, calls_at_once());
        each(world, [client, provider], Module::come_and_go);
    });
}

#[test]
fn t_17_what_a_client_notes_inside_its_callbacks_is_right() {
    explore(|world| {
        let noted = Arc::new(AtomicBool::new(false));
        let [writes, forgets] = [(); 2].map(|()| Arc::clone(&noted));
        let cast = Cast::new(world);
        let noting = Conduct {
            on_attach: Box::new(move |_| writes.store(true, SeqCst)),
            on_detach: Box::new(move |_| forgets.store(false, SeqCst)),
            ..Conduct::default()
        };
        let client = cast.module(Role::Client, noting);
        let provider = cast.module(Role::Provider, Conduct::default());
        provider.register();
        each(world, [provider], Module::close);
        client.register();
        world.join_all();
        assert!(!noted.load(SeqCst), "the provider is gone");
        client.close();
    });
}
