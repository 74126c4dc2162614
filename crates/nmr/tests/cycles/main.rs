//! Modules that come and go for long leave no memory behind.

mod counting;

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{Client, Guid, Identity, Module, Offer, Provider, Registration, Result, Slot};
use nmr_host::{Policy, Registrar};

use counting::bytes_in_use;

const MODULE: Identity = Identity::new(Guid::from_u128(0x90c3e0a6_3d5e_4d6a_a86b_3f4f3a6d2b33));

struct Adder;

impl Module<Provider<Exnpi>> for Adder {
    type Binding = Self;

    fn identity(&self) -> Identity {
        MODULE
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Self> {
        Ok(Self)
    }
}

impl ProviderCalls for Adder {
    fn add(&self, value: u32) -> u32 {
        value + 1
    }
}

struct User(Slot<ProviderDispatch>);

struct Deaf;

impl Module<Client<Exnpi>> for User {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        MODULE
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        offer.claim(&self.0).map(|()| Deaf)
    }
}

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

/// A binding from the attach to the end, with a call in progress at the detach.
fn cycle() {
    let provider = Registration::new(Adder).expect("there is memory");
    let client = Registration::new(User(Slot::new().expect("there is memory")));
    let client = client.expect("there is memory");
    let call = client.0.enter().expect("it is attached");
    assert_eq!(call.add(1), 2);
    let closing = (provider.close(), client.close());
    drop(call);
    drop(closing);
}

#[test]
fn t_11_ten_thousand_cycles_leave_no_memory_behind() {
    let registrar = Registrar::new(Policy::default());
    registrar.set_recording(false);
    let _entered = registrar.enter();
    // What is kept for good, such as the tables of the registrar, is there afterwards.
    (0..1_000).for_each(|_| cycle());
    let before = bytes_in_use();
    (0..10_000).for_each(|_| cycle());
    assert_eq!(bytes_in_use(), before);
}
