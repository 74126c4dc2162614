//! A native client of the interface of the fixture `contexts`, which comes and goes with a number: it
//! says what the provider is to do wrong.
// UNSAFETY: a network module by hand.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_sys::{
    GUID, MIT_GUID, NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NPI_CLIENT_CHARACTERISTICS,
    NPI_MODULEID, NPI_MODULEID_VALUE, NPI_REGISTRATION_INSTANCE, NTSTATUS, STATUS_PENDING,
    STATUS_SUCCESS,
};

static INTERFACE: GUID = GUID::from_u128(0x3c0b_62f4_7a1d_4d58_9e93_b1c5_40e6_a82d);
const MODULE: GUID = GUID::from_u128(0x6be2_90d1_5c8f_4a37_b0e4_1fd9_7382_c46a);

/// Registers a client, which attaches to the provider that is there, and closes it again, except that
/// it does not wait for a provider that pends.
pub(super) fn come_and_go(number: u32, waits: bool) {
    let id = NPI_MODULEID {
        Length: 24,
        Type: MIT_GUID,
        Value: NPI_MODULEID_VALUE { Guid: MODULE },
    };
    let characteristics = Box::new(NPI_CLIENT_CHARACTERISTICS {
        Version: 0,
        Length: 72,
        ClientAttachProvider: Some(attach_provider),
        ClientDetachProvider: Some(detach_provider),
        ClientCleanupBindingContext: None,
        ClientRegistrationInstance: NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: 40,
            NpiId: &raw const INTERFACE,
            ModuleId: Box::leak(Box::new(id)),
            Number: number,
            NpiSpecificCharacteristics: ptr::null(),
        },
    });
    // If the host stops meanwhile, this never returns, and the registrar still has it.
    let characteristics = Box::leak(characteristics);
    let mut handle = NMR_CLIENT_HANDLE::NULL;
    // SAFETY: everything that the registrar keeps is leaked.
    let status =
        unsafe { nmr_host::NmrRegisterClient(characteristics, ptr::null_mut(), &raw mut handle) };
    assert_eq!(status, STATUS_SUCCESS);
    assert_eq!(nmr_host::NmrDeregisterClient(handle), STATUS_PENDING);
    if waits {
        let waited = nmr_host::NmrWaitForClientDeregisterComplete(handle);
        assert_eq!(waited, STATUS_SUCCESS);
    }
}

unsafe extern "efiapi" fn attach_provider(
    binding: NMR_CLIENT_BINDING_HANDLE,
    _context: *mut c_void,
    _provider: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let (mut context, mut table) = (ptr::null_mut(), ptr::null());
    // The number of the binding will do for a context.
    let own = nmr_host::current_binding().and_then(|binding| usize::try_from(binding).ok());
    let own = ptr::without_provenance_mut(own.unwrap_or(1));
    // SAFETY: this is the offer's thread, and the outputs are locals.
    unsafe {
        nmr_host::NmrClientAttachProvider(
            binding,
            own,
            ptr::null(),
            &raw mut context,
            &raw mut table,
        )
    }
}

unsafe extern "efiapi" fn detach_provider(_context: *mut c_void) -> NTSTATUS {
    STATUS_SUCCESS
}
