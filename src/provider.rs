//! The EXNPI provider.

use core::sync::atomic::{AtomicU32, Ordering};

use exnpi::{CHARACTERISTICS, Characteristics, ClientCalls, ClientDispatch, Exnpi, ProviderCalls};
use nmr::{Error, Guid, Identity, Lent, Module, Offer, Peer, Provider, Result};

/// A provider that keeps a sum for each of its clients.
pub struct Summer;

/// The provider's part of a binding.
pub struct Account {
    client: Peer<ClientDispatch>,
    sum: AtomicU32,
}

impl Module<Provider<Exnpi>> for Summer {
    type Binding = Account;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x332613ca_4d4f_4825_912c_9cf18b236564))
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Account> {
        if offer.characteristics() != Some(&CHARACTERISTICS) {
            return Err(Error::NO_INTERFACE);
        }
        Ok(Account {
            client: offer.peer()?,
            sum: AtomicU32::new(0),
        })
    }
}

impl ProviderCalls for Account {
    fn add(&self, value: u32) -> u32 {
        let before = self.sum.fetch_add(value, Ordering::Relaxed);
        let sum = before.wrapping_add(value);
        if let Ok(client) = self.client.enter() {
            client.changed(sum);
        }
        sum
    }
}
