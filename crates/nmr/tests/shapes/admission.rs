//! Which offers a module takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use exnpi::{Exnpi, ProviderCalls};
use nmr::{
    Client, Error, Guid, Identity, Luid, Module, ModuleId, Offer, Provider, Registration, Result,
    Slot,
};

use crate::support::{Account, Adder, Attaches, Deaf, MODULE, Summer, run};

#[test]
fn p_04_one_at_a_time() {
    run(|| {
        let client = Registration::new(Adder::new()).unwrap();
        let first = Registration::new(Summer).unwrap();
        assert_eq!(client.add(1), Some(1));
        let second = Registration::new(Summer).unwrap();
        // The second was declined, and the binding to the first goes on.
        assert_eq!(client.add(1), Some(2));
        drop(second);
        assert_eq!(client.add(1), Some(3));
        drop(first);
        assert_eq!(client.add(1), None);
    });
}

/// What one binding costs of a limit.
struct Ticket(Arc<AtomicU32>);

impl Ticket {
    fn take(left: &Arc<AtomicU32>) -> Result<Self> {
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        })
        .map(|_| Self(left.clone()))
        .map_err(|_| Error::ACCESS_DENIED)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Limited {
    _ticket: Ticket,
}

impl ProviderCalls for Limited {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

#[test]
fn p_04_at_most_two() {
    run(|| {
        let left = Arc::new(AtomicU32::new(2));
        let tickets = left.clone();
        let provider = Attaches(move |_: Offer<'_, Provider<Exnpi>>| {
            Ok(Limited {
                _ticket: Ticket::take(&tickets)?,
            })
        });
        let _provider = Registration::new(provider).unwrap();
        let clients = [(); 3].map(|()| Registration::new(Adder::new()).unwrap());
        let attached = clients.iter().filter(|client| client.add(1).is_some());
        assert_eq!(attached.count(), 2);
        drop(clients);
        assert_eq!(left.load(Ordering::SeqCst), 2);
        let client = Registration::new(Adder::new()).unwrap();
        assert_eq!(client.add(1), Some(1));
    });
}

#[test]
fn p_04_a_declined_offer_frees_the_slot() {
    run(|| {
        let slot = Arc::new(Slot::new().unwrap());
        let tried = slot.clone();
        let client = Attaches(move |offer: Offer<'_, Client<Exnpi>>| {
            offer.claim(&tried)?;
            Err::<Deaf, _>(Error::NOT_SUPPORTED)
        });
        let _provider = Registration::new(Summer).unwrap();
        let _client = Registration::new(client).unwrap();
        assert!(!slot.is_attached());
        let taken = slot.clone();
        let other = Attaches(move |offer: Offer<'_, Client<Exnpi>>| {
            offer.claim(&taken)?;
            Ok(Deaf)
        });
        let _other = Registration::new(other).unwrap();
        assert!(slot.is_attached());
    });
}

/// A module with a given identity, which takes peers of the same.
struct Of(Identity, Slot<exnpi::ProviderDispatch>);

impl Of {
    fn new(identity: Identity) -> Self {
        Self(identity, Slot::new().unwrap())
    }
}

impl Module<Client<Exnpi>> for Of {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        self.0
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        if offer.identity() != Some(self.0) {
            return Err(Error::NO_INTERFACE);
        }
        offer.claim(&self.1)?;
        Ok(Deaf)
    }
}

impl Module<Provider<Exnpi>> for Of {
    type Binding = Account;

    fn identity(&self) -> Identity {
        self.0
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Account> {
        Summer.attach(offer)
    }
}

/// One identity of each kind, and one that differs in the number only.
fn identities() -> [Identity; 4] {
    let usual = Identity::new(MODULE);
    let other = Identity::new(Guid::from_u128(1));
    let numbered = Identity { number: 7, ..usual };
    let interface = Luid {
        LowPart: 3,
        HighPart: 0,
    };
    let by_luid = Identity {
        module: ModuleId::IfLuid(interface),
        ..usual
    };
    [usual, other, numbered, by_luid]
}

#[test]
fn p_05_peers_of_the_same_identity() {
    run(|| {
        let clients =
            identities().map(|id| Registration::<Client<Exnpi>, _>::new(Of::new(id)).unwrap());
        for (index, id) in identities().into_iter().enumerate() {
            let provider = Registration::<Provider<Exnpi>, _>::new(Of::new(id)).unwrap();
            let attached = clients.each_ref().map(|client| client.1.is_attached());
            let mut expected = [false; 4];
            expected[index] = true;
            assert_eq!(attached, expected);
            drop(provider);
        }
    });
}
