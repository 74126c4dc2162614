//! The structures of `netioddk.h`, and the module identifiers of `netiodef.h` (contract section
//! 1.1). Their layout is asserted in `layout.rs`.

use core::ffi::c_void;
use core::fmt;

use crate::callbacks::{
    NPI_CLIENT_ATTACH_PROVIDER_FN, NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN,
    NPI_CLIENT_DETACH_PROVIDER_FN, NPI_PROVIDER_ATTACH_CLIENT_FN,
    NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN, NPI_PROVIDER_DETACH_CLIENT_FN,
};

/// A globally unique identifier.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[expect(missing_docs, reason = "the fields have no meaning of their own")]
pub struct GUID {
    pub Data1: u32,
    pub Data2: u16,
    pub Data3: u16,
    pub Data4: [u8; 8],
}

impl GUID {
    /// The identifier whose usual text form has these digits:
    /// `0x2227e803_8d8b_11d4_abad_009027719e09` is `2227e803-8d8b-11d4-abad-009027719e09`.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each field takes its own digits"
    )]
    pub const fn from_u128(digits: u128) -> Self {
        Self {
            Data1: (digits >> 96) as u32,
            Data2: (digits >> 80) as u16,
            Data3: (digits >> 64) as u16,
            Data4: (digits as u64).to_be_bytes(),
        }
    }

    /// Returns `true` if every bit is zero.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        *self == Self::default()
    }
}

/// The usual text form, in lower case.
impl fmt::Display for GUID {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-",
            self.Data1, self.Data2, self.Data3
        )?;
        let [a, b, node @ ..] = self.Data4;
        write!(f, "{a:02x}{b:02x}-")?;
        node.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The identifier of a network programming interface.
pub type NPIID = GUID;

/// The locally unique identifier of a network interface. Alignment 4, unlike a 64-bit integer.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[expect(missing_docs, reason = "the two halves of one number")]
pub struct LUID {
    pub LowPart: u32,
    pub HighPart: i32,
}

/// Says which member of [`NPI_MODULEID_VALUE`] is meant: [`MIT_GUID`] or [`MIT_IF_LUID`]. Zero is
/// not a valid value.
pub type NPI_MODULEID_TYPE = i32;
/// The module is identified by a GUID.
pub const MIT_GUID: NPI_MODULEID_TYPE = 1;
/// The module is identified by the LUID of a network interface.
pub const MIT_IF_LUID: NPI_MODULEID_TYPE = 2;

/// The value of an [`NPI_MODULEID`]: an anonymous union in the header.
#[repr(C)]
#[derive(Clone, Copy)]
pub union NPI_MODULEID_VALUE {
    /// For [`MIT_GUID`].
    pub Guid: GUID,
    /// For [`MIT_IF_LUID`].
    pub IfLuid: LUID,
}

/// The identity of a network module.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NPI_MODULEID {
    /// The size of this structure in bytes: 24.
    pub Length: u16,
    /// Which member of `Value` is meant.
    pub Type: NPI_MODULEID_TYPE,
    /// The identity.
    pub Value: NPI_MODULEID_VALUE,
}

/// A pair of a handle and a dispatch table. The NMR itself never uses it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NPI {
    /// The first argument of every function in the table.
    pub Handle: *mut c_void,
    /// The dispatch table.
    pub Dispatch: *const c_void,
}

/// A module's description of itself for the other side. Everything it points to stays valid, resident
/// and unchanged until the registration's wait has returned.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NPI_REGISTRATION_INSTANCE {
    /// 0, although XDP uses 1 and Windows does not mind.
    pub Version: u16,
    /// The size of this structure in bytes: 40.
    pub Size: u16,
    /// The interface. The only thing that the NMR compares.
    pub NpiId: *const NPIID,
    /// The module. Other modules read it without looking for null.
    pub ModuleId: *const NPI_MODULEID,
    /// The implementation of the interface, 0 when there is only one.
    pub Number: u32,
    /// What the interface defines, or null.
    pub NpiSpecificCharacteristics: *const c_void,
}

/// What a client registers: `NPI_CLIENT_CHARACTERISTICS`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NPI_CLIENT_CHARACTERISTICS {
    /// 0.
    pub Version: u16,
    /// The size of this structure in bytes: 72.
    pub Length: u16,
    /// Required.
    pub ClientAttachProvider: Option<NPI_CLIENT_ATTACH_PROVIDER_FN>,
    /// Required.
    pub ClientDetachProvider: Option<NPI_CLIENT_DETACH_PROVIDER_FN>,
    /// `None` when no cleanup is wanted.
    pub ClientCleanupBindingContext: Option<NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN>,
    /// What providers see of the client.
    pub ClientRegistrationInstance: NPI_REGISTRATION_INSTANCE,
}

/// What a provider registers: `NPI_PROVIDER_CHARACTERISTICS`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NPI_PROVIDER_CHARACTERISTICS {
    /// 0.
    pub Version: u16,
    /// The size of this structure in bytes: 72.
    pub Length: u16,
    /// Required.
    pub ProviderAttachClient: Option<NPI_PROVIDER_ATTACH_CLIENT_FN>,
    /// Required.
    pub ProviderDetachClient: Option<NPI_PROVIDER_DETACH_CLIENT_FN>,
    /// `None` when no cleanup is wanted.
    pub ProviderCleanupBindingContext: Option<NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN>,
    /// What clients see of the provider.
    pub ProviderRegistrationInstance: NPI_REGISTRATION_INSTANCE,
}
