//! A binding: one client registration, one provider registration, and where the two stand.

use core::ops::{Index, IndexMut};

use nmr_sys::Opaque;

use crate::detach::Detach;
use crate::list::{Linked, Links};
use crate::module::Role;
use crate::slab::Key;

/// Where a binding stands (contract section 7, "Binding"). A dead binding is no longer there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Phase {
    /// The offer has not started.
    Planned,
    /// `ClientAttachProvider` is running.
    Offering,
    /// Both modules attached.
    Attached,
    /// The modules were asked to detach, or are about to be.
    Detaching,
    /// Both modules detached; the cleanup callbacks run.
    Cleaning,
}

/// One module's end of a binding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct End {
    pub registration: Key,
    pub detach: Detach,
    /// The module's binding context.
    pub context: Opaque,
    /// The module's dispatch table.
    pub dispatch: Opaque,
    /// Whether its cleanup callback is still to be called.
    pub cleanup: bool,
    /// Its neighbours among the bindings of its registration.
    pub(crate) links: Links,
}

impl End {
    /// An end whose binding is going to be appended to a list.
    pub(crate) fn new(registration: Key, links: Links) -> Self {
        Self {
            registration,
            detach: Detach::NotCalled,
            context: Opaque::NULL,
            dispatch: Opaque::NULL,
            cleanup: false,
            links,
        }
    }

    /// The module has passed its context and its table.
    pub(crate) fn pass(&mut self, (context, dispatch): (Opaque, Opaque)) {
        (self.context, self.dispatch) = (context, dispatch);
    }
}

/// A pair of registrations of one interface. At most one exists for a pair (I-1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Binding {
    /// Its number among all bindings of the registrar, for people.
    pub serial: u64,
    /// The module whose registration makes the offer.
    pub registrant: Role,
    pub phase: Phase,
    client: End,
    provider: End,
    /// The next binding that the same deregistration detaches.
    pub next: Option<Key>,
}

impl Binding {
    pub(crate) fn new(serial: u64, registrant: Role, client: End, provider: End) -> Self {
        Self {
            serial,
            registrant,
            phase: Phase::Planned,
            client,
            provider,
            next: None,
        }
    }

    /// The detach callback of an end is called, if it was not yet. Returns whether it is.
    pub(crate) fn call_detach(&mut self, role: Role) -> bool {
        let end = &mut self[role];
        let due = matches!(end.detach, Detach::NotCalled | Detach::CompletedBefore);
        if due {
            end.detach = end.detach.called();
        }
        due
    }

    /// Returns `true` if both ends have detached.
    pub(crate) fn is_detached(&self) -> bool {
        self.client.detach == Detach::Done && self.provider.detach == Detach::Done
    }
}

impl Index<Role> for Binding {
    type Output = End;

    fn index(&self, role: Role) -> &End {
        match role {
            Role::Client => &self.client,
            Role::Provider => &self.provider,
        }
    }
}

impl IndexMut<Role> for Binding {
    fn index_mut(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Provider => &mut self.provider,
        }
    }
}

/// A binding is in the list of each of its registrations.
impl Linked for Binding {
    type End = Role;

    fn links(&self, role: Role) -> &Links {
        &self[role].links
    }

    fn links_mut(&mut self, role: Role) -> &mut Links {
        &mut self[role].links
    }
}
