//! What the peer says about itself is on loan during the attach.

use std::sync::OnceLock;

use exnpi::{Characteristics, ClientCalls, Exnpi};
use nmr::{Client, Guid, Identity, Module, Offer, Result};

struct Adder(OnceLock<&'static Characteristics>);

struct Session;

impl ClientCalls for Session {
    fn changed(&self, _sum: u32) {}
}

impl Module<Client<Exnpi>> for Adder {
    type Binding = Session;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(1))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Session> {
        if let Some(characteristics) = offer.characteristics() {
            let _ = self.0.set(characteristics);
        }
        Ok(Session)
    }
}

fn main() {}
