//! Handles: what the NMR gives out instead of pointers. A handle says what it is, whose it is and
//! which generation of its slot it means, so that a wrong, stale or invented one is recognized.

use std::ffi::c_void;
use std::num::NonZeroU32;
use std::ptr;

use super::binding_kind;
use super::slab::Key;
use crate::module::Role;

/// What a handle stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// The registration of a client.
    Client = 1,
    /// The registration of a provider.
    Provider = 2,
    /// The client's end of a binding.
    ClientBinding = 3,
    /// The provider's end of a binding.
    ProviderBinding = 4,
}

/// A handle, taken apart. Packed into 64 bits: kind 3, instance 14, generation 20, index 27.
///
/// INVARIANT: the packed form is never zero, because no kind is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Handle {
    pub(crate) kind: Kind,
    /// The registrar that issued it.
    pub(crate) instance: u32,
    pub(crate) key: Key,
}

/// The number of registrars that can be told apart.
pub(crate) const INSTANCES: u32 = 1 << 14;

const INSTANCE_SHIFT: u32 = Key::INDEX_BITS + Key::GENERATION_BITS;
const KIND_SHIFT: u32 = INSTANCE_SHIFT + INSTANCES.ilog2();

impl Handle {
    /// Whether it claims to be this module's end of a binding.
    pub(crate) fn is_binding_of(self, role: Role) -> bool {
        self.kind == binding_kind(role)
    }

    /// The value that a module sees.
    pub(crate) fn pack(self) -> usize {
        let bits = (self.kind as u64) << KIND_SHIFT
            | u64::from(self.instance) << INSTANCE_SHIFT
            | u64::from(self.key.generation.get()) << Key::INDEX_BITS
            | u64::from(self.key.index);
        usize::try_from(bits).expect("the registrar runs on 64-bit hosts")
    }

    /// The same as the pointer that C code stores.
    pub(crate) fn address(self) -> *mut c_void {
        ptr::without_provenance_mut(self.pack())
    }

    /// Takes a value apart. `None` if this registrar cannot have made it.
    pub(crate) fn unpack(value: usize) -> Option<Self> {
        let bits = value as u64;
        let kind = match bits >> KIND_SHIFT {
            1 => Kind::Client,
            2 => Kind::Provider,
            3 => Kind::ClientBinding,
            4 => Kind::ProviderBinding,
            _ => return None,
        };
        let field = |shift: u32, size: u32| {
            u32::try_from(bits >> shift & ((1 << size) - 1)).expect("fewer than 32 bits")
        };
        let generation = field(Key::INDEX_BITS, Key::GENERATION_BITS);
        Some(Self {
            kind,
            instance: field(INSTANCE_SHIFT, INSTANCES.ilog2()),
            key: Key {
                generation: NonZeroU32::new(generation)?,
                index: field(0, Key::INDEX_BITS),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_survives_packing() {
        let key = Key {
            generation: NonZeroU32::new((1 << Key::GENERATION_BITS) - 1).unwrap(),
            index: 12_345,
        };
        for kind in [
            Kind::Client,
            Kind::Provider,
            Kind::ClientBinding,
            Kind::ProviderBinding,
        ] {
            let handle = Handle {
                kind,
                instance: INSTANCES - 1,
                key,
            };
            assert_eq!(Handle::unpack(handle.pack()), Some(handle));
        }
    }

    #[test]
    fn null_and_pointers_are_not_handles() {
        assert_eq!(Handle::unpack(0), None);
        let local = 0_u32;
        assert_eq!(Handle::unpack((&raw const local).addr()), None);
        assert_eq!(Handle::unpack(usize::MAX), None);
    }
}
