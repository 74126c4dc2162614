//! A client whose calls are counted for each processor, while its provider comes and goes.

use std::sync::Arc;

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Client, Detach, Guid, Identity, Module, Offer, Processor, Registration, Result, SpreadSlot,
};
use nmr_host::irql;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::explore::explore;
use crate::memory::Alive;
use crate::safe::provider;
use crate::world::World;

const MODULE: Guid = Guid::from_u128(0x90c3e0a6_3d5e_4d6a_a86b_3f4f3a6d2b23);

/// Any processor at any time.
struct Any;

impl Processor for Any {
    fn number() -> usize {
        // Two of them share a word.
        [0, 1, 16][thread_rng().gen_range(0..3)]
    }
}

type Line = Arc<SpreadSlot<ProviderDispatch, Any>>;

struct Many {
    alive: Alive,
    provider: Line,
}

struct Ear(Alive);

impl ClientCalls for Ear {
    fn changed(&self, _sum: u32) {
        self.0.check();
    }
}

impl Module<Client<Exnpi>> for Many {
    type Binding = Ear;

    fn identity(&self) -> Identity {
        Identity {
            number: thread_rng().gen_range(0..u32::MAX),
            ..Identity::new(MODULE)
        }
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Ear> {
        self.alive.check();
        offer.claim(&self.provider)?;
        Ok(Ear(Alive::new()))
    }

    fn attached(&self, ear: &Ear) {
        ear.0.check();
    }

    fn detaching(&self, ear: &Ear, detach: Detach<ProviderDispatch>) {
        ear.0.check();
        let attached = (0..3).any(|_| self.provider.enter().is_ok());
        assert!(!attached, "calls begin after the detach");
        drop(detach);
    }
}

fn client() -> Registration<Client<Exnpi>, Many> {
    let provider = Arc::new(SpreadSlot::new().expect("there is memory"));
    let alive = Alive::new();
    Registration::new(Many { alive, provider }).expect("there is memory")
}

/// Lets another thread call the provider, a few times.
fn calls(world: &World, line: &Line) {
    let line = Arc::clone(line);
    world.thread(move || {
        for _ in 0..3 {
            let Ok(call) = line.enter() else { continue };
            thread::yield_now();
            assert_eq!(call.add(1), 2);
        }
    });
}

#[test]
fn t_01_calls_on_any_processor_meet_the_end_of_the_provider() {
    explore(|world| {
        let provider = provider();
        let client = client();
        for _ in 0..2 {
            calls(world, &client.provider);
        }
        drop(provider);
        assert!(client.provider.enter().is_err());
    });
}

#[test]
fn t_05_the_last_call_on_any_processor_completes() {
    explore(|world| {
        let provider = provider();
        let client = client();
        for call in [client.provider.enter(), client.provider.enter()] {
            let call = call.expect("it is attached");
            world.thread(move || {
                let _raised = irql::raise(irql::DISPATCH_LEVEL);
                assert_eq!(call.clone().add(1), 2, "a call that has begun goes on");
            });
        }
        let closing = (provider.close(), client.close());
        drop(closing);
    });
}

#[test]
fn t_06_attaches_detaches_and_calls_on_any_processor_meet() {
    explore(|world| {
        let client = client();
        calls(world, &client.provider);
        for _ in 0..2 {
            world.thread(|| drop(provider()));
        }
        calls(world, &client.provider);
    });
}
