//! Control devices: devices without Plug and Play, which programs open by their symbolic links.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use super::device::{self, Init};
use super::init;
use super::io::Phase;
use super::layout::Callback;
use super::object::{self, Kind};
use super::{Handle, check_irql, image, misuse, refuse, string, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_DEVICE_STATE,
    STATUS_OBJECT_NAME_COLLISION, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::{points, text};

/// `WdfControlDeviceInitAllocate`.
pub(crate) unsafe extern "win64" fn allocate(
    _globals: *const c_void,
    driver: Handle,
    security: *const UNICODE_STRING,
) -> Handle {
    check_irql(PASSIVE_LEVEL);
    if !matches!(object::kind(driver), Some(Kind::Driver)) {
        violation(format_args!("{driver:p} is not the driver"));
    }
    if security.is_null() {
        violation("the SDDL string is null");
    }
    // SAFETY: the driver passes a string.
    if unsafe { string::check("WdfControlDeviceInitAllocate", security) }.is_err()
        || points::may_be_null()
    {
        return ptr::null_mut();
    }
    let init = Init {
        control: true,
        ..Init::default()
    };
    let image = image();
    let mut state = image.framework().lock();
    let kind = Kind::DeviceInit(Box::new(init));
    state.objects.insert(kind, object::id(driver))
}

/// `WdfControlDeviceInitSetShutdownNotification`. Nothing here ever shuts down.
pub(crate) extern "win64" fn set_shutdown_notification(
    _globals: *const c_void,
    init: Handle,
    notification: Callback,
    flags: u8,
) {
    const SHUTDOWN: u8 = 1;
    const LAST_CHANCE: u8 = 2;
    if notification == 0 {
        violation("the callback is null");
    }
    if !init::with(init, |about| about.control) {
        misuse("the WDFDEVICE_INIT is not one of a control device");
    } else if flags & !(SHUTDOWN | LAST_CHANCE) != 0 {
        misuse(format_args!("the flags {flags:#x} are invalid"));
    }
}

/// `WdfControlFinishInitializing`: from now on the device can be opened.
pub(crate) extern "win64" fn finish_initializing(_globals: *const c_void, handle: Handle) {
    check_irql(DISPATCH_LEVEL);
    let device = device::find(handle);
    if !device.init.control {
        misuse("the device is not a control device");
        return;
    }
    device.object.finish_initializing();
    let mut state = device.io.lock();
    if state.phase == Phase::Created {
        state.phase = Phase::Started;
    }
}

/// `WdfDeviceCreateSymbolicLink`.
pub(crate) unsafe extern "win64" fn create_symbolic_link(
    _globals: *const c_void,
    handle: Handle,
    name: *const UNICODE_STRING,
) -> NtStatus {
    const FUNCTION: &str = "WdfDeviceCreateSymbolicLink";
    let device = device::find(handle);
    if name.is_null() {
        violation("the name is null");
    }
    // SAFETY: the driver passes a string.
    if unsafe { name.read() }.Length == 0 {
        let text = "the name is empty";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    check_irql(PASSIVE_LEVEL);
    // SAFETY: as above.
    if let Err(status) = unsafe { string::check(FUNCTION, name) } {
        return status;
    }
    // SAFETY: as above.
    let link = unsafe { text::unicode(name) }.unwrap_or_default();
    if device.io.lock().link.is_some() {
        let text = "the device has a symbolic link already";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    let Some(target) = device.name(handle) else {
        let text = "the device has no name: call WdfDeviceInitAssignName";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_STATE, text);
    };
    if let Err(status) = points::may_fail() {
        return status;
    }
    if !image().system.namespace.add_link(&link, &target) {
        let text = format!("there is a {link} already");
        return refuse(FUNCTION, STATUS_OBJECT_NAME_COLLISION, text);
    }
    device.io.lock().link = Some(link);
    STATUS_SUCCESS
}
