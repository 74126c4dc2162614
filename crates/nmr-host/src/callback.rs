//! Calls into modules: the one place where the registrar runs code that is not its own.
// UNSAFETY: a callback is a foreign function.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_machine::{Callbacks, Callee, Convention, ProviderAnswer, Side};
use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NPI_REGISTRATION_INSTANCE, NTSTATUS,
    Opaque,
};

/// Calls a callback in the convention of its module.
///
/// # Safety
///
/// As for the callback.
macro_rules! call {
    ($callee:expr, $callback:ident($($argument:expr => $type:ty),*) -> $result:ty) => {
        match $callee.convention {
            Convention::Windows => $callback($($argument),*),
            Convention::Native => {
                type Native = unsafe extern "C" fn($($type),*) -> $result;
                // The module said at its registration that its callbacks are such functions.
                let native = std::mem::transmute::<*const (), Native>($callback as *const ());
                native($($argument),*)
            }
        }
    };
}

/// What an output holds that a callback has not written.
const UNWRITTEN: *mut c_void = std::ptr::without_provenance_mut(0x7065_6e64_696e_6700);

/// Calls `ClientAttachProvider`.
#[expect(clippy::unreachable, reason = "`sides` has the client's first")]
pub(crate) fn attach_client(client: &Side) -> NTSTATUS {
    let Callbacks::Client { attach, .. } = client.callee.callbacks else {
        unreachable!("not a client")
    };
    let handle = NMR_CLIENT_BINDING_HANDLE(client.handle.address());
    let (own, provider) = (client.callee.context.0, client.peer.0.cast_const());
    // SAFETY: the callback asks for its own registration context and a live peer's instance. The
    // client guaranteed the first when it registered, and the peer the second: its
    // registration cannot be closed while it has this binding.
    unsafe {
        call!(client.callee, attach(
            handle => NMR_CLIENT_BINDING_HANDLE,
            own => *mut c_void,
            provider.cast() => *const NPI_REGISTRATION_INSTANCE
        ) -> NTSTATUS)
    }
}

/// Calls `ProviderAttachClient`.
#[expect(clippy::unreachable, reason = "`sides` has the provider's second")]
pub(crate) fn attach_provider(
    provider: &Side,
    context: Opaque,
    dispatch: Opaque,
) -> ProviderAnswer {
    let Callbacks::Provider { attach, .. } = provider.callee.callbacks else {
        unreachable!("not a provider")
    };
    let handle = NMR_PROVIDER_BINDING_HANDLE(provider.handle.address());
    let (mut own_context, mut own_dispatch) = (UNWRITTEN, UNWRITTEN.cast_const());
    // SAFETY: the callback asks for its own registration context, a live peer's instance, context
    // and table, and two outputs. As in `attach_client`, and the client guaranteed its context
    // and table when it called `NmrClientAttachProvider`; the outputs are locals.
    let status = unsafe {
        call!(provider.callee, attach(
            handle => NMR_PROVIDER_BINDING_HANDLE,
            provider.callee.context.0 => *mut c_void,
            provider.peer.0.cast_const().cast() => *const NPI_REGISTRATION_INSTANCE,
            context.0 => *mut c_void,
            dispatch.0.cast_const() => *const c_void,
            &raw mut own_context => *mut *mut c_void,
            &raw mut own_dispatch => *mut *const c_void
        ) -> NTSTATUS)
    };
    let written = |output: *mut c_void| (output != UNWRITTEN).then_some(Opaque(output));
    ProviderAnswer {
        status,
        context: written(own_context),
        dispatch: written(own_dispatch.cast_mut()),
    }
}

/// Calls a detach callback.
pub(crate) fn detach(callee: &Callee, context: Opaque) -> NTSTATUS {
    let (Callbacks::Client { detach, .. } | Callbacks::Provider { detach, .. }) = callee.callbacks;
    // SAFETY: the callback asks for the context of an attached binding, once: the machine calls
    // each end's once, after the attach and before the cleanup.
    unsafe { call!(callee, detach(context.0 => *mut c_void) -> NTSTATUS) }
}

/// Calls a cleanup callback, if the module has one.
pub(crate) fn clean_up(callee: &Callee, context: Opaque) {
    let (Callbacks::Client { cleanup, .. } | Callbacks::Provider { cleanup, .. }) =
        callee.callbacks;
    let Some(cleanup) = cleanup else { return };
    // SAFETY: the callback asks for the context of a binding that both ends have detached from,
    // once: the machine calls each end's once, as the last thing it does with the binding.
    unsafe { call!(callee, cleanup(context.0 => *mut c_void) -> ()) }
}
