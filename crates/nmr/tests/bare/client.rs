//! The client.

use std::sync::Arc;

use exnpi::{ClientCalls, Exnpi, ProviderDispatch};
use nmr::{Client, Guid, Identity, Module, Offer, Result, Slot};

/// The client. The `Arc` shows whether it, or a binding, still lives.
pub(crate) struct Adder(Arc<Slot<ProviderDispatch>>);

pub(crate) struct Session(
    #[expect(dead_code, reason = "it only counts")] Arc<Slot<ProviderDispatch>>,
);

impl Module<Client<Exnpi>> for Adder {
    type Binding = Session;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x1f0d5d3f_7f0b_4d1c_9a7c_0a5f34b8f6de))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Session> {
        offer.claim(&self.0)?;
        Ok(Session(self.0.clone()))
    }
}

impl ClientCalls for Session {
    fn changed(&self, _sum: u32) {}
}

pub(crate) fn adder() -> (Arc<Slot<ProviderDispatch>>, Adder) {
    let slot = Arc::new(Slot::new().unwrap());
    (slot.clone(), Adder(slot))
}
