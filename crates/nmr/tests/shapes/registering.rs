//! What happens inside a registration.

use std::sync::{Arc, Mutex};

use exnpi::{Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{Client, Closing, Error, Identity, Module, Offer, Provider, Registration, Result, Slot};

use crate::support::{Account, Adder, Attaches, Deaf, MODULE, Summer, run};
use crate::tables::Private;

/// A client that calls its provider at once.
struct Eager(Slot<ProviderDispatch>);

impl Module<Client<Exnpi>> for Eager {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        offer.claim(&self.0)?;
        assert!(self.0.enter().is_err());
        Ok(Deaf)
    }

    fn attached(&self, _binding: &Deaf) {
        assert_eq!(self.0.enter().unwrap().add(3), 3);
    }
}

#[test]
fn p_10_a_client_calls_as_soon_as_it_is_attached() {
    run(|| {
        let client = Registration::new(Eager(Slot::new().unwrap())).unwrap();
        let _provider = Registration::new(Summer).unwrap();
        assert_eq!(client.0.enter().unwrap().add(3), 6);
    });
}

/// A provider of one interface that becomes a client of another when it is first used. The
/// registration ends with the module, and not with the binding, where nothing may wait.
#[derive(Default)]
struct Chained(Mutex<Option<Registration<Client<Exnpi>, Adder>>>);

impl Module<Provider<Private>> for Chained {
    type Binding = Account;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, _offer: Offer<'_, Provider<Private>>) -> Result<Account> {
        *self.0.lock().unwrap() = Some(Registration::new(Adder::new())?);
        Err(Error::NO_INTERFACE)
    }
}

#[test]
fn p_16_a_module_registers_another_inside_its_attach() {
    run(|| {
        let _summer = Registration::new(Summer).unwrap();
        let chained = Registration::new(Chained::default()).unwrap();
        let client = Attaches(|_: Offer<'_, Client<Private>>| Ok(Deaf));
        let _client = Registration::new(client).unwrap();
        let own = chained.0.lock().unwrap();
        assert_eq!(own.as_ref().unwrap().add(1), Some(1));
    });
}

/// A module of one network interface.
struct OfInterface(u32, Slot<ProviderDispatch>);

impl Module<Client<Exnpi>> for OfInterface {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity {
            number: self.0,
            ..Identity::new(MODULE)
        }
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        match offer.identity() {
            Some(peer) if peer.number == self.0 => {}
            _ => return Err(Error::NO_INTERFACE),
        }
        offer.claim(&self.1)?;
        Ok(Deaf)
    }
}

struct Numbered(u32);

impl Module<Provider<Exnpi>> for Numbered {
    type Binding = Account;

    fn identity(&self) -> Identity {
        Identity {
            number: self.0,
            ..Identity::new(MODULE)
        }
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Account> {
        Summer.attach(offer)
    }
}

#[test]
fn p_18_one_registration_for_each_network_interface() {
    run(|| {
        let clients = [1, 2, 3].map(|number| {
            let client = OfInterface(number, Slot::new().unwrap());
            Registration::new(client).unwrap()
        });
        let _second = Registration::new(Numbered(2)).unwrap();
        let attached = clients.each_ref().map(|client| client.1.is_attached());
        assert_eq!(attached, [false, true, false]);
    });
}

#[test]
fn p_19_offers_are_made_before_new_returns() {
    run(|| {
        let _provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Adder::new()).unwrap();
        assert!(client.provider.is_attached());
    });
}

type ProviderPlace = Arc<Mutex<Option<Registration<Provider<Exnpi>, Summer>>>>;

/// A client whose provider goes away while it attaches.
struct Unlucky {
    provider: ProviderPlace,
    closing: Mutex<Option<Closing<Provider<Exnpi>, Summer>>>,
    slot: Slot<ProviderDispatch>,
}

impl Module<Client<Exnpi>> for Unlucky {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        offer.claim(&self.slot)?;
        let provider = self.provider.lock().unwrap().take();
        *self.closing.lock().unwrap() = provider.map(Registration::close);
        Ok(Deaf)
    }
}

#[test]
fn p_19_attach_and_detach_inside_new() {
    run(|| {
        let provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Unlucky {
            provider: Arc::new(Mutex::new(Some(provider))),
            closing: Mutex::new(None),
            slot: Slot::new().unwrap(),
        })
        .unwrap();
        assert!(!client.slot.is_attached());
        let closing = client.closing.lock().unwrap().take();
        closing.into_iter().for_each(Closing::wait);
    });
}
