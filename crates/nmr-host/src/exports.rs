//! The nine functions of the NMR, under their own names: convert and call (contract section 1.3).
// UNSAFETY: exported functions, whose arguments are the modules' pointers.
#![expect(unsafe_code)]
#![allow(non_snake_case, reason = "the names are those of netioddk.h")]

use std::ffi::c_void;
use std::ptr;

use nmr_machine::{Convention, Role, Rule};
use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NMR_PROVIDER_HANDLE,
    NPI_CLIENT_CHARACTERISTICS, NPI_PROVIDER_CHARACTERISTICS, NTSTATUS, Opaque,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};

use crate::convention;
use crate::functions;
use crate::instances;
use crate::poison::POISON;
use crate::shell::Shell;
use crate::sync::Arc;
use crate::validate::{self, Characteristics};

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
    let output = NmrClientHandle.cast();
    // SAFETY: this function asks the same of its caller; a handle has the layout of a pointer.
    unsafe { register(ClientCharacteristics, ClientContext, output, Looking::No) }
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
    let output = NmrProviderHandle.cast();
    // SAFETY: as for the client.
    unsafe {
        register(
            ProviderCharacteristics,
            ProviderContext,
            output,
            Looking::No,
        )
    }
}

/// What a registration says of the convention of its callbacks.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(all(target_arch = "x86_64", not(windows))),
    expect(dead_code, reason = "there is one convention")
)]
enum Looking {
    /// Windows', and Rust's compiler has checked that.
    No,
    /// Windows', as the C headers have it, where a cast hides another one from the compiler.
    AtCode,
    /// The system's own: `NMR_HOST_NATIVE_CONVENTION` of `nmr_convention.h`.
    Native,
}

/// Registers a module of either role.
///
/// # Safety
///
/// As for [`NmrRegisterClient`].
unsafe fn register<C: Characteristics>(
    characteristics: *const C,
    context: *mut c_void,
    output: *mut *mut c_void,
    looking: Looking,
) -> NTSTATUS {
    let here = instances::current();
    let shell: &Arc<Shell> = &here;
    // SAFETY: the structure and what it points to are readable, as this function requires.
    let (mut module, mut findings) =
        unsafe { validate::module(characteristics, context, &shell.policy) };
    if let Some(module) = &mut module {
        let callee = &mut module.callee;
        match looking {
            Looking::No => {}
            Looking::AtCode => {
                if callee.callbacks.addresses().any(convention::is_system_v) {
                    findings.reject(Rule::V17, None);
                }
            }
            Looking::Native => callee.convention = Convention::Native,
        }
    }
    let write = |handle| {
        // SAFETY: `output` is writable, as this function requires, and `register` saw that it is not null.
        unsafe { output.write_unaligned(handle) };
    };
    functions::register(shell, C::ROLE, module, findings, !output.is_null(), write)
}

/// Registers modules of C: what the two functions are where the compiler's own convention is not
/// Windows'.
#[cfg(all(target_arch = "x86_64", not(windows)))]
mod of_c {
    use super::{
        Looking, NPI_CLIENT_CHARACTERISTICS, NPI_PROVIDER_CHARACTERISTICS, NTSTATUS, c_void,
        register,
    };

    macro_rules! entry_points {
        ($($name:ident = $characteristics:ty, $looking:ident;)*) => {$(
            #[unsafe(no_mangle)]
            unsafe extern "efiapi" fn $name(
                characteristics: *const $characteristics,
                context: *mut c_void,
                handle: *mut *mut c_void,
            ) -> NTSTATUS {
                // SAFETY: this function asks the same of its caller.
                unsafe { register(characteristics, context, handle, Looking::$looking) }
            }
        )*};
    }

    entry_points! {
        nmr_host_checked_NmrRegisterClient = NPI_CLIENT_CHARACTERISTICS, AtCode;
        nmr_host_checked_NmrRegisterProvider = NPI_PROVIDER_CHARACTERISTICS, AtCode;
        nmr_host_native_NmrRegisterClient = NPI_CLIENT_CHARACTERISTICS, Native;
        nmr_host_native_NmrRegisterProvider = NPI_PROVIDER_CHARACTERISTICS, Native;
    }
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
    // SAFETY: the output is writable, as this function requires, and not null.
    unsafe { ProviderBindingContext.write_unaligned(context) };
    // SAFETY: as above.
    unsafe { ProviderDispatch.write_unaligned(dispatch) };
    status
}
