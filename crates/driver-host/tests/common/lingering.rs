//! A native client of the interface of the fixture `forget`, which never deregisters either.
// UNSAFETY: a network module by hand.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::time::Duration;

use nmr_sys::{
    GUID, MIT_GUID, NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NPI_CLIENT_CHARACTERISTICS,
    NPI_MODULEID, NPI_MODULEID_VALUE, NPI_REGISTRATION_INSTANCE, NTSTATUS, STATUS_SUCCESS,
};

static INTERFACE: GUID = GUID::from_u128(0x5d1f_9a3e_2c44_4b0c_8f6e_0a51_c7d2_9e10);
const MODULE: GUID = GUID::from_u128(0x91a7_3c5e_08d4_4f7b_b1a6_6e2d_7f90_3b58);

#[repr(C)]
struct Dispatch {
    linger: unsafe extern "efiapi" fn(*mut c_void, i64) -> i32,
}

/// The provider, as the client got it: the outputs of `NmrClientAttachProvider`.
pub(super) struct Provider {
    context: *mut c_void,
    dispatch: *const Dispatch,
}

impl Provider {
    /// Calls the provider's function, which waits.
    pub(super) fn linger(&self, time: Duration) -> i32 {
        // SAFETY: the table is the image's, which stays mapped while this call is in it.
        let table = unsafe { self.dispatch.read() };
        let steps = i64::try_from(time.as_nanos() / 100).unwrap();
        // SAFETY: the context is the provider's own.
        unsafe { (table.linger)(self.context, steps) }
    }
}

/// Registers a client, which attaches to the provider that is there. All its memory is leaked.
pub(super) fn attach() -> Provider {
    let value = NPI_MODULEID_VALUE { Guid: MODULE };
    let id = Box::leak(Box::new(NPI_MODULEID {
        Length: 24,
        Type: MIT_GUID,
        Value: value,
    }));
    let characteristics = Box::leak(Box::new(NPI_CLIENT_CHARACTERISTICS {
        Version: 0,
        Length: 72,
        ClientAttachProvider: Some(attach_provider),
        ClientDetachProvider: Some(detach_provider),
        ClientCleanupBindingContext: None,
        ClientRegistrationInstance: NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: 40,
            NpiId: &raw const INTERFACE,
            ModuleId: id,
            Number: 0,
            NpiSpecificCharacteristics: ptr::null(),
        },
    }));
    let unused = Provider {
        context: ptr::null_mut(),
        dispatch: ptr::null(),
    };
    let provider = ptr::from_mut(Box::leak(Box::new(unused)));
    let mut handle = NMR_CLIENT_HANDLE::NULL;
    // SAFETY: everything that the registrar keeps is leaked.
    let status =
        unsafe { nmr_host::NmrRegisterClient(characteristics, provider.cast(), &raw mut handle) };
    assert_eq!(status, STATUS_SUCCESS);
    // SAFETY: the provider was written before the registration returned, or never.
    unsafe { provider.read() }
}

unsafe extern "efiapi" fn attach_provider(
    binding: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    _provider: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let provider = context.cast::<Provider>();
    // SAFETY: the context is a `Provider` that is leaked.
    let to = unsafe { &raw mut (*provider).context };
    // SAFETY: as above.
    let table = unsafe { &raw mut (*provider).dispatch };
    // SAFETY: this is the offer's thread, and the outputs are leaked.
    unsafe { nmr_host::NmrClientAttachProvider(binding, context, ptr::null(), to, table.cast()) }
}

unsafe extern "efiapi" fn detach_provider(_context: *mut c_void) -> NTSTATUS {
    STATUS_SUCCESS
}
