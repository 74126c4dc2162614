//! The owners of memory on loan to the registrar.

use nmr_sys::Opaque;

use crate::handle::{Handle, Kind};
use crate::machine::Machine;
use crate::module::{Module, ModuleLabel, Role};
use crate::slab::Key;

/// What the machine knows of an end of a binding when its module begins to lend.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// The number of the binding.
    pub serial: u64,
    /// Whose end it is.
    pub module: Module,
    /// The module of the other end.
    pub peer: ModuleLabel,
    /// Its registration.
    pub registration: Key,
    /// The address of its context.
    pub context: usize,
    /// The address of its table.
    pub dispatch: usize,
}

impl Machine {
    /// The registration that a handle stands for.
    #[must_use]
    pub fn registration_of(&self, handle: Option<Handle>, role: Role) -> Option<Key> {
        self.resolve(handle, Kind::of_registration(role)).ok()
    }

    /// The binding that a handle stands for.
    #[must_use]
    pub fn binding_of(&self, handle: Option<Handle>, role: Role) -> Option<Key> {
        self.resolve(handle, Kind::of_binding(role)).ok()
    }

    /// The two registrations of a binding.
    pub fn registrations_of(&self, binding: Key) -> impl Iterator<Item = Key> + use<> {
        let found = self.bindings.get(binding);
        let keys =
            found.map(|found| [Role::Client, Role::Provider].map(|role| found[role].registration));
        keys.into_iter().flatten()
    }

    /// What an end of a binding lends whose module has passed this context and this table.
    #[must_use]
    pub fn opening(&self, binding: Key, role: Role, passed: (Opaque, Opaque)) -> Option<Opening> {
        let found = self.bindings.get(binding)?;
        let module = *self.module(found, role);
        Some(Opening {
            serial: found.serial,
            module,
            peer: self.module(found, role.other()).label,
            registration: found[role].registration,
            context: passed.0.0.addr(),
            dispatch: passed.1.0.addr(),
        })
    }
}
