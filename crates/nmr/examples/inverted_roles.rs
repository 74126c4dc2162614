//! Inverted roles: the provider calls its clients, as eBPF's hooks call programs.
//!
//! The provider takes so many clients and no more, and calls each in batches: it enters once, which is
//! what costs; a call in the batch costs what a call of a function costs.
//!
//! Run it with `cargo run -p nmr --example inverted_roles`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls};
use nmr::{Client, Error, Guid, Identity, Module, Offer, Peer, Provider, Registration, Result};
use nmr_host::{Policy, Registrar};

/// Where a client sits, if there is one.
type Seat = Mutex<Option<Peer<ClientDispatch>>>;

/// The provider, with a seat for each client that it takes.
#[derive(Default)]
struct Hook(Arc<[Seat; 2]>);

/// Its part of a binding: the number of a seat, which dropping it vacates. Clients do not call it.
struct Seated(Arc<[Seat; 2]>, usize);

impl Module<Provider<Exnpi>> for Hook {
    type Binding = Seated;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x2e57_16c9_4f2b_4c6c_8d7d_5a3e_9b60_4f01))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Seated> {
        let client = offer.peer()?;
        for (number, seat) in self.0.iter().enumerate() {
            let mut seat = seat.lock().unwrap();
            if seat.is_none() {
                *seat = Some(client);
                return Ok(Seated(self.0.clone(), number));
            }
        }
        Err(Error::INSUFFICIENT_RESOURCES)
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        *self.0[self.1].lock().unwrap() = None;
    }
}

impl ProviderCalls for Seated {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

impl Hook {
    /// Tells every client about a batch of events.
    fn invoke(&self, events: &[u32]) {
        for seat in self.0.iter() {
            // A copy, because nobody is called under a lock.
            let client = seat.lock().unwrap().clone();
            let Some(Ok(client)) = client.map(|client| client.enter()) else {
                continue;
            };
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
    let hook = Registration::new(Hook::default()).expect("there is memory");
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
