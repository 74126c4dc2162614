//! The attach callbacks. They differ: the client decides first and calls the NMR, and the provider
//! is asked inside that call.
// UNSAFETY: these are C callbacks, which get pointers and call the NMR.
#![expect(unsafe_code)]

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NPI_REGISTRATION_INSTANCE, NTSTATUS,
    NmrClientAttachProvider, STATUS_SUCCESS,
};

use crate::binding::Attach;
use crate::dispatch::{Remote, as_npi};
use crate::error::{Error, Result};
use crate::handle::BindingHandle;
use crate::inside;
use crate::module::Module;
use crate::npi::Npi;
use crate::role::{Client, Provider};

/// `ClientAttachProvider`.
///
/// # Safety
///
/// * The NMR calls it, for a client that was registered with `M` as its context.
pub(crate) unsafe extern "efiapi" fn attach_provider<N: Npi, M: Module<Client<N>>>(
    handle: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    provider: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    // SAFETY: the context must not be null: it is the address of a module.
    let module = unsafe { NonNull::new_unchecked(context.cast::<M>()) };
    let _visit = inside::begin(module.as_ptr());
    // SAFETY: the instance must be valid during the callback, which the NMR promises.
    let provider = unsafe { &*provider };
    // SAFETY: the NMR must be offering this provider to the module: it is.
    let result = unsafe { offer_to_client::<N, M>(module, handle, provider) };
    result.err().map_or(STATUS_SUCCESS, Error::status)
}

/// Lets the client decide about a provider, and then the provider about the client.
///
/// # Safety
///
/// * The NMR is in the attach callback of the registered module, with this handle and instance.
unsafe fn offer_to_client<N: Npi, M: Module<Client<N>>>(
    module: NonNull<M>,
    handle: NMR_CLIENT_BINDING_HANDLE,
    provider: &NPI_REGISTRATION_INSTANCE,
) -> Result {
    // SAFETY: the requirements are those of this function.
    let attach = unsafe { Attach::begin(module, BindingHandle::Client(handle), provider) }?;
    // SAFETY: the attach must be that of the offer, which it is.
    match unsafe { attach_to_provider::<N, M>(handle, &attach) } {
        Ok(remote) => {
            // SAFETY: this must be what the provider gave, and the first time: it is.
            if unsafe { attach.open(remote) } {
                attach.attached();
            } else {
                attach.declined(Error::NO_INTERFACE);
            }
            Ok(())
        }
        Err(error) => {
            // SAFETY: no other user of the context may exist: the NMR forgets it after a failure.
            unsafe { attach.undo() };
            // SAFETY: the module must be alive and shared: it is until its registration has ended.
            unsafe { module.as_ref() }.declined(error);
            Err(error)
        }
    }
}

/// Asks the provider.
///
/// # Safety
///
/// * The NMR is in the attach callback of the registered module, with this handle.
/// * The attach is that of the offer, and was not offered to the provider before.
unsafe fn attach_to_provider<N: Npi, M: Module<Client<N>>>(
    handle: NMR_CLIENT_BINDING_HANDLE,
    attach: &Attach<Client<N>, M>,
) -> Result<Remote<N::ProviderDispatch>> {
    let mut context = ptr::null_mut();
    let mut table = ptr::null();
    // SAFETY: this must be the offer of the handle: the caller promises it. The client's context
    // and table must live until its cleanup callback, which frees the one; the other is static.
    let status = unsafe {
        NmrClientAttachProvider(
            handle,
            attach.context(),
            as_npi(Attach::<Client<N>, M>::TABLE),
            &raw mut context,
            &raw mut table,
        )
    };
    attached(status).map(|()| Remote::new(context, table))
}

/// Only `STATUS_SUCCESS` attaches. A provider that answers with another status of the success class
/// is in error, and the client must not repeat it.
fn attached(status: NTSTATUS) -> Result {
    match status {
        STATUS_SUCCESS => Ok(()),
        failure => Err(Error::from_status(failure).unwrap_or(Error::NO_INTERFACE)),
    }
}

/// `ProviderAttachClient`.
///
/// # Safety
///
/// * The NMR calls it, for a provider that was registered with `M` as its context.
pub(crate) unsafe extern "efiapi" fn attach_client<N: Npi, M: Module<Provider<N>>>(
    handle: NMR_PROVIDER_BINDING_HANDLE,
    context: *mut c_void,
    client: *const NPI_REGISTRATION_INSTANCE,
    client_context: *mut c_void,
    client_table: *const c_void,
    provider_context: *mut *mut c_void,
    provider_table: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the context must not be null: it is the address of a module.
    let module = unsafe { NonNull::new_unchecked(context.cast::<M>()) };
    let _visit = inside::begin(module.as_ptr());
    // SAFETY: the instance must be valid during the callback, which the NMR promises.
    let client = unsafe { &*client };
    // SAFETY: the NMR must be offering this client to the module: it is.
    let attach = unsafe { Attach::begin(module, BindingHandle::Provider(handle), client) };
    let (context, table) = outputs::<N, M>(attach.as_ref().ok());
    // SAFETY: the output must be valid for writes, which the NMR promises.
    unsafe { provider_context.write(context) };
    // SAFETY: as above.
    unsafe { provider_table.write(table) };
    match attach {
        Ok(attach) => {
            attach.attached();
            // SAFETY: this must be what the client gave, and the first time: it is.
            unsafe { attach.open(Remote::new(client_context, client_table)) };
            STATUS_SUCCESS
        }
        Err(error) => error.status(),
    }
}

/// What the provider gives to the client: nothing if it declines.
fn outputs<N: Npi, M: Module<Provider<N>>>(
    attach: Option<&Attach<Provider<N>, M>>,
) -> (*mut c_void, *const c_void) {
    attach.map_or((ptr::null_mut(), ptr::null()), |attach| {
        (attach.context(), as_npi(Attach::<Provider<N>, M>::TABLE))
    })
}
