//! The peer calls the binding from any thread, so it has to be `Sync`.

use std::cell::Cell;

use exnpi::{ClientCalls, Exnpi};
use nmr::{Client, Guid, Identity, Module, Offer, Result};

struct Adder;

struct Session(Cell<u32>);

impl ClientCalls for Session {
    fn changed(&self, sum: u32) {
        self.0.set(sum);
    }
}

impl Module<Client<Exnpi>> for Adder {
    type Binding = Session;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(1))
    }

    fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Session> {
        Ok(Session(Cell::new(0)))
    }
}

fn main() {}
