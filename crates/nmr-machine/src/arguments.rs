//! Arguments of callbacks.

use nmr_sys::Opaque;

use crate::event::Invocation;
use crate::handle::Kind;
use crate::machine::Machine;
use crate::module::{Callback, Callee, Role};
use crate::offer::{Offer, Side};
use crate::slab::Key;

/// What a callback is called with. It stays the same until the callback has returned.
#[derive(Clone, Copy, Debug)]
pub enum Arguments {
    /// `ClientAttachProvider`, and the offer that begins with it.
    Attach(Side, Offer),
    /// A detach callback, with its module's binding context.
    Detach(Callee, Opaque),
    /// A cleanup callback, with the same.
    Cleanup(Callee, Opaque),
}

impl Machine {
    /// What a callback is to be called with. (A provider's attach callback is not among them: the
    /// client calls it, by way of the [`Offer`].)
    #[must_use]
    pub fn arguments(&self, invocation: Invocation) -> Arguments {
        let Invocation { binding, role, .. } = invocation;
        let (callee, context) = self.end(binding, role);
        match invocation.callback {
            Callback::Attach => Arguments::Attach(self.side(binding, role), self.offer(binding)),
            Callback::Detach => Arguments::Detach(callee, context),
            Callback::Cleanup => Arguments::Cleanup(callee, context),
        }
    }

    /// What the attach callback of one end is called with.
    #[must_use]
    #[inline]
    pub fn side(&self, binding: Key, role: Role) -> Side {
        let found = self.binding(binding);
        Side {
            callee: self.module(found, role).callee,
            handle: self.handle(Kind::of_binding(role), binding),
            peer: self.module(found, role.other()).instance,
        }
    }

    /// The module of one end, and its context: what the other callbacks are called with.
    #[must_use]
    #[inline]
    pub fn end(&self, binding: Key, role: Role) -> (Callee, Opaque) {
        let found = self.binding(binding);
        (self.module(found, role).callee, found[role].context)
    }
}
