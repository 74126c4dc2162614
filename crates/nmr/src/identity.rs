//! [`Identity`]: what a module says about itself (`NPI_MODULEID`, `NPI_REGISTRATION_INSTANCE`).
// UNSAFETY: a module identifier is a C union behind a pointer of the peer.
#![expect(unsafe_code)]

use nmr_sys::{
    GUID, LUID, MIT_GUID, MIT_IF_LUID, NPI_MODULEID, NPI_MODULEID_VALUE, NPI_REGISTRATION_INSTANCE,
};

use crate::role::length;

/// The identity of a module: `NPI_MODULEID`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ModuleId {
    /// The usual kind: `MIT_GUID`.
    Guid(GUID),
    /// The module stands for a network interface: `MIT_IF_LUID`.
    IfLuid(LUID),
}

/// A module's description of itself for the other side: the plain part of `NPI_REGISTRATION_INSTANCE`.
///
/// The NMR compares none of it. Modules do, to choose their peers. It belongs to a registration
/// and not to a type, so one driver can register the same module once per network interface.
///
/// ```
/// use nmr::{Guid, Identity};
///
/// const DRIVER: Guid = Guid::from_u128(0x5d3b2ad1_46c5_4c8e_9f3c_7f53a1a0e1c4);
/// let usual = Identity::new(DRIVER);
/// let second_interface = Identity { number: 2, ..usual };
/// assert_eq!(second_interface.module, usual.module);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// Which module it is.
    pub module: ModuleId,
    /// Which of several implementations of the interface: `Number`. 0 when there is only one.
    pub number: u32,
    /// The version of the instance structure: `Version`. Documented as 0; XDP uses 1.
    pub version: u16,
}

impl Identity {
    /// The identity of a driver that implements the interface once.
    #[must_use]
    pub const fn new(module: GUID) -> Self {
        Self {
            module: ModuleId::Guid(module),
            number: 0,
            version: 0,
        }
    }

    /// The identity in an instance. `None` if it names no module, or one of an unknown kind.
    ///
    /// # Safety
    ///
    /// * The module identifier of the instance is null or valid for reads.
    pub(crate) unsafe fn of(instance: &NPI_REGISTRATION_INSTANCE) -> Option<Self> {
        // SAFETY: the pointer must be null or valid, which the caller promises.
        let module = unsafe { instance.ModuleId.as_ref() }?;
        Some(Self {
            module: ModuleId::from_npi(module)?,
            number: instance.Number,
            version: instance.Version,
        })
    }
}

impl ModuleId {
    /// The identifier in the form of the header.
    pub(crate) const fn to_npi(self) -> NPI_MODULEID {
        let (kind, value) = match self {
            Self::Guid(guid) => (MIT_GUID, NPI_MODULEID_VALUE { Guid: guid }),
            Self::IfLuid(luid) => (MIT_IF_LUID, NPI_MODULEID_VALUE { IfLuid: luid }),
        };
        NPI_MODULEID {
            Length: length::<NPI_MODULEID>(),
            Type: kind,
            Value: value,
        }
    }

    fn from_npi(id: &NPI_MODULEID) -> Option<Self> {
        match id.Type {
            // SAFETY: reading a member of the union needs its bytes to be initialized: the type
            // says that this member is in use.
            MIT_GUID => Some(Self::Guid(unsafe { id.Value.Guid })),
            // SAFETY: as above.
            MIT_IF_LUID => Some(Self::IfLuid(unsafe { id.Value.IfLuid })),
            _ => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::ptr::{null, null_mut};

    use nmr_sys::{GUID, LUID, NPI_MODULEID, NPI_REGISTRATION_INSTANCE};

    use super::{Identity, ModuleId};

    fn instance(id: *const NPI_MODULEID) -> NPI_REGISTRATION_INSTANCE {
        NPI_REGISTRATION_INSTANCE {
            Version: 1,
            Size: 40,
            NpiId: null(),
            ModuleId: id,
            Number: 5,
            NpiSpecificCharacteristics: null_mut(),
        }
    }

    fn read(id: *const NPI_MODULEID) -> Option<Identity> {
        // SAFETY: every test passes null or a reference.
        unsafe { Identity::of(&instance(id)) }
    }

    #[test]
    fn an_identity_survives_the_header_form() {
        let guid = ModuleId::Guid(GUID::from_u128(7));
        let luid = ModuleId::IfLuid(LUID {
            LowPart: 3,
            HighPart: -4,
        });
        for module in [guid, luid] {
            let expected = Identity {
                module,
                number: 5,
                version: 1,
            };
            assert_eq!(read(&module.to_npi()), Some(expected));
        }
    }

    #[test]
    fn a_module_without_an_identifier_has_no_identity() {
        assert_eq!(read(null()), None);
    }

    #[test]
    fn an_unknown_kind_of_identifier_is_no_identity() {
        let mut id = ModuleId::Guid(GUID::from_u128(7)).to_npi();
        id.Type = 3;
        assert_eq!(read(&raw const id), None);
    }
}
