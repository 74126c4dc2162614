//! Handles: what the NMR gives out instead of pointers. A handle says what it is, whose it is and
//! which generation of its slot it means, so that a wrong, stale or invented one is recognized.

use core::ffi::c_void;
use core::num::NonZeroU64;
use core::ptr;

use crate::module::Role;
use crate::slab::{Key, to_usize};

/// What a handle stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// The registration of a client.
    Client = 1,
    /// The registration of a provider.
    Provider = 2,
    /// The client's end of a binding.
    ClientBinding = 3,
    /// The provider's end of a binding.
    ProviderBinding = 4,
}

impl Kind {
    /// That of a registration.
    #[inline]
    pub(crate) fn of_registration(role: Role) -> Self {
        match role {
            Role::Client => Self::Client,
            Role::Provider => Self::Provider,
        }
    }

    /// That of a module's end of a binding.
    #[inline]
    pub(crate) fn of_binding(role: Role) -> Self {
        match role {
            Role::Client => Self::ClientBinding,
            Role::Provider => Self::ProviderBinding,
        }
    }
}

/// A handle: kind 3 bits, instance 14, key 47.
///
/// INVARIANT: the kind is one of the four, and the key is one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle(NonZeroU64);

/// The number of registrars that handles distinguish.
pub const INSTANCES: u32 = 1 << 14;

const INSTANCE_SHIFT: u32 = Key::BITS;
const KIND_SHIFT: u32 = INSTANCE_SHIFT + INSTANCES.ilog2();

impl Handle {
    #[expect(clippy::expect_used, reason = "the key alone is not zero")]
    pub(crate) fn new(kind: Kind, instance: u32, key: Key) -> Self {
        let kind = (kind as u64) << KIND_SHIFT;
        let bits = kind | u64::from(instance) << INSTANCE_SHIFT | key.bits();
        Self(NonZeroU64::new(bits).expect("a key is not zero"))
    }

    /// The handle that a value is. `None` if this registrar cannot have made it.
    #[must_use]
    pub fn of_value(value: usize) -> Option<Self> {
        let handle = Self(NonZeroU64::new(value as u64)?);
        handle.known_kind().and(handle.known_key()).map(|_| handle)
    }

    /// What it stands for.
    #[expect(clippy::expect_used, reason = "the invariant")]
    #[must_use]
    pub fn kind(self) -> Kind {
        self.known_kind().expect("the invariant")
    }

    fn known_kind(self) -> Option<Kind> {
        Some(match self.0.get() >> KIND_SHIFT {
            1 => Kind::Client,
            2 => Kind::Provider,
            3 => Kind::ClientBinding,
            4 => Kind::ProviderBinding,
            _ => return None,
        })
    }

    /// The registrar that issued it.
    #[must_use]
    pub fn instance(self) -> u32 {
        let instance = self.0.get() >> INSTANCE_SHIFT & u64::from(INSTANCES - 1);
        instance as u32
    }

    /// Its registration or binding.
    #[expect(clippy::expect_used, reason = "the invariant")]
    #[must_use]
    pub fn key(self) -> Key {
        self.known_key().expect("the invariant")
    }

    fn known_key(self) -> Option<Key> {
        Key::of_bits(self.0.get() & ((1 << Key::BITS) - 1))
    }

    /// Returns `true` if it claims to be this module's end of a binding.
    #[must_use]
    pub fn is_binding_of(self, role: Role) -> bool {
        self.kind() == Kind::of_binding(role)
    }

    /// The value that a module sees.
    #[must_use]
    pub fn value(self) -> usize {
        to_usize(self.0.get())
    }

    /// The same as the pointer that C code stores.
    #[must_use]
    pub fn address(self) -> *mut c_void {
        ptr::without_provenance_mut(self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_says_what_went_into_it() {
        let key = Key::of_bits((1 << Key::BITS) - 12_345).unwrap();
        for kind in [
            Kind::Client,
            Kind::Provider,
            Kind::ClientBinding,
            Kind::ProviderBinding,
        ] {
            let handle = Handle::new(kind, INSTANCES - 1, key);
            assert_eq!(Handle::of_value(handle.value()), Some(handle));
            assert_eq!(
                (handle.kind(), handle.instance(), handle.key()),
                (kind, INSTANCES - 1, key)
            );
        }
    }

    #[test]
    fn null_and_pointers_are_not_handles() {
        assert_eq!(Handle::of_value(0), None);
        let local = 0_u32;
        assert_eq!(Handle::of_value((&raw const local).addr()), None);
        assert_eq!(Handle::of_value(usize::MAX), None);
    }
}
