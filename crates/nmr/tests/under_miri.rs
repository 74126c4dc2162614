//! Small races and views for Miri, which `scripts/miri.sh` runs under many schedules. They run without it, too.
#![expect(unsafe_code, reason = "one test does what is wrong")]

use std::sync::{Arc, Mutex};
use std::thread;

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Call, Client, Guid, Identity, Module, Offer, Peer, Processor, Provider, Registration, Result,
    Slot, SpreadCall, SpreadSlot,
};
use nmr_host::{Policy, Registrar};

const ID: Identity = Identity::new(Guid::from_u128(0x90c3e0a6_3d5e_4d6a_a86b_3f4f3a6d2b14));

struct Deaf;

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

struct Same;

impl ProviderCalls for Same {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

struct Plain;

impl Module<Provider<Exnpi>> for Plain {
    type Binding = Same;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Same> {
        Ok(Same)
    }
}

/// The processor of every thread.
struct Only;

impl Processor for Only {
    fn number() -> usize {
        1
    }
}

/// Calls that a client began when it attached, and keeps.
struct Kept<P, C>(P, Arc<Mutex<Vec<C>>>);

/// A client's end of a binding, which owns the connection alone.
struct Owner(Peer<ProviderDispatch>);

impl ClientCalls for Owner {
    fn changed(&self, _sum: u32) {}
}

impl Module<Client<Exnpi>> for Kept<(), Call<ProviderDispatch>> {
    type Binding = Owner;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Owner> {
        offer.peer().map(Owner)
    }

    fn attached(&self, owner: &Owner) {
        let calls = [(); 2].map(|()| owner.0.enter().unwrap());
        self.1.lock().unwrap().extend(calls);
    }
}

impl Module<Client<Exnpi>>
    for Kept<SpreadSlot<ProviderDispatch, Only>, SpreadCall<ProviderDispatch>>
{
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        offer.claim(&self.0)?;
        Ok(Deaf)
    }

    fn attached(&self, _binding: &Deaf) {
        let calls = [(); 2].map(|()| self.0.enter().unwrap());
        self.1.lock().unwrap().extend(calls);
    }
}

/// Two calls end on two threads while both modules leave: whichever is last completes the detach, and the memory
/// of the connection is freed by the end of the registrations.
fn calls_end_together<P, C: Send + 'static>(place: P)
where
    Kept<P, C>: Module<Client<Exnpi>>,
{
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let client = Registration::new(Kept(place, calls.clone())).unwrap();
    let provider = Registration::new(Plain).unwrap();
    let closing = (client.close(), provider.close());
    let held = std::mem::take(&mut *calls.lock().unwrap());
    assert_eq!(held.len(), 2);
    let threads: Vec<_> = held
        .into_iter()
        .map(|call| thread::spawn(move || drop(call)))
        .collect();
    // Before the threads are joined: the memory may be gone while the one that was not last returns.
    drop(closing);
    for thread in threads {
        thread.join().unwrap();
    }
    drop(entered);
    assert_eq!(registrar.finish(), []);
}

#[test]
fn calls_in_one_word_end_together() {
    calls_end_together(());
}

#[test]
fn calls_in_one_word_of_many_end_together() {
    calls_end_together(SpreadSlot::new().unwrap());
}

/// Calls begin in a slot while its provider leaves and another comes.
#[test]
fn calls_meet_a_detach_and_an_attach() {
    struct Client1(Slot<ProviderDispatch>);

    impl Module<Client<Exnpi>> for Client1 {
        type Binding = Deaf;

        fn identity(&self) -> Identity {
            ID
        }

        fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
            offer.claim(&self.0)?;
            Ok(Deaf)
        }
    }

    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();
    let client = Arc::new(Registration::new(Client1(Slot::new().unwrap())).unwrap());
    let provider = Registration::new(Plain).unwrap();
    let caller = {
        let client = Arc::clone(&client);
        thread::spawn(move || {
            for _ in 0..4 {
                let _ = client.0.enter().map(|call| call.add(1));
            }
        })
    };
    drop(provider);
    drop(Registration::new(Plain).unwrap());
    caller.join().unwrap();
    drop((client, entered));
    assert_eq!(registrar.finish(), []);
}

/// What Miri is there to find: `scripts/miri.sh` requires that it does.
#[test]
#[ignore = "undefined behaviour, on purpose"]
fn planted() {
    let value = Box::into_raw(Box::new(7));
    // SAFETY: it comes from a box.
    drop(unsafe { Box::from_raw(value) });
    // SAFETY: none: it is freed.
    assert_eq!(unsafe { value.read() }, 7);
}
