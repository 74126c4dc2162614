//! What the machine knows of those who lend memory.

use super::{Handle, Key, Machine, binding_kind, registration_kind};
use crate::memory::Opening;
use crate::module::{Opaque, Role};

impl Machine {
    /// The registration that a handle stands for.
    pub(crate) fn registration_of(&self, handle: Option<Handle>, role: Role) -> Option<Key> {
        self.resolve(handle, registration_kind(role)).ok()
    }

    /// The binding that a handle stands for.
    pub(crate) fn binding_of(&self, handle: Option<Handle>, role: Role) -> Option<Key> {
        self.resolve(handle, binding_kind(role)).ok()
    }

    /// The two registrations of a binding.
    pub(crate) fn registrations_of(&self, binding: Key) -> impl Iterator<Item = Key> + use<> {
        let found = self.bindings.get(binding);
        let keys =
            found.map(|found| [Role::Client, Role::Provider].map(|role| found[role].registration));
        keys.into_iter().flatten()
    }

    /// What an end of a binding lends, once its module has handed it over.
    pub(crate) fn opening(&self, binding: Key, role: Role) -> Option<Opening> {
        let found = self.bindings.get(binding)?;
        let (end, module) = (&found[role], *self.module(found, role));
        let interface = self.interfaces.get(&module.npi);
        let table = interface.and_then(|interface| interface.table(role));
        let address = |opaque: Opaque| opaque.0.addr();
        Some(Opening {
            serial: found.serial,
            module,
            peer: self.module(found, role.other()).label,
            registration: end.registration,
            context: address(end.context),
            dispatch: address(end.dispatch),
            table: table.map(|table| table.size),
        })
    }
}
