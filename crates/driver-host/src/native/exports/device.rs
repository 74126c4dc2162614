//! Devices and symbolic links of drivers without KMDF: `IoCreateDevice`, `IoDeleteDevice`,
//! `IoCreateSymbolicLink`, `IoDeleteSymbolicLink`.
//!
//! Parameters, statuses and levels are those of the pages of these names in Microsoft's reference of `wdm.h`.
// UNSAFETY: names and outputs of the image.
#![expect(unsafe_code)]

use nmr_host::irql::{APC_LEVEL, PASSIVE_LEVEL};

use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::device::Link;
use crate::native::kernel::device_object::{DEVICE_OBJECT, DeviceObject, EXCLUSIVE};
use crate::native::kernel::irql::check_level;
use crate::native::kernel::namespace::DeviceId;
use crate::native::kernel::nt::{
    DRIVER_OBJECT, NtStatus, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::{points, text};

/// Highest level: `APC_LEVEL`.
pub(crate) unsafe extern "win64" fn create(
    driver: *mut DRIVER_OBJECT,
    extension: u32,
    name: *const UNICODE_STRING,
    device_type: u32,
    characteristics: u32,
    exclusive: u8,
    output: *mut *mut DEVICE_OBJECT,
) -> NtStatus {
    check_level(APC_LEVEL);
    let call = call::caller();
    let image = &call.image;
    if driver != image.objects.driver() {
        misuse("it is not the driver object of the driver that calls");
        return STATUS_INVALID_PARAMETER;
    }
    // SAFETY: `name` is null or points to a `UNICODE_STRING`; the driver guarantees it.
    let name = unsafe { text::unicode(name) }.filter(|name| !name.is_empty());
    if let Err(status) = points::may_fail() {
        return status;
    }
    let flags = if exclusive != 0 { EXCLUSIVE } else { 0 };
    let extension = extension as usize;
    let Ok(object) = DeviceObject::new(driver, extension, device_type, characteristics, flags)
    else {
        return STATUS_INSUFFICIENT_RESOURCES;
    };
    let address = object.address();
    let device = image.devices.add(object, name, call.offset);
    let id = DeviceId::Own(device.number);
    let names = &image.system.namespace;
    if let Some(name) = &device.name
        && !names.add_device(name, image, id)
    {
        image.devices.delete(address);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    image.objects.set_first_device(image.devices.chain());
    // SAFETY: `output` points to a variable; the driver guarantees it.
    unsafe { output.write(address) };
    STATUS_SUCCESS
}

/// Highest level: `APC_LEVEL`. The device object goes when the last file of the device is closed.
pub(crate) extern "win64" fn delete(object: *const DEVICE_OBJECT) {
    check_level(APC_LEVEL);
    let image = call::caller().image;
    let Some(device) = image.devices.delete(object) else {
        misuse(format!(
            "{object:p} is not a device object that the driver has made and not deleted"
        ));
        return;
    };
    if let Some(name) = &device.name {
        image.system.namespace.remove(name);
    }
    image.objects.set_first_device(image.devices.chain());
}

/// Highest level: `PASSIVE_LEVEL`.
pub(crate) unsafe extern "win64" fn create_link(
    name: *const UNICODE_STRING,
    target: *const UNICODE_STRING,
) -> NtStatus {
    check_level(PASSIVE_LEVEL);
    let call = call::caller();
    // SAFETY: `name` points to a `UNICODE_STRING`; the driver guarantees it.
    let name = unsafe { text::unicode(name) }.unwrap_or_default();
    // SAFETY: `target` points to a `UNICODE_STRING`; the driver guarantees it.
    let target = unsafe { text::unicode(target) }.unwrap_or_default();
    if name.is_empty() || target.is_empty() {
        return STATUS_INVALID_PARAMETER;
    }
    if let Err(status) = points::may_fail() {
        return status;
    }
    if !call.image.system.namespace.add_link(&name, &target) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    let offset = call.offset;
    call.image.devices.add_link(Link { name, offset });
    STATUS_SUCCESS
}

/// Highest level: `PASSIVE_LEVEL`.
pub(crate) unsafe extern "win64" fn delete_link(name: *const UNICODE_STRING) -> NtStatus {
    check_level(PASSIVE_LEVEL);
    let image = call::caller().image;
    // SAFETY: `name` points to a `UNICODE_STRING`; the driver guarantees it.
    let name = unsafe { text::unicode(name) }.unwrap_or_default();
    if !image.system.namespace.remove_link(&name) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    image.devices.remove_link(&name);
    STATUS_SUCCESS
}
