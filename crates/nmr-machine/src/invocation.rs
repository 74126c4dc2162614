//! The callbacks that a machine wants called, and what they are called with.

use nmr_sys::Opaque;

use super::binding::Binding;
use super::{Handle, Key, Machine, binding_kind};
use crate::module::{Callback, Callee, Module, Role};

/// A callback that a thread is to call: which one, of which end of which binding.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub struct Invocation {
    pub binding: Key,
    pub role: Role,
    pub callback: Callback,
}

/// What a callback is called with. It stays the same until the callback has returned.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum Arguments {
    /// `ClientAttachProvider`.
    ClientAttach(Side),
    /// `ProviderAttachClient`, with the client's context and table.
    ProviderAttach {
        side: Side,
        context: Opaque,
        dispatch: Opaque,
    },
    /// A detach callback, with its module's binding context.
    Detach(Callee, Opaque),
    /// A cleanup callback, with the same.
    Cleanup(Callee, Opaque),
}

/// What an attach callback of either role is called with.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// The module that is called.
    pub callee: Callee,
    /// Its handle of the binding.
    pub handle: Handle,
    /// The registration instance of the other module.
    pub peer: Opaque,
}

impl Machine {
    /// What a callback is to be called with.
    #[must_use]
    pub fn arguments(&self, invocation: Invocation) -> Arguments {
        let Invocation {
            binding,
            role,
            callback,
        } = invocation;
        let found = self.binding(binding);
        match callback {
            Callback::Attach => {
                let [client, provider] = self.sides(binding);
                match role {
                    Role::Client => Arguments::ClientAttach(client),
                    Role::Provider => Arguments::ProviderAttach {
                        side: provider,
                        context: found[Role::Client].context,
                        dispatch: found[Role::Client].dispatch,
                    },
                }
            }
            Callback::Detach => {
                let (callee, context) = self.end(found, role);
                Arguments::Detach(callee, context)
            }
            Callback::Cleanup => {
                let (callee, context) = self.end(found, role);
                Arguments::Cleanup(callee, context)
            }
        }
    }

    /// The sides of an offer, the client's first.
    #[inline]
    #[must_use]
    pub fn sides(&self, binding: Key) -> [Side; 2] {
        let found = self.binding(binding);
        let [client, provider] =
            [Role::Client, Role::Provider].map(|role| self.module(found, role));
        let side = |own: &Module, peer: &Module| Side {
            callee: own.callee,
            handle: self.handle(binding_kind(own.role()), binding),
            peer: peer.instance,
        };
        [side(client, provider), side(provider, client)]
    }

    /// The modules of a binding, each with its context, this one first.
    #[inline]
    #[must_use]
    pub fn ends(&self, binding: Key, first: Role) -> [(Callee, Opaque); 2] {
        let found = self.binding(binding);
        [first, first.other()].map(|role| self.end(found, role))
    }

    fn end(&self, binding: &Binding, role: Role) -> (Callee, Opaque) {
        (self.module(binding, role).callee, binding[role].context)
    }
}
