//! A client and a provider that allocate nothing.
// UNSAFETY: raw modules.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_sys::{
    GUID, MIT_GUID, NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE,
    NMR_PROVIDER_HANDLE, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_VALUE,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrClientAttachProvider,
    NmrDeregisterClient, NmrDeregisterProvider, NmrRegisterClient, NmrRegisterProvider,
    NmrWaitForClientDeregisterComplete, NmrWaitForProviderDeregisterComplete,
    STATUS_INVALID_PARAMETER, STATUS_PENDING, STATUS_SUCCESS,
};

/// A client that attaches with a context of NULL, which is reported as V-36.
extern "efiapi" fn attach_client(
    binding: NMR_CLIENT_BINDING_HANDLE,
    _context: *mut c_void,
    _provider: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let (mut context, mut dispatch) = (ptr::null_mut(), ptr::null());
    // SAFETY: the handle is the one of this offer, and the outputs are locals.
    unsafe {
        NmrClientAttachProvider(
            binding,
            ptr::null_mut(),
            ptr::null(),
            &raw mut context,
            &raw mut dispatch,
        )
    }
}

extern "efiapi" fn attach_provider(
    _binding: NMR_PROVIDER_BINDING_HANDLE,
    _context: *mut c_void,
    _client: *const NPI_REGISTRATION_INSTANCE,
    _client_context: *mut c_void,
    _client_dispatch: *const c_void,
    context: *mut *mut c_void,
    dispatch: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the registrar passes an output.
    unsafe { context.write(ptr::null_mut()) };
    // SAFETY: as above.
    unsafe { dispatch.write(ptr::null()) };
    STATUS_SUCCESS
}

extern "efiapi" fn detach(_context: *mut c_void) -> NTSTATUS {
    STATUS_SUCCESS
}

extern "efiapi" fn clean_up(_context: *mut c_void) {}

/// A client and a provider of one interface, which live until the process ends.
pub(crate) struct Pair {
    client: NPI_CLIENT_CHARACTERISTICS,
    provider: NPI_PROVIDER_CHARACTERISTICS,
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

impl Pair {
    pub(crate) fn leak() -> &'static Self {
        let npi = leak(GUID::from_u128(0x5d3f_2a86_0c1e_4b4e_9a50_3f61_77cc_91de));
        let instance = |name| {
            let guid = GUID::from_u128(name);
            let id = NPI_MODULEID {
                Length: size_of::<NPI_MODULEID>().try_into().unwrap(),
                Type: MIT_GUID,
                Value: NPI_MODULEID_VALUE { Guid: guid },
            };
            NPI_REGISTRATION_INSTANCE {
                Version: 0,
                Size: size_of::<NPI_REGISTRATION_INSTANCE>().try_into().unwrap(),
                NpiId: npi,
                ModuleId: leak(id),
                Number: 0,
                NpiSpecificCharacteristics: ptr::null(),
            }
        };
        leak(Self {
            client: NPI_CLIENT_CHARACTERISTICS {
                Version: 0,
                Length: size_of::<NPI_CLIENT_CHARACTERISTICS>().try_into().unwrap(),
                ClientAttachProvider: Some(attach_client),
                ClientDetachProvider: Some(detach),
                ClientCleanupBindingContext: Some(clean_up),
                ClientRegistrationInstance: instance(1),
            },
            provider: NPI_PROVIDER_CHARACTERISTICS {
                Version: 0,
                Length: size_of::<NPI_PROVIDER_CHARACTERISTICS>()
                    .try_into()
                    .unwrap(),
                ProviderAttachClient: Some(attach_provider),
                ProviderDetachClient: Some(detach),
                ProviderCleanupBindingContext: Some(clean_up),
                ProviderRegistrationInstance: instance(2),
            },
        })
    }

    /// Registers both, lets them attach, breaks rules, and ends both. Returns how the registrations
    /// ended.
    pub(crate) fn cycle(&self) -> [NTSTATUS; 2] {
        let mut client = NMR_CLIENT_HANDLE(ptr::null_mut());
        let mut provider = NMR_PROVIDER_HANDLE(ptr::null_mut());
        // SAFETY: the characteristics live until the process ends, and the output is a local.
        let first =
            unsafe { NmrRegisterClient(&raw const self.client, ptr::null_mut(), &raw mut client) };
        // SAFETY: as above.
        let second = unsafe {
            NmrRegisterProvider(&raw const self.provider, ptr::null_mut(), &raw mut provider)
        };
        for _ in 0..3 {
            // SAFETY: the registrar takes any value for a handle.
            let status = unsafe { NmrDeregisterClient(NMR_CLIENT_HANDLE(ptr::null_mut())) };
            assert_eq!(status, STATUS_INVALID_PARAMETER);
        }
        if first == STATUS_SUCCESS {
            // SAFETY: as above.
            assert_eq!(unsafe { NmrDeregisterClient(client) }, STATUS_PENDING);
            // SAFETY: as above.
            let ended = unsafe { NmrWaitForClientDeregisterComplete(client) };
            assert_eq!(ended, STATUS_SUCCESS);
        }
        if second == STATUS_SUCCESS {
            // SAFETY: as above.
            assert_eq!(unsafe { NmrDeregisterProvider(provider) }, STATUS_PENDING);
            // SAFETY: as above.
            let ended = unsafe { NmrWaitForProviderDeregisterComplete(provider) };
            assert_eq!(ended, STATUS_SUCCESS);
        }
        [first, second]
    }

    /// Registers the client, lets something look, and ends it.
    pub(crate) fn with_client<T>(&self, look: impl FnOnce() -> T) -> T {
        let mut client = NMR_CLIENT_HANDLE(ptr::null_mut());
        let characteristics = &raw const self.client;
        // SAFETY: the characteristics live until the process ends, and the output is a local.
        let status =
            unsafe { NmrRegisterClient(characteristics, ptr::null_mut(), &raw mut client) };
        assert_eq!(status, STATUS_SUCCESS);
        let seen = look();
        // SAFETY: the handle is that of a registration.
        assert_eq!(unsafe { NmrDeregisterClient(client) }, STATUS_PENDING);
        // SAFETY: as above.
        let ended = unsafe { NmrWaitForClientDeregisterComplete(client) };
        assert_eq!(ended, STATUS_SUCCESS);
        seen
    }
}
