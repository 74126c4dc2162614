//! Modules of the safe layer, with calls, detaches and the ends of registrations on several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use exnpi::{ClientCalls, ClientDispatch, ProviderCalls, ProviderDispatch};
use nmr::{Detach, Dispatch, Peer, Registration, Shared};
use nmr_host::irql;
use shuttle::sync::mpsc::{Sender, channel};
use shuttle::thread;

use crate::explore::explore;
use crate::memory::Alive;
use crate::safe::{Adder, Keeper, Line, User, add, client, provider};
use crate::world::{World, maybe};

/// Lets another thread call the provider, a few times.
fn calls(world: &World, line: &Line) {
    let line = Arc::clone(line);
    world.thread(move || {
        for _ in 0..3 {
            add(&line);
        }
    });
}

#[test]
fn t_01_calls_meet_the_end_of_the_provider() {
    explore(|world| {
        let provider = provider();
        let client = client();
        for _ in 0..2 {
            calls(world, &client.provider);
        }
        drop(provider);
        assert!(!add(&client.provider));
    });
}

#[test]
fn t_01_calls_meet_the_end_of_the_client() {
    explore(|world| {
        let _provider = provider();
        let client = client();
        let line = Arc::clone(&client.provider);
        for _ in 0..2 {
            calls(world, &line);
        }
        drop(client);
        assert!(!add(&line));
    });
}

#[test]
fn t_02_calls_at_two_levels_meet_the_detach() {
    explore(|world| {
        let provider = provider();
        let client = client();
        calls(world, &client.provider);
        let line = Arc::clone(&client.provider);
        world.thread(move || {
            let _raised = irql::raise(irql::DISPATCH_LEVEL);
            add(&line);
        });
        if maybe() {
            drop(provider);
        } else {
            drop(client);
        }
    });
}

#[test]
fn t_05_the_last_call_completes_at_dispatch_level() {
    explore(|world| {
        let provider = provider();
        let client = client();
        for call in [client.provider.enter(), client.provider.enter()] {
            let call = call.expect("it is attached");
            world.thread(move || {
                let _raised = irql::raise(irql::DISPATCH_LEVEL);
                assert_eq!(call.add(1), 2, "a call that has begun goes on");
                drop(call);
            });
        }
        let closing = (provider.close(), client.close());
        drop(closing);
    });
}

#[test]
fn t_06_attaches_detaches_and_calls_meet() {
    explore(|world| {
        let client = client();
        calls(world, &client.provider);
        for _ in 0..2 {
            world.thread(|| drop(provider()));
        }
        calls(world, &client.provider);
    });
}

#[test]
fn t_06_everybody_comes_and_goes() {
    explore(|world| {
        for _ in 0..2 {
            let world = world.clone();
            world.clone().thread(move || {
                let client = client();
                calls(&world, &client.provider);
                add(&client.provider);
            });
        }
        drop(provider());
        drop(provider());
    });
}

/// Calls a client, if it is attached.
fn tell(client: &Peer<ClientDispatch>) {
    if let Ok(call) = client.enter() {
        call.changed(1);
        thread::yield_now();
        call.changed(2);
    }
}

/// A provider that calls from another thread, from the moment on in which it decides.
fn notifier(world: &World) -> Adder {
    let world = world.clone();
    Adder {
        on_attach: Box::new(move |client| {
            let client = client.clone();
            world.thread(move || {
                tell(&client);
                tell(&client);
            });
        }),
        ..Adder::new()
    }
}

#[test]
fn t_03_a_client_is_called_until_the_provider_is_done() {
    explore(|world| {
        let provider = Registration::new(notifier(world)).expect("there is memory");
        let client = client();
        if maybe() {
            drop(client);
        } else {
            drop(provider);
        }
    });
}

#[test]
fn t_07_both_call_before_the_attach_is_over() {
    explore(|world| {
        let calling = {
            let world = world.clone();
            User {
                on_attached: Box::new(move |line| {
                    calls(&world, line);
                    add(line);
                }),
                ..User::new()
            }
        };
        let notifier = notifier(world);
        world.thread(move || drop(Registration::new(notifier).expect("there is memory")));
        drop(Registration::new(calling).expect("there is memory"));
    });
}

