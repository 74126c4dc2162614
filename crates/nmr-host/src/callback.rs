//! Calls into modules: the one place where the registrar runs code that is not its own.
// UNSAFETY: a callback is a foreign function.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_sys::{NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NTSTATUS};

use crate::machine::{Action, Event, Handle, ProviderAnswer};
use crate::module::{Callbacks, Module, Opaque};

/// What an output holds that a callback has not written.
const UNWRITTEN: *mut c_void = std::ptr::without_provenance_mut(0x7065_6e64_696e_6700);

/// Runs the callback that an action is, and says how it ended.
///
/// # Panics
///
/// If the action is no callback.
pub(crate) fn run(action: &Action) -> Event {
    match *action {
        Action::ClientAttach {
            binding,
            ref client,
            handle,
            provider,
        } => {
            let status = attach_client(client, handle, provider);
            Event::ClientAttachReturned { binding, status }
        }
        Action::ProviderAttach {
            binding,
            ref provider,
            handle,
            client,
            context,
            dispatch,
        } => {
            let answer = attach_provider(provider, handle, client, context, dispatch);
            Event::ProviderAttachReturned { binding, answer }
        }
        Action::Detach {
            binding,
            ref module,
            context,
        } => Event::DetachReturned {
            binding,
            role: module.role(),
            status: detach(module, context),
        },
        Action::Cleanup {
            binding,
            ref module,
            context,
        } => {
            clean_up(module, context);
            let role = module.role();
            Event::CleanupReturned { binding, role }
        }
        Action::Return(_) | Action::Block { .. } | Action::Defer { .. } => {
            unreachable!("no callback")
        }
    }
}

/// Calls `ClientAttachProvider`.
pub(crate) fn attach_client(client: &Module, handle: Handle, provider: Opaque) -> NTSTATUS {
    let Callbacks::Client { attach, .. } = client.callbacks else {
        unreachable!("not a client")
    };
    let handle = NMR_CLIENT_BINDING_HANDLE(handle.address());
    // SAFETY: the callback asks for its own registration context and a live peer's instance. The
    // client vouched for the first when it registered, and the peer for the second: its
    // registration cannot be closed while it has this binding.
    unsafe { attach(handle, client.context.0, provider.0.cast_const().cast()) }
}

/// Calls `ProviderAttachClient`.
pub(crate) fn attach_provider(
    provider: &Module,
    handle: Handle,
    client: Opaque,
    context: Opaque,
    dispatch: Opaque,
) -> ProviderAnswer {
    let Callbacks::Provider { attach, .. } = provider.callbacks else {
        unreachable!("not a provider")
    };
    let handle = NMR_PROVIDER_BINDING_HANDLE(handle.address());
    let (mut own_context, mut own_dispatch) = (UNWRITTEN, UNWRITTEN.cast_const());
    // SAFETY: the callback asks for its own registration context, a live peer's instance, context
    // and table, and two outputs. As in `attach_client`, and the client vouched for its context
    // and table when it called `NmrClientAttachProvider`; the outputs are locals.
    let status = unsafe {
        attach(
            handle,
            provider.context.0,
            client.0.cast_const().cast(),
            context.0,
            dispatch.0.cast_const(),
            &raw mut own_context,
            &raw mut own_dispatch,
        )
    };
    let written = |output: *mut c_void| (output != UNWRITTEN).then_some(Opaque(output));
    ProviderAnswer {
        status,
        context: written(own_context),
        dispatch: written(own_dispatch.cast_mut()),
    }
}

/// Calls a detach callback.
pub(crate) fn detach(module: &Module, context: Opaque) -> NTSTATUS {
    let (Callbacks::Client { detach, .. } | Callbacks::Provider { detach, .. }) = module.callbacks;
    // SAFETY: the callback asks for the context of an attached binding, once: the machine calls
    // each end's once, after the attach and before the cleanup.
    unsafe { detach(context.0) }
}

/// Calls a cleanup callback.
pub(crate) fn clean_up(module: &Module, context: Opaque) {
    let (Callbacks::Client { cleanup, .. } | Callbacks::Provider { cleanup, .. }) =
        module.callbacks;
    let cleanup = cleanup.expect("only a module with a cleanup callback is cleaned up");
    // SAFETY: the callback asks for the context of a binding that both ends have detached from,
    // once: the machine calls each end's once, as the last thing it does with the binding.
    unsafe { cleanup(context.0) }
}
