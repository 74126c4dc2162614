//! Instances of WMI data. There is no WMI here: what KMDF refuses is refused, and no data is asked for.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::irql::PASSIVE_LEVEL;

use super::checks::{self, Parent, check_size};
use super::layout::{Callback, WDF_OBJECT_ATTRIBUTES};
use super::object::{self, Kind};
use super::{Handle, check_irql, device, image, refuse, string, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::points;

/// `WDF_WMI_INSTANCE_CONFIG`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Config {
    size: u32,
    provider: Handle,
    own_provider: *const c_void,
    _use_context: u8,
    _register: u8,
    _callbacks: [Callback; 4],
}

const _: () = assert!(size_of::<Config>() == 0x40);

/// `WdfWmiInstanceCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    device: Handle,
    config: *const Config,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfWmiInstanceCreate";
    check_irql(PASSIVE_LEVEL);
    device::find(device);
    if config.is_null() {
        violation("the configuration is null");
    }
    // SAFETY: the driver passes a configuration.
    let config = unsafe { config.read() };
    if let Err(status) = check_size(FUNCTION, config.size, size_of::<Config>(), "configuration") {
        return status;
    }
    if config.provider.is_null() == config.own_provider.is_null() {
        let text = "it needs a Provider or a ProviderConfig, and not both";
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, text);
    }
    if !config.provider.is_null() {
        violation("no provider was created: WdfWmiProviderCreate does not exist here");
    }
    // SAFETY: the driver passes attributes or null.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Forbidden, false) };
    let make = |attributes| object::make(&image(), Kind::WmiInstance, Some(device), attributes);
    match checked.and_then(make) {
        Ok(instance) => {
            if !output.is_null() {
                // SAFETY: the driver passes an output or null.
                unsafe { output.write(instance) };
            }
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// `WdfDeviceAssignMofResourceName`.
pub(crate) unsafe extern "win64" fn assign_mof(
    _globals: *const c_void,
    device: Handle,
    name: *const UNICODE_STRING,
) -> NtStatus {
    check_irql(PASSIVE_LEVEL);
    device::find(device);
    if name.is_null() {
        violation("the name is null");
    }
    // SAFETY: the driver passes a string.
    let checked = unsafe { string::check("WdfDeviceAssignMofResourceName", name) };
    checked
        .and_then(|()| points::may_fail())
        .err()
        .unwrap_or(STATUS_SUCCESS)
}

/// `WdfWmiInstanceGetDevice`.
pub(crate) extern "win64" fn get_device(_globals: *const c_void, instance: Handle) -> Handle {
    match object::kind(instance) {
        Some(Kind::WmiInstance) => object::parent(instance),
        _ => violation(format_args!("{instance:p} is not a WMI instance")),
    }
}
