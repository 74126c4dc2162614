//! The nine functions of the NMR (contract sections 1.3 and 2.1 to 2.5), and the comparison of
//! module identifiers that the header has inline.
// UNSAFETY: foreign functions, and a C union.
#![expect(unsafe_code)]

use core::ffi::c_void;

use crate::handles::{
    NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NMR_PROVIDER_HANDLE,
};
use crate::status::NTSTATUS;
use crate::types::{
    MIT_GUID, MIT_IF_LUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_PROVIDER_CHARACTERISTICS,
};

unsafe extern "efiapi" {
    /// Registers a client of an interface. `PASSIVE_LEVEL`. Offers of providers that are already
    /// registered run on this thread before the function returns.
    ///
    /// Returns `STATUS_SUCCESS`, also when every offer was declined; `STATUS_INSUFFICIENT_RESOURCES`;
    /// or another error.
    ///
    /// # Safety
    ///
    /// * `ClientCharacteristics` and everything it points to, and `ClientContext`, stay valid,
    ///   resident and unchanged until `NmrWaitForClientDeregisterComplete` has returned
    ///   `STATUS_SUCCESS`, or until this function has returned an error.
    /// * The callbacks obey their contracts, and may be called before this function returns.
    /// * `NmrClientHandle` is valid for a write.
    pub fn NmrRegisterClient(
        ClientCharacteristics: *const NPI_CLIENT_CHARACTERISTICS,
        ClientContext: *mut c_void,
        NmrClientHandle: *mut NMR_CLIENT_HANDLE,
    ) -> NTSTATUS;

    /// Starts the deregistration of a client: no new offers, and one detach callback on each side
    /// of each of its bindings, on this thread. At most `DISPATCH_LEVEL`.
    ///
    /// Returns `STATUS_PENDING`; anything else is an error.
    ///
    /// # Safety
    ///
    /// * `NmrClientHandle` is a registered client for which this function was not called before.
    pub fn NmrDeregisterClient(NmrClientHandle: NMR_CLIENT_HANDLE) -> NTSTATUS;

    /// Waits until a deregistering client has no bindings left, and closes its handle. Below
    /// `DISPATCH_LEVEL`, without a time limit.
    ///
    /// Returns `STATUS_SUCCESS`; `STATUS_INVALID_PARAMETER` for a wrong handle or before
    /// `NmrDeregisterClient`.
    ///
    /// # Safety
    ///
    /// * `NmrDeregisterClient` returned `STATUS_PENDING` for this handle, and this is the only wait.
    /// * The thread is not inside a callback of the registration and holds nothing that a pending
    ///   detach needs.
    pub fn NmrWaitForClientDeregisterComplete(NmrClientHandle: NMR_CLIENT_HANDLE) -> NTSTATUS;

    /// Attaches the client to the provider it is being offered. `PASSIVE_LEVEL`, inside
    /// `ClientAttachProvider`. Calls `ProviderAttachClient` and returns its status; unless that is
    /// `STATUS_SUCCESS` the outputs mean nothing and the client frees its own context.
    ///
    /// # Safety
    ///
    /// * The thread is inside `ClientAttachProvider` for this very binding handle, and no earlier
    ///   call for it succeeded.
    /// * The context and the table stay valid until the client's cleanup callback, and the provider
    ///   may use them before this function returns.
    /// * The two outputs are valid for writes.
    pub fn NmrClientAttachProvider(
        NmrBindingHandle: NMR_CLIENT_BINDING_HANDLE,
        ClientBindingContext: *mut c_void,
        ClientDispatch: *const c_void,
        ProviderBindingContext: *mut *mut c_void,
        ProviderDispatch: *mut *const c_void,
    ) -> NTSTATUS;

    /// Completes a detach that `ClientDetachProvider` left pending. At most `DISPATCH_LEVEL`. Both
    /// cleanup callbacks may run inside this call.
    ///
    /// # Safety
    ///
    /// * The client's detach callback was called for this binding and answers `STATUS_PENDING`, and
    ///   this is the only completion.
    /// * Nothing that the cleanup callbacks free is used after this call.
    pub fn NmrClientDetachProviderComplete(NmrBindingHandle: NMR_CLIENT_BINDING_HANDLE);

    /// Registers a provider of an interface: the mirror image of [`NmrRegisterClient`].
    ///
    /// # Safety
    ///
    /// As for [`NmrRegisterClient`], with the provider's structures and functions.
    pub fn NmrRegisterProvider(
        ProviderCharacteristics: *const NPI_PROVIDER_CHARACTERISTICS,
        ProviderContext: *mut c_void,
        NmrProviderHandle: *mut NMR_PROVIDER_HANDLE,
    ) -> NTSTATUS;

    /// Starts the deregistration of a provider: the mirror image of [`NmrDeregisterClient`].
    ///
    /// # Safety
    ///
    /// As for [`NmrDeregisterClient`], with a registered provider.
    pub fn NmrDeregisterProvider(NmrProviderHandle: NMR_PROVIDER_HANDLE) -> NTSTATUS;

    /// Waits for a deregistering provider: the mirror image of
    /// [`NmrWaitForClientDeregisterComplete`].
    ///
    /// # Safety
    ///
    /// As for [`NmrWaitForClientDeregisterComplete`], with a provider.
    pub fn NmrWaitForProviderDeregisterComplete(NmrProviderHandle: NMR_PROVIDER_HANDLE)
    -> NTSTATUS;

    /// Completes a detach that `ProviderDetachClient` left pending: the mirror image of
    /// [`NmrClientDetachProviderComplete`].
    ///
    /// # Safety
    ///
    /// As for [`NmrClientDetachProviderComplete`], with the provider's handle of the binding.
    pub fn NmrProviderDetachClientComplete(NmrBindingHandle: NMR_PROVIDER_BINDING_HANDLE);
}

/// Returns `true` if two module identifiers are of the same known type and value. `Length` plays no part,
/// and an identifier of an unknown type equals nothing, itself included.
#[must_use]
pub fn NmrIsEqualNpiModuleId(a: &NPI_MODULEID, b: &NPI_MODULEID) -> bool {
    match (a.Type, b.Type) {
        (MIT_GUID, MIT_GUID) => {
            // SAFETY: reading a member of the union needs initialized bytes: `MIT_GUID` says that
            // `Guid` is the member in use.
            let a = unsafe { a.Value.Guid };
            // SAFETY: as above.
            a == unsafe { b.Value.Guid }
        }
        (MIT_IF_LUID, MIT_IF_LUID) => {
            // SAFETY: as above, for `MIT_IF_LUID` and `IfLuid`.
            let a = unsafe { a.Value.IfLuid };
            // SAFETY: as above.
            a == unsafe { b.Value.IfLuid }
        }
        _ => false,
    }
}
