//! The peer calls the binding, so it has to implement the trait of the table.

use exnpi::Exnpi;
use nmr::{Client, Guid, Identity, Module, Offer, Result};

struct Adder;

struct Session;

impl Module<Client<Exnpi>> for Adder {
    type Binding = Session;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(1))
    }

    fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Session> {
        Ok(Session)
    }
}

fn main() {}
