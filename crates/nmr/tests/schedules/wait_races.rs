//! Clients that wait for their provider, while providers come and go. A wait that misses its provider
//! is a deadlock, which the scheduler sees.

use std::sync::Arc;

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Awaited, Client, Error, Guid, Identity, Missing, Module, Offer, Registration, Result, Wait,
};
use nmr_host::NotificationEvent;
use shuttle::rand::{RngCore, thread_rng};

use crate::explore::explore;
use crate::safe::{Adder, provider};
use crate::world::World;

struct Patient(Awaited<ProviderDispatch, NotificationEvent>);

struct Deaf;

impl Module<Client<Exnpi>> for Patient {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity {
            number: thread_rng().next_u32(),
            ..Identity::new(Guid::from_u128(0x90c3e0a6_3d5e_4d6a_a86b_3f4f3a6d2b33))
        }
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        self.0.claim(offer)?;
        Ok(Deaf)
    }

    fn attached(&self, _binding: &Deaf) {
        self.0.attached();
    }

    fn declined(&self, reason: Error) {
        self.0.refused(reason);
    }
}

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

type Shared = Arc<Registration<Client<Exnpi>, Patient>>;

fn patient() -> Shared {
    let client = Patient(Awaited::new().expect("there is memory"));
    Arc::new(Registration::new(client).expect("there is memory"))
}

/// Starts a thread that waits for a provider, and gives what it finds to a function.
fn wait(world: &World, client: &Shared, check: fn(Result<u32, Missing>)) {
    let client = client.clone();
    world.thread(move || check(client.0.capture(Wait::Forever).map(|call| call.add(1))));
}

#[test]
fn t_28_everybody_who_waits_meets_the_provider() {
    explore(|world| {
        let client = patient();
        for _ in 0..3 {
            wait(world, &client, |found| assert_eq!(found, Ok(2)));
        }
        let provider = provider();
        world.join_all();
        drop(provider);
    });
}

#[test]
fn t_28_everybody_who_waits_meets_one_of_the_providers_that_come_and_go() {
    explore(|world| {
        let client = patient();
        for _ in 0..2 {
            wait(world, &client, |found| assert_eq!(found, Ok(2)));
        }
        drop(provider());
        drop(provider());
        let stays = provider();
        world.join_all();
        drop(stays);
    });
}

#[test]
fn t_28_everybody_who_waits_hears_of_a_refusal_or_meets_the_provider() {
    explore(|world| {
        let client = patient();
        for _ in 0..2 {
            wait(world, &client, |found| {
                let refused = Err(Missing::Refused(Error::NO_INTERFACE));
                assert!([Ok(2), refused].contains(&found), "{found:?}");
            });
        }
        let picky = Adder {
            picky: true,
            ..Adder::new()
        };
        let provider = Registration::new(picky).expect("there is memory");
        world.join_all();
        drop(provider);
    });
}
