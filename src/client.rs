//! The EXNPI client.

use core::sync::atomic::{AtomicU32, Ordering};

use exnpi::{
    CHARACTERISTICS, Characteristics, ClientCalls, Exnpi, ProviderCalls, ProviderDispatch,
};
use nmr::{Client, Error, Guid, Identity, Lent, Module, Offer, Result, Shared, Slot};

/// A client that uses one provider at a time, from any thread.
pub struct Adder {
    provider: Slot<ProviderDispatch>,
    changes: Shared<AtomicU32>,
}

/// The client's part of a binding.
pub struct Session {
    changes: Shared<AtomicU32>,
}

impl Adder {
    /// A client that has no provider yet.
    pub fn new() -> Result<Self> {
        Ok(Self {
            provider: Slot::new()?,
            changes: Shared::new(AtomicU32::new(0))?,
        })
    }

    /// Sends a value to the provider, which returns the sum. Fails if there is no provider.
    pub fn add(&self, value: u32) -> Result<u32> {
        Ok(self.provider.enter()?.add(value))
    }

    /// How often a provider has said that its sum changed.
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.changes.load(Ordering::Relaxed)
    }
}

impl Module<Client<Exnpi>> for Adder {
    type Binding = Session;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x33beb4d2_6d9e_4897_b6fd_2e4ad5deefb9))
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Session> {
        if offer.characteristics() != Some(&CHARACTERISTICS) {
            return Err(Error::NO_INTERFACE);
        }
        offer.claim(&self.provider)?;
        Ok(Session {
            changes: self.changes.clone(),
        })
    }
}

impl ClientCalls for Session {
    fn changed(&self, _sum: u32) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}
