//! The nine functions of the NMR, under their own names: convert and call (contract section 1.3).
// UNSAFETY: exported functions, whose arguments are the modules' pointers.
#![expect(unsafe_code)]
#![allow(non_snake_case, reason = "the names are those of netioddk.h")]

use std::ffi::c_void;
use std::ptr;

use nmr_machine::Role;
use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NMR_PROVIDER_HANDLE,
    NPI_CLIENT_CHARACTERISTICS, NPI_PROVIDER_CHARACTERISTICS, NTSTATUS, Opaque,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};

use crate::functions;
use crate::instances;
use crate::poison::POISON;
use crate::shell::Shell;
use crate::sync::Arc;
use crate::validate;

/// See `nmr_sys::NmrRegisterClient`.
///
/// # Safety
///
/// As there. A null pointer, or a structure that is malformed but readable, is reported and refused.
#[unsafe(no_mangle)]
pub unsafe extern "efiapi" fn NmrRegisterClient(
    ClientCharacteristics: *const NPI_CLIENT_CHARACTERISTICS,
    ClientContext: *mut c_void,
    NmrClientHandle: *mut NMR_CLIENT_HANDLE,
) -> NTSTATUS {
    let here = instances::current();
    let shell: &Arc<Shell> = &here;
    // SAFETY: the caller vouches for the structure and what it points to.
    let (module, findings) =
        unsafe { validate::module(ClientCharacteristics, ClientContext, &shell.policy) };
    let write = |handle| {
        // SAFETY: the caller vouches for the output, which `register` saw not to be null.
        unsafe { NmrClientHandle.write_unaligned(NMR_CLIENT_HANDLE(handle)) };
    };
    functions::register(
        shell,
        Role::Client,
        module,
        findings,
        !NmrClientHandle.is_null(),
        write,
    )
}

/// See `nmr_sys::NmrRegisterProvider`.
///
/// # Safety
///
/// As for [`NmrRegisterClient`].
#[unsafe(no_mangle)]
pub unsafe extern "efiapi" fn NmrRegisterProvider(
    ProviderCharacteristics: *const NPI_PROVIDER_CHARACTERISTICS,
    ProviderContext: *mut c_void,
    NmrProviderHandle: *mut NMR_PROVIDER_HANDLE,
) -> NTSTATUS {
    let here = instances::current();
    let shell: &Arc<Shell> = &here;
    // SAFETY: the caller vouches for the structure and what it points to.
    let (module, findings) =
        unsafe { validate::module(ProviderCharacteristics, ProviderContext, &shell.policy) };
    let write = |handle| {
        // SAFETY: the caller vouches for the output, which `register` saw not to be null.
        unsafe { NmrProviderHandle.write_unaligned(NMR_PROVIDER_HANDLE(handle)) };
    };
    let given = !NmrProviderHandle.is_null();
    functions::register(shell, Role::Provider, module, findings, given, write)
}

/// See `nmr_sys::NmrDeregisterClient`.
#[unsafe(no_mangle)]
pub extern "efiapi" fn NmrDeregisterClient(NmrClientHandle: NMR_CLIENT_HANDLE) -> NTSTATUS {
    functions::deregister(Role::Client, NmrClientHandle.0.addr())
}

/// See `nmr_sys::NmrDeregisterProvider`.
#[unsafe(no_mangle)]
pub extern "efiapi" fn NmrDeregisterProvider(NmrProviderHandle: NMR_PROVIDER_HANDLE) -> NTSTATUS {
    functions::deregister(Role::Provider, NmrProviderHandle.0.addr())
}

/// See `nmr_sys::NmrWaitForClientDeregisterComplete`.
#[unsafe(no_mangle)]
pub extern "efiapi" fn NmrWaitForClientDeregisterComplete(
    NmrClientHandle: NMR_CLIENT_HANDLE,
) -> NTSTATUS {
    functions::wait(Role::Client, NmrClientHandle.0.addr())
}

/// See `nmr_sys::NmrWaitForProviderDeregisterComplete`.
#[unsafe(no_mangle)]
pub extern "efiapi" fn NmrWaitForProviderDeregisterComplete(
    NmrProviderHandle: NMR_PROVIDER_HANDLE,
) -> NTSTATUS {
    functions::wait(Role::Provider, NmrProviderHandle.0.addr())
}

/// See `nmr_sys::NmrClientDetachProviderComplete`.
#[unsafe(no_mangle)]
pub extern "efiapi" fn NmrClientDetachProviderComplete(
    NmrBindingHandle: NMR_CLIENT_BINDING_HANDLE,
) {
    functions::complete(Role::Client, NmrBindingHandle.0.addr());
}

/// See `nmr_sys::NmrProviderDetachClientComplete`.
#[unsafe(no_mangle)]
pub extern "efiapi" fn NmrProviderDetachClientComplete(
    NmrBindingHandle: NMR_PROVIDER_BINDING_HANDLE,
) {
    functions::complete(Role::Provider, NmrBindingHandle.0.addr());
}

/// See `nmr_sys::NmrClientAttachProvider`.
///
/// # Safety
///
/// As there. A handle that is not in its offer is reported and refused, and so is a null output.
#[unsafe(no_mangle)]
pub unsafe extern "efiapi" fn NmrClientAttachProvider(
    NmrBindingHandle: NMR_CLIENT_BINDING_HANDLE,
    ClientBindingContext: *mut c_void,
    ClientDispatch: *const c_void,
    ProviderBindingContext: *mut *mut c_void,
    ProviderDispatch: *mut *const c_void,
) -> NTSTATUS {
    let outputs = !ProviderBindingContext.is_null() && !ProviderDispatch.is_null();
    let (context, dispatch) = (
        Opaque(ClientBindingContext),
        Opaque(ClientDispatch.cast_mut()),
    );
    let attached = functions::attach(NmrBindingHandle.0.addr(), context, dispatch, outputs);
    if !outputs {
        return STATUS_INVALID_PARAMETER;
    }
    let (status, context, dispatch) = match attached {
        Ok((context, dispatch)) => (STATUS_SUCCESS, context.0, dispatch.0.cast_const()),
        Err((status, true)) => (status, POISON, POISON.cast_const()),
        Err((status, false)) => (status, ptr::null_mut(), ptr::null()),
    };
    // SAFETY: the caller vouches for the output, which is not null.
    unsafe { ProviderBindingContext.write_unaligned(context) };
    // SAFETY: as above.
    unsafe { ProviderDispatch.write_unaligned(dispatch) };
    status
}
