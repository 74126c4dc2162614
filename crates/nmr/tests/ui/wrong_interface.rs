//! A role is a role in an interface.

use nmr::{Client, Guid, Identity, Module, Offer, Result};

struct NoInterface;

struct Adder;

impl Module<Client<NoInterface>> for Adder {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(1))
    }

    fn attach(&self, _offer: Offer<'_, Client<NoInterface>>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
