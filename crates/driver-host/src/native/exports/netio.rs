//! `NETIO.SYS`: the nine functions of the NMR, which are those of nmr-host. Two things are added:
//! a registration goes to the registrar of the image's host whatever thread it comes from, and the
//! image is known to own it until it has been waited for.
// UNSAFETY: passes the image's pointers on, and reads the identity in characteristics.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::{ModuleId, ModuleLabel, Role};
use nmr_sys::{
    GUID, MIT_GUID, NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_HANDLE,
    NPI_CLIENT_CHARACTERISTICS, NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE,
    STATUS_INSUFFICIENT_RESOURCES, STATUS_NOINTERFACE,
};

use crate::native::kernel::call;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};
use crate::native::kernel::points::{self, Refusal};

pub(crate) unsafe extern "efiapi" fn register_client(
    characteristics: *const NPI_CLIENT_CHARACTERISTICS,
    context: *mut c_void,
    handle: *mut NMR_CLIENT_HANDLE,
) -> NtStatus {
    let image = call::caller().image;
    let _entered = image.system.registrar.enter();
    may_fail(REGISTER);
    // SAFETY: the arguments are valid for the NMR; the driver guarantees it.
    let status = unsafe { nmr_host::NmrRegisterClient(characteristics, context, handle) };
    if status == STATUS_SUCCESS {
        // SAFETY: the registrar has accepted the characteristics, so they can be read.
        let instance = unsafe { &raw const (*characteristics).ClientRegistrationInstance };
        // SAFETY: the registrar has written the handle.
        let handle = unsafe { handle.read() }.0.addr();
        // SAFETY: the registrar has accepted the instance, so it can be read.
        unsafe { note(&image, Role::Client, instance, handle) };
    }
    status
}

pub(crate) unsafe extern "efiapi" fn register_provider(
    characteristics: *const NPI_PROVIDER_CHARACTERISTICS,
    context: *mut c_void,
    handle: *mut NMR_PROVIDER_HANDLE,
) -> NtStatus {
    let image = call::caller().image;
    let _entered = image.system.registrar.enter();
    may_fail(REGISTER);
    // SAFETY: the arguments are valid for the NMR; the driver guarantees it.
    let status = unsafe { nmr_host::NmrRegisterProvider(characteristics, context, handle) };
    if status == STATUS_SUCCESS {
        // SAFETY: the registrar has accepted the characteristics, so they can be read.
        let instance = unsafe { &raw const (*characteristics).ProviderRegistrationInstance };
        // SAFETY: the registrar has written the handle.
        let handle = unsafe { handle.read() }.0.addr();
        // SAFETY: the registrar has accepted the instance, so it can be read.
        unsafe { note(&image, Role::Provider, instance, handle) };
    }
    status
}

/// Notes whose a registration is, and of which interface.
///
/// # Safety
///
/// The instance and what it points to can be read.
unsafe fn note(
    image: &Loaded,
    role: Role,
    instance: *const NPI_REGISTRATION_INSTANCE,
    handle: usize,
) {
    // SAFETY: the requirement is that of this function.
    let module = unsafe { label(role, instance) };
    // SAFETY: as above.
    let npi = unsafe { npi(instance) };
    image.system.note_registered(module, npi);
    image.registrations.add(handle, module);
}

pub(crate) unsafe extern "efiapi" fn attach_provider(
    binding: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    dispatch: *const c_void,
    provider_context: *mut *mut c_void,
    provider_dispatch: *mut *const c_void,
) -> NtStatus {
    may_fail(ATTACH);
    // SAFETY: the arguments are valid for the NMR; the driver guarantees it.
    unsafe {
        nmr_host::NmrClientAttachProvider(
            binding,
            context,
            dispatch,
            provider_context,
            provider_dispatch,
        )
    }
}

/// Failures that the NMR may return. Deregister and Wait have none: a correct call of them succeeds.
const REGISTER: &[Refusal] = &[Refusal::Status(STATUS_INSUFFICIENT_RESOURCES)];
const ATTACH: &[Refusal] = &[
    Refusal::Status(STATUS_NOINTERFACE),
    Refusal::Status(STATUS_INSUFFICIENT_RESOURCES),
];

/// Stands before a call of the registrar, and lets it fail if it is to: so it is in the record.
fn may_fail(refusals: &'static [Refusal]) {
    if let Some(Refusal::Status(status)) = points::ask(refusals) {
        nmr_host::fail_next_call(status);
    }
}

pub(crate) extern "efiapi" fn wait_for_client(handle: NMR_CLIENT_HANDLE) -> NtStatus {
    closed(
        handle.0.addr(),
        nmr_host::NmrWaitForClientDeregisterComplete(handle),
    )
}

pub(crate) extern "efiapi" fn wait_for_provider(handle: NMR_PROVIDER_HANDLE) -> NtStatus {
    closed(
        handle.0.addr(),
        nmr_host::NmrWaitForProviderDeregisterComplete(handle),
    )
}

/// A wait returned: if it succeeded, the registration is closed.
fn closed(handle: usize, status: NtStatus) -> NtStatus {
    if status == STATUS_SUCCESS {
        call::caller().image.registrations.remove(handle);
    }
    status
}

/// The interface of a registration instance.
///
/// # Safety
///
/// The instance and what it points to can be read.
unsafe fn npi(instance: *const NPI_REGISTRATION_INSTANCE) -> GUID {
    // SAFETY: the instance can be read, by the caller's promise.
    let id = unsafe { &raw const (*instance).NpiId };
    // SAFETY: as above.
    let id = unsafe { id.read() };
    // SAFETY: what the instance points to can be read, by the caller's promise.
    unsafe { id.read() }
}

/// How the registrar names the module of a registration instance.
///
/// # Safety
///
/// The instance and what it points to can be read.
unsafe fn label(role: Role, instance: *const NPI_REGISTRATION_INSTANCE) -> ModuleLabel {
    // SAFETY: the instance can be read, by the caller's promise.
    let instance = unsafe { instance.read() };
    // SAFETY: what the instance points to can be read, by the caller's promise.
    let id = (!instance.ModuleId.is_null()).then(|| unsafe { instance.ModuleId.read() });
    let id = id.map(|id| {
        if id.Type == MIT_GUID {
            // SAFETY: the type says that the value is a GUID.
            ModuleId::Guid(unsafe { id.Value.Guid })
        } else {
            // SAFETY: the registrar accepts two types, and this is the other.
            let luid = unsafe { id.Value.IfLuid };
            ModuleId::IfLuid(
                u64::from(luid.LowPart) | u64::from(luid.HighPart.cast_unsigned()) << 32,
            )
        }
    });
    ModuleLabel {
        role,
        id,
        number: instance.Number,
    }
}
