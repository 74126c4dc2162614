//! An offer has one connection.

use exnpi::{Exnpi, ProviderDispatch};
use nmr::{Client, Offer, Peer, Result, Slot};

fn take(
    offer: Offer<'_, Client<Exnpi>>,
    slot: &Slot<ProviderDispatch>,
) -> Result<Peer<ProviderDispatch>> {
    offer.claim(slot)?;
    offer.peer()
}

fn main() {
    let _ = take;
}
