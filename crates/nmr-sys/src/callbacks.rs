//! The six callbacks that modules give to the NMR (contract sections 1.3 and 2.6 to 2.9).

use core::ffi::c_void;

use crate::handles::{NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE};
use crate::status::NTSTATUS;
use crate::types::NPI_REGISTRATION_INSTANCE;

/// `ClientAttachProvider`: offers a provider to a client. `PASSIVE_LEVEL`, on the thread of
/// whichever module registered last, before its registration returns.
///
/// Arguments: the client's handle of the binding, the client's registration context, the
/// provider's registration instance. Returns `STATUS_NOINTERFACE` to decline, else exactly what
/// `NmrClientAttachProvider` returned. Never `STATUS_PENDING`.
pub type NPI_CLIENT_ATTACH_PROVIDER_FN = unsafe extern "efiapi" fn(
    NmrBindingHandle: NMR_CLIENT_BINDING_HANDLE,
    ClientContext: *mut c_void,
    ProviderRegistrationInstance: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS;

/// `ClientDetachProvider`: asks a client to stop calling a provider. At most `DISPATCH_LEVEL`; must
/// not block. Returns `STATUS_SUCCESS` when no call into the provider is in progress, else
/// `STATUS_PENDING`, and `NmrClientDetachProviderComplete` follows once.
pub type NPI_CLIENT_DETACH_PROVIDER_FN =
    unsafe extern "efiapi" fn(ClientBindingContext: *mut c_void) -> NTSTATUS;

/// `ClientCleanupBindingContext`: the last use of the client's binding context, after both sides
/// have detached. At most `DISPATCH_LEVEL`.
pub type NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN =
    unsafe extern "efiapi" fn(ClientBindingContext: *mut c_void);

/// `ProviderAttachClient`: asks a provider to attach to a client. `PASSIVE_LEVEL`, nested in the
/// client's call of `NmrClientAttachProvider`.
///
/// Arguments: the provider's handle of the binding, the provider's registration context, the
/// client's registration instance, the client's binding context and dispatch table, and where to
/// put the provider's own. Returns `STATUS_SUCCESS`, `STATUS_NOINTERFACE` to decline, or an error.
pub type NPI_PROVIDER_ATTACH_CLIENT_FN = unsafe extern "efiapi" fn(
    NmrBindingHandle: NMR_PROVIDER_BINDING_HANDLE,
    ProviderContext: *mut c_void,
    ClientRegistrationInstance: *const NPI_REGISTRATION_INSTANCE,
    ClientBindingContext: *mut c_void,
    ClientDispatch: *const c_void,
    ProviderBindingContext: *mut *mut c_void,
    ProviderDispatch: *mut *const c_void,
) -> NTSTATUS;

/// `ProviderDetachClient`: the mirror image of [`NPI_CLIENT_DETACH_PROVIDER_FN`].
pub type NPI_PROVIDER_DETACH_CLIENT_FN =
    unsafe extern "efiapi" fn(ProviderBindingContext: *mut c_void) -> NTSTATUS;

/// `ProviderCleanupBindingContext`: the mirror image of [`NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN`].
pub type NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN =
    unsafe extern "efiapi" fn(ProviderBindingContext: *mut c_void);
