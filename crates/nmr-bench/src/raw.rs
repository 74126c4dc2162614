//! Modules as the NMR's functions see them: characteristics, and handles of registrations.
// UNSAFETY: they are registered and closed through the C functions.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_sys::{
    GUID, MIT_GUID, NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_HANDLE,
    NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_VALUE, NPI_PROVIDER_CHARACTERISTICS,
    NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrClientAttachProvider, NmrDeregisterClient,
    NmrDeregisterProvider, NmrRegisterClient, NmrRegisterProvider,
    NmrWaitForClientDeregisterComplete, NmrWaitForProviderDeregisterComplete, STATUS_PENDING,
    STATUS_SUCCESS,
};

use crate::c::Callbacks;

/// The function with which a client accepts: `NmrClientAttachProvider`, or what stands for it.
pub type Attach = unsafe extern "efiapi" fn(
    NMR_CLIENT_BINDING_HANDLE,
    *mut c_void,
    *const c_void,
    *mut *mut c_void,
    *mut *const c_void,
) -> NTSTATUS;

/// A client, which is its own registration context.
#[repr(C)]
pub struct Client {
    pub(crate) characteristics: NPI_CLIENT_CHARACTERISTICS,
    pub(crate) attach: Attach,
}

/// A provider, likewise.
#[repr(C)]
pub struct Provider {
    pub(crate) characteristics: NPI_PROVIDER_CHARACTERISTICS,
}

/// The interface and the identifier of a module.
struct Identity {
    npi: GUID,
    module: NPI_MODULEID,
}

/// An instance whose identifiers are never freed, because the modules of a benchmark end with the
/// process.
fn instance(npi: u128) -> NPI_REGISTRATION_INSTANCE {
    let value = NPI_MODULEID_VALUE {
        Guid: GUID::from_u128(1),
    };
    let identity = Box::leak(Box::new(Identity {
        npi: GUID::from_u128(npi),
        module: NPI_MODULEID {
            Length: 24,
            Type: MIT_GUID,
            Value: value,
        },
    }));
    NPI_REGISTRATION_INSTANCE {
        Version: 0,
        Size: 40,
        NpiId: &raw const identity.npi,
        ModuleId: &raw const identity.module,
        Number: 0,
        NpiSpecificCharacteristics: ptr::null(),
    }
}

impl Client {
    /// A client of an interface. It is never freed.
    #[must_use]
    pub fn leak(npi: u128, callbacks: &Callbacks) -> &'static Self {
        Box::leak(Box::new(Self::new(npi, callbacks)))
    }

    /// The same, for [`floor`](crate::floor::floor) and its like.
    #[must_use]
    pub fn that_attaches(attach: Attach, npi: u128, callbacks: &Callbacks) -> &'static Self {
        Box::leak(Box::new(Self {
            attach,
            ..Self::new(npi, callbacks)
        }))
    }

    pub(crate) fn new(npi: u128, callbacks: &Callbacks) -> Self {
        Self {
            characteristics: NPI_CLIENT_CHARACTERISTICS {
                Version: 0,
                Length: 72,
                ClientAttachProvider: Some(callbacks.attach_provider),
                ClientDetachProvider: Some(callbacks.detach_provider),
                ClientCleanupBindingContext: Some(callbacks.clean_up_client),
                ClientRegistrationInstance: instance(npi),
            },
            attach: NmrClientAttachProvider,
        }
    }

    pub(crate) fn context(&self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }
}

impl Provider {
    /// A provider of an interface. It is never freed.
    #[must_use]
    pub fn leak(npi: u128, callbacks: &Callbacks) -> &'static Self {
        Box::leak(Box::new(Self {
            characteristics: NPI_PROVIDER_CHARACTERISTICS {
                Version: 0,
                Length: 72,
                ProviderAttachClient: Some(callbacks.attach_client),
                ProviderDetachClient: Some(callbacks.detach_client),
                ProviderCleanupBindingContext: Some(callbacks.clean_up_provider),
                ProviderRegistrationInstance: instance(npi),
            },
        }))
    }

    pub(crate) fn context(&self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }
}

// SAFETY: it is never written to, and what it points to is not, either.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}
// SAFETY: as above.
unsafe impl Send for Provider {}
// SAFETY: as above.
unsafe impl Sync for Provider {}

/// Registers a client, which attaches to what it is offered.
#[inline]
#[expect(clippy::must_use_candidate, reason = "some modules stay registered")]
pub fn register_client(client: &'static Client) -> NMR_CLIENT_HANDLE {
    let mut handle = NMR_CLIENT_HANDLE::NULL;
    let (characteristics, context) = (&raw const client.characteristics, client.context());
    // SAFETY: the characteristics must outlive the registration: they are never freed.
    let status = unsafe { NmrRegisterClient(characteristics, context, &raw mut handle) };
    assert_eq!(status, STATUS_SUCCESS);
    handle
}

/// Deregisters a client and waits for its end.
#[inline]
pub fn close_client(handle: NMR_CLIENT_HANDLE) {
    begin_to_close_client(handle);
    wait_for_client(handle);
}

/// Deregisters a client.
#[inline]
pub fn begin_to_close_client(handle: NMR_CLIENT_HANDLE) {
    // SAFETY: the handle must be that of a live registration, which every caller has.
    assert_eq!(unsafe { NmrDeregisterClient(handle) }, STATUS_PENDING);
}

/// Waits for the end of a client.
#[inline]
pub fn wait_for_client(handle: NMR_CLIENT_HANDLE) {
    // SAFETY: the deregistration must be pending, which every caller has made it.
    let waited = unsafe { NmrWaitForClientDeregisterComplete(handle) };
    assert_eq!(waited, STATUS_SUCCESS);
}

/// Registers a provider.
#[inline]
#[expect(clippy::must_use_candidate, reason = "some modules stay registered")]
pub fn register_provider(provider: &'static Provider) -> NMR_PROVIDER_HANDLE {
    let mut handle = NMR_PROVIDER_HANDLE::NULL;
    let (characteristics, context) = (&raw const provider.characteristics, provider.context());
    // SAFETY: the characteristics must outlive the registration: they are never freed.
    let status = unsafe { NmrRegisterProvider(characteristics, context, &raw mut handle) };
    assert_eq!(status, STATUS_SUCCESS);
    handle
}

/// Deregisters a provider and waits for its end.
#[inline]
pub fn close_provider(handle: NMR_PROVIDER_HANDLE) {
    // SAFETY: the handle must be that of a live registration, which every caller has.
    assert_eq!(unsafe { NmrDeregisterProvider(handle) }, STATUS_PENDING);
    // SAFETY: the deregistration must be pending: it is.
    let waited = unsafe { NmrWaitForProviderDeregisterComplete(handle) };
    assert_eq!(waited, STATUS_SUCCESS);
}

/// Lets a client register, attach to what is there, and leave, `times` times.
pub fn cycle(client: &'static Client, times: u64) {
    for _ in 0..times {
        close_client(register_client(client));
    }
}
