//! `WDFDEVICE_INIT`: what is set before a device is created. Some of it makes no difference to a
//! device without hardware; it is checked and accepted.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;

use super::checks::{self, Parent};
use super::device::Init;
use super::image;
use super::layout::{WDF_FILEOBJECT_CONFIG, WDF_OBJECT_ATTRIBUTES, WDF_PNPPOWER_EVENT_CALLBACKS};
use super::object::Kind;
use super::refuse;
use super::violation;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::points;
use crate::native::kernel::text;
use crate::native::wdf::Handle;

/// Looks at a `WDFDEVICE_INIT`, or stops.
fn with<T>(init: Handle, change: impl FnOnce(&mut Init) -> T) -> T {
    let image = image();
    let mut state = image.framework().lock();
    let object = state.objects.get_mut(init);
    if let Some(Kind::DeviceInit(about)) = object.map(|object| &mut object.kind) {
        return change(about);
    }
    drop(state);
    violation(format_args!("{init:p} is not a WDFDEVICE_INIT"))
}

/// Whether a structure has its size. The framework ignores one that has not, silently.
fn has_size(function: &'static str, found: u32, expected: usize) -> bool {
    let right = found as usize == expected;
    if !right {
        let text = format!("ignored: its Size is {found:#x}, not {expected:#x}");
        refuse(function, STATUS_INFO_LENGTH_MISMATCH, text);
    }
    right
}

/// `WdfDeviceInitFree`: only for those that the driver allocated itself, which cannot exist here.
pub(crate) extern "win64" fn free(_globals: *const c_void, _init: Handle) {
    violation("the WDFDEVICE_INIT of EvtDriverDeviceAdd belongs to the framework");
}

/// `WdfDeviceInitSetPnpPowerEventCallbacks`.
pub(crate) unsafe extern "win64" fn set_pnp_power_callbacks(
    _globals: *const c_void,
    init: Handle,
    callbacks: *const WDF_PNPPOWER_EVENT_CALLBACKS,
) {
    // SAFETY: the caller vouches for the structure.
    let callbacks = unsafe { callbacks.read() };
    let function = "WdfDeviceInitSetPnpPowerEventCallbacks";
    if has_size(
        function,
        callbacks.Size,
        size_of::<WDF_PNPPOWER_EVENT_CALLBACKS>(),
    ) {
        with(init, |about| about.callbacks = callbacks.Callbacks);
    }
}

/// `WdfDeviceInitSetPowerPolicyEventCallbacks`: nothing here ever sleeps.
pub(crate) unsafe extern "win64" fn set_power_policy_callbacks(
    _globals: *const c_void,
    init: Handle,
    callbacks: *const u32,
) {
    // SAFETY: the caller vouches for the structure, which begins with its size.
    let size = unsafe { callbacks.read() };
    has_size("WdfDeviceInitSetPowerPolicyEventCallbacks", size, 0x40);
    with(init, |_| ());
}

/// The functions that set one number or none.
pub(crate) extern "win64" fn set_number(_globals: *const c_void, init: Handle, _number: u32) {
    with(init, |_| ());
}

/// `WdfDeviceInitAssignName` and `WdfDeviceInitAssignSDDLString`.
pub(crate) unsafe extern "win64" fn assign_string(
    _globals: *const c_void,
    init: Handle,
    string: *const UNICODE_STRING,
) -> NtStatus {
    with(init, |_| ());
    // SAFETY: the caller vouches for null or a string.
    match unsafe { text::unicode(string) } {
        Some(text) if text.is_empty() => refuse(
            "WdfDeviceInitAssign…",
            STATUS_INVALID_PARAMETER,
            "the string is empty",
        ),
        _ => points::may_fail().err().unwrap_or(STATUS_SUCCESS),
    }
}

/// `WdfDeviceInitSetDeviceClass`.
pub(crate) extern "win64" fn set_class(
    _globals: *const c_void,
    init: Handle,
    _class: *const c_void,
) {
    with(init, |_| ());
}

/// `WdfDeviceInitSetIoType`: for reading and writing, which programs do not do here.
pub(crate) extern "win64" fn set_io_type(_globals: *const c_void, init: Handle, kind: i32) {
    with(init, |_| ());
    if !(1..=4).contains(&kind) {
        let text = "ignored: the type is not 1 to 4";
        refuse("WdfDeviceInitSetIoType", STATUS_INVALID_PARAMETER, text);
    }
}

/// `WdfDeviceInitSetExclusive`.
pub(crate) extern "win64" fn set_exclusive(_globals: *const c_void, init: Handle, exclusive: u8) {
    with(init, |about| about.exclusive = exclusive != 0);
}

/// `WdfDeviceInitSetFileObjectConfig`.
pub(crate) unsafe extern "win64" fn set_file_object_config(
    _globals: *const c_void,
    init: Handle,
    config: *const WDF_FILEOBJECT_CONFIG,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
) {
    const FUNCTION: &str = "WdfDeviceInitSetFileObjectConfig";
    const OPTIONAL: u32 = 0x8000_0000;
    // SAFETY: the caller vouches for the structure.
    let config = unsafe { config.read() };
    if !has_size(FUNCTION, config.Size, size_of::<WDF_FILEOBJECT_CONFIG>()) {
        return;
    }
    if !(1..=4).contains(&(config.FileObjectClass & !OPTIONAL))
        || !(0..=2).contains(&config.AutoForwardCleanupClose)
    {
        let text = "ignored: FileObjectClass is not 1 to 4, or AutoForwardCleanupClose not 0 to 2";
        refuse(FUNCTION, STATUS_INVALID_PARAMETER, text);
        return;
    }
    // SAFETY: the caller vouches for the attributes.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Forbidden, true) };
    if let Ok(attributes) = checked {
        with(init, |about| about.files = Some((config, attributes)));
    }
}

/// `WdfDeviceInitSetRequestAttributes`.
pub(crate) unsafe extern "win64" fn set_request_attributes(
    _globals: *const c_void,
    init: Handle,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
) {
    let function = "WdfDeviceInitSetRequestAttributes";
    // SAFETY: the caller vouches for the attributes.
    let checked = unsafe { checks::attributes(function, attributes, Parent::Forbidden, false) };
    if let Ok(attributes) = checked {
        with(init, |about| about.request_attributes = attributes);
    }
}
