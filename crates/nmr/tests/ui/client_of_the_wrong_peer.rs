//! A client's peer has the functions of a provider.

use exnpi::{ClientDispatch, Exnpi};
use nmr::{Client, Offer, Result, Slot};

fn claim(offer: Offer<'_, Client<Exnpi>>, slot: &Slot<ClientDispatch>) -> Result {
    offer.claim(slot)
}

fn main() {
    let _ = claim;
}
