//! Interfaces that a driver offers to the other drivers of its device. There are none, so nothing asks for them.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::irql::PASSIVE_LEVEL;

use super::checks::check_size;
use super::layout::Callback;
use super::{Handle, check_irql, device, refuse, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};
use crate::native::kernel::points;

/// `WDF_QUERY_INTERFACE_CONFIG`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Config {
    size: u32,
    /// Begins with its size, in 16 bits.
    interface: *const u16,
    class: *const c_void,
    to_parent: u8,
    process: Callback,
    import: u8,
}

const _: () = assert!(size_of::<Config>() == 0x30);

/// The size of `INTERFACE`, with which every interface begins.
const LEAST: u16 = 0x20;

/// `WdfDeviceAddQueryInterface`.
pub(crate) unsafe extern "win64" fn add(
    _globals: *const c_void,
    device: Handle,
    config: *const Config,
) -> NtStatus {
    const FUNCTION: &str = "WdfDeviceAddQueryInterface";
    check_irql(PASSIVE_LEVEL);
    let about = device::find(device);
    if config.is_null() {
        violation("the configuration is null");
    }
    // SAFETY: the driver passes a configuration.
    let own = unsafe { config.read() };
    if own.class.is_null() {
        violation("the InterfaceType is null");
    }
    if about.init.control {
        let text = "the device is not one of Plug and Play";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    if let Err(status) = check_size(FUNCTION, own.size, size_of::<Config>(), "configuration") {
        return status;
    }
    // SAFETY: the driver passes an interface or null.
    let size = (!own.interface.is_null()).then(|| unsafe { own.interface.read() });
    let wrong = if own.to_parent != 0 && about.init.pdo.is_none() {
        "SendQueryToParentStack is for the devices of children"
    } else if size.is_none() && own.to_parent == 0 && own.import == 0 {
        "it has no Interface, and takes it from nowhere"
    } else if own.import != 0 && own.process == 0 {
        "ImportInterface needs EvtDeviceProcessQueryInterfaceRequest"
    } else if size.is_some_and(|size| size < LEAST) {
        "its Interface is shorter than an INTERFACE"
    } else {
        return points::may_fail().err().unwrap_or(STATUS_SUCCESS);
    };
    refuse(FUNCTION, STATUS_INVALID_PARAMETER, wrong)
}