#[test]
fn t_13_a_client_that_a_provider_calls_early_is_declined() {
    explore(|world| {
        // The slot is taken, so the second provider's peer must never be called.
        let client = client();
        for _ in 0..2 {
            let notifier = notifier(world);
            world.thread(move || drop(Registration::new(notifier).expect("there is memory")));
        }
        calls(world, &client.provider);
        world.join_all();
    });
}

/// Lets a provider that declines some of its clients come and go twice.
fn declines(world: &World) {
    for _ in 0..2 {
        let picky = Adder {
            picky: true,
            ..notifier(world)
        };
        drop(Registration::new(picky).expect("there is memory"));
    }
}

#[test]
fn t_14_calls_meet_attaches_that_fail() {
    explore(|world| {
        let client = client();
        calls(world, &client.provider);
        declines(world);
        calls(world, &client.provider);
    });
}

#[test]
fn t_14_attaches_fail_of_a_client_with_many_providers() {
    explore(|world| {
        for _ in 0..2 {
            let client = User {
                many: true,
                ..User::new()
            };
            let client = Registration::new(client).expect("there is memory");
            let other = world.clone();
            world.thread(move || declines(&other));
            world.thread(|| drop(provider()));
            drop(client);
        }
    });
}

#[test]
fn t_15_a_provider_leaves_while_a_client_registers() {
    explore(|world| {
        let provider = provider();
        world.thread(move || drop(provider));
        let client = client();
        add(&client.provider);
    });
}

#[test]
fn t_16_a_client_leaves_while_it_is_offered() {
    explore(|world| {
        let client = client();
        world.thread(move || drop(client));
        drop(provider());
    });
}

/// Sends a detach to the thread that finishes it.
fn deferred<D: Dispatch>(sender: &Sender<Detach<D>>) -> Keeper<D> {
    let sender = sender.clone();
    Box::new(move |detach| sender.send(detach).expect("the thread runs"))
}

#[test]
fn t_08_a_source_of_calls_is_stopped_before_the_detach_ends() {
    explore(|world| {
        let (sender, detaches) = channel::<Detach<ClientDispatch>>();
        let provider = Adder {
            on_detach: deferred(&sender),
            ..notifier(world)
        };
        world.thread(move || detaches.into_iter().for_each(drop));
        let provider = Registration::new(provider).expect("there is memory");
        world.thread(|| drop(client()));
        drop(provider);
        drop(sender);
    });
}

#[test]
fn t_18_other_threads_finish_both_detaches() {
    explore(|world| {
        let (to_clients, of_clients) = channel::<Detach<ProviderDispatch>>();
        let (to_providers, of_providers) = channel::<Detach<ClientDispatch>>();
        let client = User {
            on_detach: deferred(&to_clients),
            ..User::new()
        };
        let provider = Adder {
            on_detach: deferred(&to_providers),
            ..Adder::new()
        };
        world.thread(move || of_clients.into_iter().for_each(drop));
        world.thread(move || of_providers.into_iter().for_each(drop));
        let client = Registration::new(client).expect("there is memory");
        calls(world, &client.provider);
        world.thread(move || drop(Registration::new(provider).expect("there is memory")));
        drop(client);
    });
}

#[test]
fn t_30_a_second_provider_leaves_the_first_alone() {
    explore(|world| {
        let client = client();
        let first = provider();
        world.thread(|| drop(provider()));
        for _ in 0..2 {
            assert!(add(&client.provider));
        }
        drop(first);
    });
}

#[test]
fn t_33_both_end_at_once_with_calls_in_progress() {
    explore(|world| {
        let provider = provider();
        let client = client();
        calls(world, &client.provider);
        world.thread(move || provider.close().wait());
        client.close().wait();
    });
}

#[test]
fn t_33_the_last_of_several_owners_drops_what_they_share() {
    explore(|world| {
        let drops = Arc::new(AtomicU32::new(0));
        let shared = Shared::new(Counted(Alive::new(), Arc::clone(&drops)));
        let shared = shared.expect("there is memory");
        for _ in 0..3 {
            let owner = shared.clone();
            world.thread(move || owner.clone().0.check());
        }
        drop(shared);
        world.join_all();
        assert_eq!(drops.load(SeqCst), 1);
    });
}

/// Counts how often it is dropped.
struct Counted(Alive, Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
    }
}
