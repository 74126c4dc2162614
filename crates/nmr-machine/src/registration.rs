//! A registration, and the registrations of one interface.

use nmr_sys::GUID;

use crate::list::{Linked, Links, List};
use crate::module::{Module, Role};
use crate::slab::Key;

/// Where a registration stands (contract section 7, "Registration"). A closed one is no longer
/// there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Stage {
    /// It is offered to others.
    Live,
    /// It was deregistered.
    Stopping,
    /// It was deregistered, and a thread waits for the end.
    Awaited,
}

/// A registered module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registration {
    pub module: Module,
    /// Its interface, as long as it is live.
    pub npi: Key,
    pub stage: Stage,
    /// Whether its deregistration was answered with an error once, as the policy wants.
    pub refused: bool,
    /// Its bindings, in the order in which they were made.
    pub bindings: List,
    /// The next binding that its own registration offers.
    pub next_offer: Option<Key>,
    /// Its neighbours among the live registrations of its interface and role.
    pub(crate) links: Links,
}

impl Registration {
    /// One that is going to be appended to a list.
    pub(crate) fn new(module: Module, npi: Key, links: Links) -> Self {
        Self {
            module,
            npi,
            stage: Stage::Live,
            refused: false,
            bindings: List::default(),
            next_offer: None,
            links,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }
}

/// A registration is in the list of its interface and role.
impl Linked for Registration {
    type End = ();

    fn links(&self, (): ()) -> &Links {
        &self.links
    }

    fn links_mut(&mut self, (): ()) -> &mut Links {
        &mut self.links
    }
}

/// The live registrations of one interface, in the order in which they registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides {
    pub(crate) npi: GUID,
    clients: List,
    providers: List,
}

impl Sides {
    pub(crate) fn new(npi: GUID) -> Self {
        Self {
            npi,
            clients: List::default(),
            providers: List::default(),
        }
    }

    pub(crate) fn list(&self, role: Role) -> List {
        match role {
            Role::Client => self.clients,
            Role::Provider => self.providers,
        }
    }

    pub(crate) fn list_mut(&mut self, role: Role) -> &mut List {
        match role {
            Role::Client => &mut self.clients,
            Role::Provider => &mut self.providers,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.providers.is_empty()
    }
}
