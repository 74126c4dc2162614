//! The six callbacks of one client's attach and detach, without a registrar.
// UNSAFETY: it calls callbacks with the pointers of C.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;

use nmr_sys::{NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NTSTATUS, STATUS_SUCCESS};

use crate::raw::{Attach, Client, Provider};

/// Every module here has all of its callbacks.
const ALL: &str = "a module has all callbacks";

/// What stands for a binding. Its address is its handle.
struct Offer<'a> {
    client: &'a Client,
    provider: &'a Provider,
    client_context: *mut c_void,
    provider_context: *mut c_void,
}

/// How a client of [`floor`] attaches.
pub const ATTACH_DIRECTLY: Attach = attach_directly;

unsafe extern "efiapi" fn attach_directly(
    handle: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    table: *const c_void,
    provider_context: *mut *mut c_void,
    provider_table: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the handle must be that of a live offer without another user now: `once` gives it.
    let offer = unsafe { &mut *handle.0.cast::<Offer<'_>>() };
    let attach = offer.provider.characteristics.ProviderAttachClient;
    // SAFETY: the callback must get what the NMR gives: the two outputs are the client's.
    let status = unsafe {
        attach.expect(ALL)(
            NMR_PROVIDER_BINDING_HANDLE(handle.0),
            offer.provider.context(),
            &raw const offer.client.characteristics.ClientRegistrationInstance,
            context,
            table,
            provider_context,
            provider_table,
        )
    };
    offer.client_context = context;
    // SAFETY: the pointer must be valid for a read: the client gave it for this.
    offer.provider_context = unsafe { provider_context.read() };
    status
}

/// Calls the six callbacks of a client and a provider `times` times. The client attaches by
/// [`ATTACH_DIRECTLY`].
pub fn floor(client: &Client, provider: &Provider, times: u64) {
    for _ in 0..times {
        once(black_box(client), black_box(provider));
    }
}

#[inline]
fn once(client: &Client, provider: &Provider) {
    let mut offer = Offer {
        client,
        provider,
        client_context: ptr::null_mut(),
        provider_context: ptr::null_mut(),
    };
    let handle = NMR_CLIENT_BINDING_HANDLE((&raw mut offer).cast());
    let (ours, theirs) = (&client.characteristics, &provider.characteristics);
    let instance = &raw const theirs.ProviderRegistrationInstance;

    let attach = ours.ClientAttachProvider.expect(ALL);
    // SAFETY: the callback must get a handle that it can attach with, and its own context: it does.
    let attached = unsafe { attach(handle, client.context(), instance) };
    assert_eq!(attached, STATUS_SUCCESS);

    let detach = ours.ClientDetachProvider.expect(ALL);
    // SAFETY: the callback must get its context: the client gave this one.
    let detached = unsafe { detach(offer.client_context) };
    assert_eq!(detached, STATUS_SUCCESS);
    let detach = theirs.ProviderDetachClient.expect(ALL);
    // SAFETY: as above; the provider gave this one.
    let detached = unsafe { detach(offer.provider_context) };
    assert_eq!(detached, STATUS_SUCCESS);

    let clean_up = ours.ClientCleanupBindingContext.expect(ALL);
    // SAFETY: as above, and it must be the last use.
    unsafe { clean_up(offer.client_context) };
    let clean_up = theirs.ProviderCleanupBindingContext.expect(ALL);
    // SAFETY: as above.
    unsafe { clean_up(offer.provider_context) };
}
