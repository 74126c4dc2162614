//! Things that modules must not share: characteristics, identities, binding contexts (V-14, V-16,
//! V-35). Each is counted, so that the cost does not grow with what there is.

use core::hash::Hash;

use hashbrown::HashMap;
use nmr_sys::{GUID, Opaque};

use crate::memory::OutOfMemory;
use crate::module::{Module, ModuleId, Role};
use crate::policy::{self, Policy};
use crate::rule::Rule;
use crate::slab::Key;

/// What is in use, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sharing {
    /// The registration instances, by address.
    instances: Uses<Opaque>,
    /// If the policy asks for them.
    identities: Option<Uses<(Role, GUID, ModuleId)>>,
    /// The contexts that a cleanup callback gets, by registration.
    contexts: Uses<(Key, Opaque)>,
}

impl Sharing {
    /// As the policy says.
    pub(crate) fn of(policy: &Policy) -> Option<Self> {
        let identities = match policy.sharing {
            policy::Sharing::Ignored => return None,
            policy::Sharing::Memory => None,
            policy::Sharing::Identities => Some(Uses::default()),
        };
        Some(Self {
            identities,
            ..Self::default()
        })
    }

    /// Reserves the memory of one registration.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        if let Some(identities) = &mut self.identities {
            identities.0.try_reserve(1)?;
        }
        Ok(self.instances.0.try_reserve(1)?)
    }

    /// A module registers. Returns the rule that it breaks, if it breaks one. Who shares its
    /// characteristics shares the identity in them, which is no news.
    pub(crate) fn register(&mut self, module: &Module) -> Option<Rule> {
        let shared = self.instances.add(module.instance);
        let identities = self.identities.as_mut().zip(identity(module));
        let again = identities.is_some_and(|(identities, identity)| identities.add(identity));
        match (shared, again) {
            (true, _) => Some(Rule::V14),
            (false, true) => Some(Rule::V16),
            (false, false) => None,
        }
    }

    /// Its registration is closed.
    pub(crate) fn close(&mut self, module: &Module) {
        self.instances.remove(&module.instance);
        if let Some((identities, identity)) = self.identities.as_mut().zip(identity(module)) {
            identities.remove(&identity);
        }
    }

    /// A binding of a registration has a context. Returns whether another has it already.
    pub(crate) fn connect(&mut self, registration: Key, context: Opaque) -> bool {
        self.contexts.add((registration, context))
    }

    /// The module may free the context.
    pub(crate) fn disconnect(&mut self, registration: Key, context: Opaque) {
        self.contexts.remove(&(registration, context));
    }
}

fn identity(module: &Module) -> Option<(Role, GUID, ModuleId)> {
    Some((module.role(), module.npi, module.label.id?))
}

/// How often each value is in use.
#[derive(Clone, Debug)]
struct Uses<T>(HashMap<T, usize>);

impl<T> Default for Uses<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash> Uses<T> {
    /// Returns whether the value was in use already. Without memory it is not counted.
    fn add(&mut self, value: T) -> bool {
        if self.0.try_reserve(1).is_err() {
            return false;
        }
        let uses = self.0.entry(value).or_default();
        *uses += 1;
        *uses > 1
    }

    fn remove(&mut self, value: &T) {
        if let Some(uses) = self.0.get_mut(value) {
            *uses -= 1;
            if *uses == 0 {
                self.0.remove(value);
            }
        }
    }
}
