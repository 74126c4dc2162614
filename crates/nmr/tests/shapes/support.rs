//! What the tests share: a registrar for each, and a provider and a client of EXNPI.

use std::sync::atomic::{AtomicU32, Ordering};

use exnpi::{
    CHARACTERISTICS, Characteristics, ClientCalls, ClientDispatch, Exnpi, ProviderCalls,
    ProviderDispatch,
};
use nmr::{
    Client, Guid, Identity, Lent, Module, Offer, Peer, Provider, Result, Role, Serves, Shared, Slot,
};
use nmr_host::{Policy, Registrar};

pub(crate) const MODULE: Guid = Guid::from_u128(0x90c3e0a6_3d5e_4d6a_a86b_3f4f3a6d2b11);

/// Runs a test under several policies, with a registrar of its own each time, and expects that no
/// rule is broken and that nothing is left.
pub(crate) fn run(test: impl Fn()) {
    run_with(|_| test());
}

/// The same for a test that looks at the registrar.
pub(crate) fn run_with(test: impl Fn(&Registrar)) {
    // Miri takes a thousand times as long.
    for seed in 0..if cfg!(miri) { 2 } else { 24 } {
        let registrar = Registrar::new(Policy::from_seed(seed));
        let entered = registrar.enter();
        test(&registrar);
        drop(entered);
        assert_eq!(registrar.finish(), [], "{}", registrar.policy());
    }
}

/// A module, in any role, that is one function: its `attach`.
pub(crate) struct Attaches<F>(pub(crate) F);

impl<R, F, B> Module<R> for Attaches<F>
where
    R: Role,
    F: Fn(Offer<'_, R>) -> Result<B> + Send + Sync + 'static,
    B: Serves<R::Local>,
{
    type Binding = B;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, R>) -> Result<B> {
        (self.0)(offer)
    }
}

/// A provider that keeps a sum for each client and tells it about changes.
pub(crate) struct Summer;

pub(crate) struct Account {
    client: Peer<ClientDispatch>,
    sum: AtomicU32,
}

impl Module<Provider<Exnpi>> for Summer {
    type Binding = Account;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Account> {
        let sum = AtomicU32::new(0);
        offer.peer().map(|client| Account { client, sum })
    }
}

impl ProviderCalls for Account {
    fn add(&self, value: u32) -> u32 {
        let sum = self.sum.fetch_add(value, Ordering::SeqCst) + value;
        if let Ok(client) = self.client.enter() {
            client.changed(sum);
        }
        sum
    }
}

/// A client that uses one provider at a time.
pub(crate) struct Adder {
    pub(crate) provider: Slot<ProviderDispatch>,
    pub(crate) heard: Shared<AtomicU32>,
}

/// What a client hears last.
pub(crate) struct Ear(pub(crate) Shared<AtomicU32>);

impl Adder {
    pub(crate) fn new() -> Self {
        Self {
            provider: Slot::new().unwrap(),
            heard: Shared::new(AtomicU32::new(0)).unwrap(),
        }
    }

    pub(crate) fn add(&self, value: u32) -> Option<u32> {
        Some(self.provider.enter().ok()?.add(value))
    }

    pub(crate) fn heard(&self) -> u32 {
        self.heard.load(Ordering::SeqCst)
    }
}

impl Module<Client<Exnpi>> for Adder {
    type Binding = Ear;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Ear> {
        offer.claim(&self.provider)?;
        Ok(Ear(self.heard.clone()))
    }
}

impl ClientCalls for Ear {
    fn changed(&self, sum: u32) {
        self.0.store(sum, Ordering::SeqCst);
    }
}

/// A client's binding that does not listen.
pub(crate) struct Deaf;

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}
