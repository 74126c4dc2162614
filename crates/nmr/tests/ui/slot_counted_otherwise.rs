use exnpi::{Exnpi, ProviderDispatch};
use nmr::{Client, Offer, Processor, Result, Slot, Spread};

fn attach<P: Processor>(
    offer: Offer<'_, Client<Exnpi>>,
    slot: &Slot<ProviderDispatch, Spread<P>>,
) -> Result {
    offer.claim(slot)
}

fn main() {}
