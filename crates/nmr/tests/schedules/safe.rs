//! Modules of the safe layer, whose bindings notice when they are used after they were dropped.

use std::sync::Arc;

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Client, Detach, Error, Guid, Identity, Module, Offer, Peer, Provider, Registration, Result,
    Slot,
};
use shuttle::rand::{RngCore, thread_rng};
use shuttle::thread;

use crate::memory::Alive;
use crate::world::maybe;

const MODULE: Guid = Guid::from_u128(0x90c3e0a6_3d5e_4d6a_a86b_3f4f3a6d2b22);

/// An identity that no other module has, so that the record tells them apart.
fn identity() -> Identity {
    Identity {
        number: thread_rng().next_u32(),
        ..Identity::new(MODULE)
    }
}

/// What a module does with the end of its part in a binding, other than dropping it.
pub(crate) type Keeper<D> = Box<dyn Fn(Detach<D>) + Send + Sync>;
/// Something that a module does inside a callback.
pub(crate) type Hook<T> = Box<dyn Fn(&T) + Send + Sync>;

/// A provider that adds, and tells its clients.
pub(crate) struct Adder {
    pub(crate) alive: Alive,
    /// Whether it declines some clients that have accepted it.
    pub(crate) picky: bool,
    /// When it has decided, and the client may still not be attached.
    pub(crate) on_attach: Hook<Peer<ClientDispatch>>,
    pub(crate) on_detach: Keeper<ClientDispatch>,
}

impl Adder {
    pub(crate) fn new() -> Self {
        Self {
            alive: Alive::new(),
            picky: false,
            on_attach: Box::new(|_| ()),
            on_detach: Box::new(drop),
        }
    }
}

/// What it has for one client.
pub(crate) struct Account {
    alive: Alive,
    pub(crate) client: Peer<ClientDispatch>,
}

impl Module<Provider<Exnpi>> for Adder {
    type Binding = Account;

    fn identity(&self) -> Identity {
        identity()
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Account> {
        self.alive.check();
        let client = offer.peer()?;
        (self.on_attach)(&client);
        if self.picky && maybe() {
            return Err(Error::NO_INTERFACE);
        }
        let alive = Alive::new();
        Ok(Account { alive, client })
    }

    fn detaching(&self, account: &Account, detach: Detach<ClientDispatch>) {
        self.alive.check();
        account.alive.check();
        assert!(
            account.client.enter().is_err(),
            "calls begin after the detach"
        );
        (self.on_detach)(detach);
    }
}

impl ProviderCalls for Account {
    fn add(&self, value: u32) -> u32 {
        self.alive.check();
        thread::yield_now();
        if let Ok(client) = self.client.enter() {
            client.changed(value);
        }
        self.alive.check();
        value + 1
    }
}

/// A client with one provider at a time, or with many.
pub(crate) struct User {
    pub(crate) alive: Alive,
    /// Whether it has a peer for each provider, and leaves its slot vacant.
    pub(crate) many: bool,
    pub(crate) provider: Line,
    pub(crate) on_attached: Hook<Line>,
    pub(crate) on_detach: Keeper<ProviderDispatch>,
}

/// A client's slot, which threads may keep.
pub(crate) type Line = Arc<Slot<ProviderDispatch>>;

/// What a provider calls.
pub(crate) struct Ear {
    alive: Alive,
    provider: Option<Peer<ProviderDispatch>>,
}

impl User {
    /// A client whose provider threads can call.
    pub(crate) fn new() -> Self {
        Self {
            alive: Alive::new(),
            many: false,
            provider: Arc::new(Slot::new().expect("there is memory")),
            on_attached: Box::new(|_| ()),
            on_detach: Box::new(drop),
        }
    }
}

impl Module<Client<Exnpi>> for User {
    type Binding = Ear;

    fn identity(&self) -> Identity {
        identity()
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Ear> {
        self.alive.check();
        let provider = if self.many {
            Some(offer.peer()?)
        } else {
            offer.claim(&self.provider)?;
            None
        };
        let alive = Alive::new();
        Ok(Ear { alive, provider })
    }

    fn attached(&self, ear: &Ear) {
        self.alive.check();
        ear.alive.check();
        (self.on_attached)(&self.provider);
    }

    fn detaching(&self, ear: &Ear, detach: Detach<ProviderDispatch>) {
        self.alive.check();
        ear.alive.check();
        let attached = match &ear.provider {
            Some(provider) => provider.enter().is_ok(),
            None => self.provider.enter().is_ok(),
        };
        assert!(!attached, "calls begin after the detach");
        (self.on_detach)(detach);
    }
}

impl ClientCalls for Ear {
    fn changed(&self, sum: u32) {
        self.alive.check();
        thread::yield_now();
        if let Some(Ok(provider)) = self.provider.as_ref().map(Peer::enter)
            && sum > 1
        {
            provider.add(0);
        }
        self.alive.check();
    }
}

/// Calls the provider, if it is attached.
pub(crate) fn add(line: &Line) -> bool {
    let Ok(call) = line.enter() else { return false };
    thread::yield_now();
    assert_eq!(call.add(1), 2);
    thread::yield_now();
    true
}

pub(crate) fn provider() -> Registration<Provider<Exnpi>, Adder> {
    Registration::new(Adder::new()).expect("there is memory")
}

pub(crate) fn client() -> Registration<Client<Exnpi>, User> {
    Registration::new(User::new()).expect("there is memory")
}
