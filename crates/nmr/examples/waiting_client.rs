//! A client that waits for its provider, as users of WSK do: it registers, captures the provider with
//! a time-out, and finds the next provider when the first has left.
//!
//! A provider that refuses is told from one that is not there. The wait is on an event of the system:
//! here it is that of an ordinary process, in a driver a `KEVENT`.
//!
//! Run it with `cargo run -p wdk-nmr --example waiting_client`.

use std::thread;
use std::time::Duration;

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Awaited, Client, Error, Guid, Identity, Missing, Module, Offer, Provider, Registration, Result,
    Wait,
};
use nmr_host::{NotificationEvent, Policy, Registrar};

/// The client.
struct Patient(Awaited<ProviderDispatch, NotificationEvent>);

/// Its part of a binding: it does not listen to what the provider says.
struct Deaf;

impl Module<Client<Exnpi>> for Patient {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x61d2_7b90_0c1e_4b58_9f0d_3f6a_7c11_5f01))
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

/// A provider that is open for clients, or not.
struct Shop {
    open: bool,
}

/// Its part of a binding.
struct Counter;

impl Module<Provider<Exnpi>> for Shop {
    type Binding = Counter;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x61d2_7b90_0c1e_4b58_9f0d_3f6a_7c11_5f02))
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Counter> {
        if !self.open {
            return Err(Error::ACCESS_DENIED);
        }
        Ok(Counter)
    }
}

impl ProviderCalls for Counter {
    fn add(&self, value: u32) -> u32 {
        value + 1
    }
}

fn main() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();
    let shop = |open| Registration::new(Shop { open }).expect("there is memory");

    let client = Patient(Awaited::new().expect("there is memory"));
    let client = Registration::new(client).expect("there is memory");
    let missing = client.0.capture(Wait::No).err();
    println!("no provider is registered: {missing:?}");
    assert_eq!(missing, Some(Missing::Absent));
    let soon = Wait::AtMost(Duration::from_millis(1));
    assert_eq!(client.0.capture(soon).err(), Some(Missing::Absent));

    let closed = shop(false);
    let missing = client.0.capture(Wait::Forever).err();
    println!("a provider is registered and refuses: {missing:?}");
    assert_eq!(missing, Some(Missing::Refused(Error::ACCESS_DENIED)));
    drop(closed);

    for visit in 1..=2 {
        client.0.forget_refusal();
        thread::scope(|scope| {
            let wait = scope.spawn(|| client.0.capture(Wait::Forever).map(|call| call.add(visit)));
            let open = shop(true);
            let sum = wait.join().expect("the wait ends");
            println!("provider {visit} has come: {sum:?}");
            assert_eq!(sum, Ok(visit + 1));
            drop(open);
        });
        assert!(client.0.enter().is_err(), "it has left");
    }

    drop(client);
    drop(entered);
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

#[test]
fn it_runs() {
    main();
}
