//! Modules that are made of nothing but callbacks.
// UNSAFETY: they are registered, called and closed through the C functions.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_sys::{
    GUID, MIT_GUID, NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE,
    NMR_PROVIDER_HANDLE, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_VALUE,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrClientAttachProvider,
    NmrDeregisterClient, NmrDeregisterProvider, NmrRegisterClient, NmrRegisterProvider,
    NmrWaitForClientDeregisterComplete, NmrWaitForProviderDeregisterComplete, STATUS_PENDING,
    STATUS_SUCCESS,
};

const CONTEXT: *mut c_void = ptr::without_provenance_mut(16);

unsafe extern "efiapi" fn attach_provider(
    handle: NMR_CLIENT_BINDING_HANDLE,
    _: *mut c_void,
    _: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let (mut context, mut table) = (ptr::null_mut(), ptr::null());
    // SAFETY: the call must be in the offer of the handle, which it is; nobody uses the context.
    unsafe {
        NmrClientAttachProvider(
            handle,
            CONTEXT,
            ptr::null(),
            &raw mut context,
            &raw mut table,
        )
    }
}

unsafe extern "efiapi" fn attach_client(
    _: NMR_PROVIDER_BINDING_HANDLE,
    _: *mut c_void,
    _: *const NPI_REGISTRATION_INSTANCE,
    _: *mut c_void,
    _: *const c_void,
    context: *mut *mut c_void,
    table: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the outputs must be valid for writes, which the registrar promises.
    unsafe { context.write(CONTEXT) };
    // SAFETY: as above.
    unsafe { table.write(ptr::null()) };
    STATUS_SUCCESS
}

unsafe extern "efiapi" fn detach(_: *mut c_void) -> NTSTATUS {
    STATUS_SUCCESS
}

unsafe extern "efiapi" fn cleanup(_: *mut c_void) {}

/// The identifiers of a module, at addresses that stay.
pub(crate) struct Identity {
    npi: GUID,
    module: NPI_MODULEID,
}

impl Identity {
    /// Identifiers that are never freed, because the modules of a benchmark end with the process.
    pub(crate) fn leak(npi: u128) -> &'static Self {
        let value = NPI_MODULEID_VALUE {
            Guid: GUID::from_u128(1),
        };
        let module = NPI_MODULEID {
            Length: 24,
            Type: MIT_GUID,
            Value: value,
        };
        Box::leak(Box::new(Self {
            npi: GUID::from_u128(npi),
            module,
        }))
    }

    fn instance(&self) -> NPI_REGISTRATION_INSTANCE {
        NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: 40,
            NpiId: &raw const self.npi,
            ModuleId: &raw const self.module,
            Number: 0,
            NpiSpecificCharacteristics: ptr::null(),
        }
    }

    pub(crate) fn client(&self) -> &'static NPI_CLIENT_CHARACTERISTICS {
        Box::leak(Box::new(NPI_CLIENT_CHARACTERISTICS {
            Version: 0,
            Length: 72,
            ClientAttachProvider: Some(attach_provider),
            ClientDetachProvider: Some(detach),
            ClientCleanupBindingContext: Some(cleanup),
            ClientRegistrationInstance: self.instance(),
        }))
    }

    pub(crate) fn provider(&self) -> &'static NPI_PROVIDER_CHARACTERISTICS {
        Box::leak(Box::new(NPI_PROVIDER_CHARACTERISTICS {
            Version: 0,
            Length: 72,
            ProviderAttachClient: Some(attach_client),
            ProviderDetachClient: Some(detach),
            ProviderCleanupBindingContext: Some(cleanup),
            ProviderRegistrationInstance: self.instance(),
        }))
    }
}

pub(crate) fn register_client(client: &'static NPI_CLIENT_CHARACTERISTICS) -> NMR_CLIENT_HANDLE {
    let mut handle = NMR_CLIENT_HANDLE::NULL;
    // SAFETY: the characteristics must outlive the registration: they are never freed.
    let status = unsafe { NmrRegisterClient(client, ptr::null_mut(), &raw mut handle) };
    assert_eq!(status, STATUS_SUCCESS);
    handle
}

pub(crate) fn close_client(handle: NMR_CLIENT_HANDLE) {
    // SAFETY: the handle must be that of a live registration, which every caller has.
    assert_eq!(unsafe { NmrDeregisterClient(handle) }, STATUS_PENDING);
    // SAFETY: the deregistration must be pending: it is.
    let waited = unsafe { NmrWaitForClientDeregisterComplete(handle) };
    assert_eq!(waited, STATUS_SUCCESS);
}

pub(crate) fn register_provider(
    provider: &'static NPI_PROVIDER_CHARACTERISTICS,
) -> NMR_PROVIDER_HANDLE {
    let mut handle = NMR_PROVIDER_HANDLE::NULL;
    // SAFETY: the characteristics must outlive the registration: they are never freed.
    let status = unsafe { NmrRegisterProvider(provider, ptr::null_mut(), &raw mut handle) };
    assert_eq!(status, STATUS_SUCCESS);
    handle
}

pub(crate) fn close_provider(handle: NMR_PROVIDER_HANDLE) {
    // SAFETY: the handle must be that of a live registration, which every caller has.
    assert_eq!(unsafe { NmrDeregisterProvider(handle) }, STATUS_PENDING);
    // SAFETY: the deregistration must be pending: it is.
    let waited = unsafe { NmrWaitForProviderDeregisterComplete(handle) };
    assert_eq!(waited, STATUS_SUCCESS);
}
