//! Inverted roles: the provider calls its clients, as eBPF's hooks call programs.
//!
//! The provider takes so many clients and no more, and calls each in batches: it enters once, which is
//! what costs; a call in the batch costs what a call of a function costs.
//!
//! Run it with `cargo run -p wdk-nmr --example inverted_roles`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls};
use nmr::{
    Client, Error, Guid, Identity, Module, Offer, Peers, Provider, Registration, Result, Shared,
};
use nmr_host::{Policy, Registrar};

/// How many clients the provider takes.
const SEATS: u32 = 2;

/// The provider, and its clients.
struct Hook {
    programs: Peers<ClientDispatch>,
    taken: Shared<AtomicU32>,
}

/// Its part of a binding: a seat, which dropping it vacates. Clients do not call it.
struct Seat(Shared<AtomicU32>);

impl Seat {
    fn take(taken: &Shared<AtomicU32>) -> Result<Self> {
        let one_more = |taken| (taken < SEATS).then_some(taken + 1);
        let taking = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taking
            .map(|_| Self(taken.clone()))
            .map_err(|_| Error::INSUFFICIENT_RESOURCES)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Module<Provider<Exnpi>> for Hook {
    type Binding = Seat;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x2e57_16c9_4f2b_4c6c_8d7d_5a3e_9b60_4f01))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Seat> {
        let seat = Seat::take(&self.taken)?;
        offer.join(&self.programs)?;
        Ok(seat)
    }
}

impl ProviderCalls for Seat {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

impl Hook {
    fn new() -> Result<Self> {
        Ok(Self {
            programs: Peers::new(),
            taken: Shared::new(AtomicU32::new(0))?,
        })
    }

    /// Sends a batch of events to every client.
    fn invoke(&self, events: &[u32]) {
        for client in self.programs.enter() {
            for event in events {
                client.changed(*event);
            }
        }
    }
}

/// A client, which adds up what it hears.
#[derive(Clone, Default)]
struct Program(Arc<AtomicU32>);

impl Module<Client<Exnpi>> for Program {
    type Binding = Self;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x2e57_16c9_4f2b_4c6c_8d7d_5a3e_9b60_4f02))
    }

    fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Self> {
        Ok(self.clone())
    }
}

impl ClientCalls for Program {
    fn changed(&self, event: u32) {
        self.0.fetch_add(event, Ordering::Relaxed);
    }
}

fn main() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();
    let hook = Hook::new()
        .and_then(Registration::new)
        .expect("there is memory");
    let register = || Registration::new(Program::default()).expect("there is memory");
    let programs = [(); 3].map(|()| register());
    hook.invoke(&[1, 2, 3]);
    let heard = |program: &Registration<_, Program>| program.0.load(Ordering::Relaxed);
    let sums = programs.each_ref().map(heard);
    println!("the programs heard {sums:?}");
    assert_eq!(sums, [6, 6, 0]);
    drop(programs);
    let program = register();
    hook.invoke(&[4]);
    assert_eq!(heard(&program), 4, "there is room again");

    drop((hook, program));
    drop(entered);
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

#[test]
fn it_runs() {
    main();
}
