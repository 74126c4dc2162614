//! A module of a program, in the C types: its characteristics, and its callbacks, which find the
//! run in progress through the thread.
// UNSAFETY: callbacks that read what they are passed, and characteristics behind pointers.
#![expect(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use nmr_machine::{Module, Role};
use nmr_sys::{
    GUID, MIT_GUID, NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE,
    NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_VALUE, NPI_PROVIDER_CHARACTERISTICS,
    NPI_REGISTRATION_INSTANCE, NPIID, NTSTATUS,
};

use super::answer;
use crate::findings::Findings;
use crate::policy::{Mode, Policy};
use crate::validate;

/// The interfaces of the programs.
static NPIS: [NPIID; 2] = [
    GUID::from_u128(0x1d2d_59f3_5d5c_4f3c_a39f_8f6e_3f1d_0001),
    GUID::from_u128(0x1d2d_59f3_5d5c_4f3c_a39f_8f6e_3f1d_0002),
];
/// The identity of all modules. They differ in their number.
static ID: NPI_MODULEID = NPI_MODULEID {
    Length: 24,
    Type: MIT_GUID,
    Value: NPI_MODULEID_VALUE {
        Guid: GUID::from_u128(0x1d2d_59f3_5d5c_4f3c_a39f_8f6e_3f1d_0003),
    },
};

/// What a module registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) role: Role,
    /// Which interface.
    pub(super) npi: usize,
    /// Whether there is a cleanup callback.
    pub(super) cleanup: bool,
    /// What is wrong with the characteristics, or 0.
    pub(super) malformed: usize,
}

/// A module, and the place of its handle.
pub(super) struct Registered {
    pub(super) role: Role,
    /// Its number, from 1, which is also its registration context.
    number: usize,
    client: NPI_CLIENT_CHARACTERISTICS,
    provider: NPI_PROVIDER_CHARACTERISTICS,
    without_characteristics: bool,
    without_place: bool,
    place: Cell<*mut c_void>,
}

impl Registered {
    pub(super) fn new(shape: Shape, number: usize) -> Self {
        let wrong = shape.malformed;
        let instance = NPI_REGISTRATION_INSTANCE {
            Version: u16::from(wrong == 1),
            Size: if wrong == 2 { 39 } else { 40 },
            NpiId: if wrong == 3 {
                ptr::null()
            } else {
                &raw const NPIS[shape.npi]
            },
            ModuleId: if wrong == 4 {
                ptr::null()
            } else {
                &raw const ID
            },
            Number: u32::try_from(number).expect("few modules"),
            NpiSpecificCharacteristics: ptr::null(),
        };
        let version = u16::from(wrong == 5);
        let length = if wrong == 6 { 71 } else { 72 };
        Self {
            role: shape.role,
            number,
            client: NPI_CLIENT_CHARACTERISTICS {
                Version: version,
                Length: length,
                ClientAttachProvider: Some(client_attach),
                ClientDetachProvider: Some(client_detach),
                ClientCleanupBindingContext: shape.cleanup.then_some(client_cleanup as _),
                ClientRegistrationInstance: instance,
            },
            provider: NPI_PROVIDER_CHARACTERISTICS {
                Version: version,
                Length: length,
                ProviderAttachClient: Some(provider_attach),
                ProviderDetachClient: Some(provider_detach),
                ProviderCleanupBindingContext: shape.cleanup.then_some(provider_cleanup as _),
                ProviderRegistrationInstance: instance,
            },
            without_characteristics: wrong == 7,
            without_place: wrong == 8,
            place: Cell::new(ptr::null_mut()),
        }
    }
}

impl Registered {
    /// What it passes to the register function of its role, or null.
    pub(super) fn client(&self) -> *const NPI_CLIENT_CHARACTERISTICS {
        if self.without_characteristics {
            ptr::null()
        } else {
            &raw const self.client
        }
    }

    /// As [`client`](Self::client).
    pub(super) fn provider(&self) -> *const NPI_PROVIDER_CHARACTERISTICS {
        if self.without_characteristics {
            ptr::null()
        } else {
            &raw const self.provider
        }
    }

    /// The registration context.
    pub(super) fn context(&self) -> *mut c_void {
        ptr::without_provenance_mut(self.number)
    }

    /// Where the handle goes, or null.
    pub(super) fn place(&self) -> *mut *mut c_void {
        if self.without_place {
            ptr::null_mut()
        } else {
            self.place.as_ptr()
        }
    }

    /// What the place holds.
    pub(super) fn handle(&self) -> usize {
        self.place.get().addr()
    }

    /// Stores a handle, if there is a place.
    pub(super) fn store(&self, handle: usize) {
        if !self.without_place {
            self.place.set(ptr::without_provenance_mut(handle));
        }
    }

    pub(super) fn has_place(&self) -> bool {
        !self.without_place
    }

    /// How the registrar judges the characteristics.
    pub(super) fn judge(&self, mode: Mode) -> (Option<Module>, Findings) {
        let policy = &Policy {
            mode,
            ..Policy::default()
        };
        match self.role {
            // SAFETY: the characteristics must be null or readable, with what they point to: that
            // is this module and two statics.
            Role::Client => unsafe { validate::module(self.client(), self.context(), policy) },
            // SAFETY: as above.
            Role::Provider => unsafe { validate::module(self.provider(), self.context(), policy) },
        }
    }
}

/// The number of a module whose registration instance this is.
pub(super) fn number(instance: *const NPI_REGISTRATION_INSTANCE) -> usize {
    // SAFETY: a read needs a valid address: the registrar passes the instance of a peer that is
    // registered, and modules live until the run ends.
    let instance = unsafe { instance.read() };
    instance.Number as usize
}

unsafe extern "efiapi" fn client_attach(
    handle: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    provider: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    answer::attach_client(context.addr(), handle.0.addr(), number(provider))
}

unsafe extern "efiapi" fn provider_attach(
    handle: NMR_PROVIDER_BINDING_HANDLE,
    context: *mut c_void,
    client: *const NPI_REGISTRATION_INSTANCE,
    client_context: *mut c_void,
    client_dispatch: *const c_void,
    own_context: *mut *mut c_void,
    own_dispatch: *mut *const c_void,
) -> NTSTATUS {
    let client = [
        number(client),
        client_context.addr(),
        client_dispatch.addr(),
    ];
    let answer = answer::attach_provider(context.addr(), handle.0.addr(), client);
    if let Some(context) = answer.context {
        // SAFETY: the output is valid for a write during the callback.
        unsafe { own_context.write(ptr::without_provenance_mut(context)) };
    }
    if let Some(dispatch) = answer.dispatch {
        // SAFETY: as above.
        unsafe { own_dispatch.write(ptr::without_provenance(dispatch)) };
    }
    answer.status
}

unsafe extern "efiapi" fn client_detach(context: *mut c_void) -> NTSTATUS {
    answer::detach(Role::Client, context.addr())
}

unsafe extern "efiapi" fn provider_detach(context: *mut c_void) -> NTSTATUS {
    answer::detach(Role::Provider, context.addr())
}

unsafe extern "efiapi" fn client_cleanup(context: *mut c_void) {
    answer::clean_up(Role::Client, context.addr());
}

unsafe extern "efiapi" fn provider_cleanup(context: *mut c_void) {
    answer::clean_up(Role::Provider, context.addr());
}
