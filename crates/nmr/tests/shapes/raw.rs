//! Peers that do what only C does. They are registered with the functions of the NMR, without the
//! crate under test.
// UNSAFETY: these modules are not written in safe Rust, which is the point.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;

use exnpi::Exnpi;
use nmr::{Client, Guid, Npi, Offer, Registration};
use nmr_sys::{
    MIT_GUID, NMR_PROVIDER_BINDING_HANDLE, NMR_PROVIDER_HANDLE, NPI_MODULEID, NPI_MODULEID_VALUE,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrDeregisterProvider,
    NmrRegisterProvider, NmrWaitForProviderDeregisterComplete, STATUS_PENDING, STATUS_SUCCESS,
};

use crate::support::{Adder, Attaches, MODULE, run};

/// What a provider in the style of C saw. It gives its clients no table.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    client_context: usize,
    client_table: usize,
    detaches: usize,
}

/// A provider in the style of C.
struct RawProvider {
    /// Whether it calls the first function of the client at once, before the attach is decided.
    is_hasty: bool,
    identity: Option<NPI_MODULEID>,
    seen: Mutex<Seen>,
}

type FirstFunction = unsafe extern "efiapi" fn(*mut c_void, u32);

impl RawProvider {
    fn new() -> Self {
        Self {
            is_hasty: false,
            identity: Some(NPI_MODULEID {
                Length: 24,
                Type: MIT_GUID,
                Value: NPI_MODULEID_VALUE { Guid: MODULE },
            }),
            seen: Mutex::default(),
        }
    }

    fn instance(&self, npi: &Guid) -> NPI_REGISTRATION_INSTANCE {
        let identity = self.identity.as_ref();
        NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: 40,
            NpiId: npi,
            ModuleId: identity.map_or(ptr::null(), ptr::from_ref),
            Number: 0,
            NpiSpecificCharacteristics: ptr::null(),
        }
    }

    /// Runs a test while the provider is registered.
    fn registered(&self, npi: Guid, test: impl FnOnce()) {
        let npi = Box::new(npi);
        let characteristics = Box::new(NPI_PROVIDER_CHARACTERISTICS {
            Version: 0,
            Length: 72,
            ProviderAttachClient: Some(attach),
            ProviderDetachClient: Some(detach),
            ProviderCleanupBindingContext: None,
            ProviderRegistrationInstance: self.instance(&npi),
        });
        let context = ptr::from_ref(self).cast_mut().cast();
        let mut handle = NMR_PROVIDER_HANDLE::NULL;
        // SAFETY: everything must live until the wait, which is below.
        let status =
            unsafe { NmrRegisterProvider(&raw const *characteristics, context, &raw mut handle) };
        assert_eq!(status, STATUS_SUCCESS);
        test();
        // SAFETY: the provider must be registered: it is.
        assert_eq!(unsafe { NmrDeregisterProvider(handle) }, STATUS_PENDING);
        // SAFETY: the provider must be deregistering: it is.
        let status = unsafe { NmrWaitForProviderDeregisterComplete(handle) };
        assert_eq!(status, STATUS_SUCCESS);
    }

    fn seen(&self) -> Seen {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

unsafe extern "efiapi" fn attach(
    _handle: NMR_PROVIDER_BINDING_HANDLE,
    context: *mut c_void,
    _client: *const NPI_REGISTRATION_INSTANCE,
    client_context: *mut c_void,
    client_table: *const c_void,
    provider_context: *mut *mut c_void,
    provider_table: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the context must be that of the registration: it is.
    let this = unsafe { &*context.cast::<RawProvider>() };
    if this.is_hasty {
        // SAFETY: the client's table must begin with such a function: that of EXNPI does.
        let function = unsafe { *client_table.cast::<FirstFunction>() };
        // SAFETY: it must get the client's context.
        unsafe { function(client_context, 99) };
    }
    let mut seen = this.seen.lock().unwrap();
    seen.client_context = client_context.addr();
    seen.client_table = client_table.addr();
    // SAFETY: the output must be valid: the NMR sees to it.
    unsafe { provider_context.write(context) };
    // SAFETY: as above.
    unsafe { provider_table.write(ptr::null()) };
    STATUS_SUCCESS
}

unsafe extern "efiapi" fn detach(context: *mut c_void) -> NTSTATUS {
    // SAFETY: the context must be the one that `attach` gave: it is.
    let this = unsafe { &*context.cast::<RawProvider>() };
    this.seen.lock().unwrap().detaches += 1;
    STATUS_SUCCESS
}

/// An interface without functions.
struct Silent;

// SAFETY: the only modules are those of this file.
unsafe impl Npi for Silent {
    const ID: Guid = Guid::from_u128(0x4cf1d1bb_9f0e_4b0e_8a1d_59ad4a0f3f7c);
    type ClientDispatch = ();
    type ProviderDispatch = ();
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ();
}

#[test]
fn p_08_no_functions_is_a_null_table_but_never_a_null_context() {
    run(|| {
        let provider = Box::new(RawProvider::new());
        provider.registered(Silent::ID, || {
            let client = Attaches(|_: Offer<'_, Client<Silent>>| Ok(()));
            drop(Registration::new(client).unwrap());
        });
        let seen = provider.seen();
        assert_ne!(seen.client_context, 0);
        assert_eq!((seen.client_table, seen.detaches), (0, 1));
    });
}

#[test]
fn p_08_a_peer_without_a_table_cannot_be_called() {
    run(|| {
        let provider = Box::new(RawProvider::new());
        provider.registered(Exnpi::ID, || {
            let client = Registration::new(Adder::new()).unwrap();
            assert_eq!(client.add(1), None);
        });
        assert_eq!(provider.seen().detaches, 1);
    });
}

#[test]
fn p_10_a_provider_may_call_before_the_attach_is_complete() {
    run(|| {
        let provider = Box::new(RawProvider {
            is_hasty: true,
            ..RawProvider::new()
        });
        provider.registered(Exnpi::ID, || {
            let client = Registration::new(Adder::new()).unwrap();
            assert_eq!(client.heard(), 99);
        });
    });
}

#[test]
fn p_05_a_peer_may_have_no_identity() {
    let registrar = nmr_host::Registrar::new(nmr_host::Policy::default());
    let _entered = registrar.enter();
    let provider = Box::new(RawProvider {
        identity: None,
        ..RawProvider::new()
    });
    provider.registered(Silent::ID, || {
        let client = Attaches(|offer: Offer<'_, Client<Silent>>| {
            assert_eq!(offer.identity(), None);
            Ok(())
        });
        drop(Registration::new(client).unwrap());
    });
    assert_eq!(provider.seen().detaches, 1);
}
