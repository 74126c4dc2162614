//! The framework's driver object: `WdfDriverCreate`, its small relatives, and its end.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use nmr_host::irql::{self, PASSIVE_LEVEL};

use super::call;
use super::checks::{self, Parent, check_size};
use super::device;
use super::image;
use super::layout::{Callback, WDF_DRIVER_CONFIG, WDF_OBJECT_ATTRIBUTES};
use super::object::{self, Kind};
use super::refuse;
use super::serial::{Constraints, Serial};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    DRIVER_OBJECT, NtStatus, STATUS_DRIVER_INTERNAL_ERROR, STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::wdf::Handle;

/// What a driver said when it was created.
#[derive(Clone, Debug)]
pub(super) struct Driver {
    pub(super) handle: Handle,
    /// How `EvtDriverDeviceAdd` is called, and what its devices inherit.
    pub(super) serial: Serial,
    pub(super) device_add: Callback,
    unload: Callback,
}

// SAFETY: a handle is never followed.
unsafe impl Send for Driver {}

const FUNCTION: &str = "WdfDriverCreate";
const NON_PNP: u32 = 1;
const NO_DISPATCH_OVERRIDE: u32 = 2;
const COMPANION: u32 = 0x10;

/// `WdfDriverCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    driver: *mut DRIVER_OBJECT,
    registry_path: *const UNICODE_STRING,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    config: *const WDF_DRIVER_CONFIG,
    output: *mut Handle,
) -> NtStatus {
    let image = image();
    let known = driver == image.objects.driver();
    if !known || registry_path.is_null() || config.is_null() {
        return refuse(
            FUNCTION,
            STATUS_INVALID_PARAMETER,
            "these are not DriverEntry's arguments",
        );
    }
    // SAFETY: the configuration is valid; the driver guarantees it.
    let config = unsafe { config.read() };
    // SAFETY: the attributes are valid; the driver guarantees it.
    let attributes = unsafe { checks::attributes(FUNCTION, attributes, Parent::Forbidden, true) };
    let made = attributes.and_then(|attributes| {
        check(&image, config)?;
        let handle = object::make(&image, Kind::Driver, None, attributes)?;
        Ok((handle, Constraints::default().below(attributes)))
    });
    let (handle, constraints) = match made {
        Ok(made) => made,
        Err(status) => return status,
    };
    start(&image, handle, config, Serial::of_driver(constraints));
    if !output.is_null() {
        // SAFETY: the output is valid; the driver guarantees it.
        unsafe { output.write(handle) };
    }
    STATUS_SUCCESS
}

fn check(image: &Loaded, config: WDF_DRIVER_CONFIG) -> Result<(), NtStatus> {
    check_size(
        FUNCTION,
        config.Size,
        size_of::<WDF_DRIVER_CONFIG>(),
        "configuration",
    )?;
    let invalid = |text| Err(refuse(FUNCTION, STATUS_INVALID_PARAMETER, text));
    if irql::current() != PASSIVE_LEVEL {
        return invalid("it is called above PASSIVE_LEVEL");
    }
    if config.DriverInitFlags & !(NON_PNP | NO_DISPATCH_OVERRIDE | COMPANION) != 0 {
        return invalid("DriverInitFlags has unknown flags");
    }
    if config.DriverInitFlags & NON_PNP != 0 && config.EvtDriverDeviceAdd != 0 {
        return invalid("a driver without Plug and Play has no EvtDriverDeviceAdd");
    }
    if image.framework().lock().driver.is_some() {
        return Err(refuse(
            FUNCTION,
            STATUS_DRIVER_INTERNAL_ERROR,
            "there is one already",
        ));
    }
    Ok(())
}

/// The driver object is the framework's from now on.
fn start(image: &Loaded, handle: Handle, config: WDF_DRIVER_CONFIG, serial: Serial) {
    let (device_add, unload) = (config.EvtDriverDeviceAdd, config.EvtDriverUnload);
    let pnp = config.DriverInitFlags & (NON_PNP | NO_DISPATCH_OVERRIDE) == 0;
    let can_unload = pnp || unload != 0;
    let framework = image.framework();
    framework.lock().driver = Some(Driver {
        handle,
        serial,
        device_add,
        unload,
    });
    framework
        .globals
        .set(handle, config.DriverPoolTag, &image.name, can_unload);
    if config.DriverInitFlags & NO_DISPATCH_OVERRIDE != 0 {
        return;
    }
    let (none, unload) = (std::ptr::null(), framework.unload_routine());
    let add_device = if pnp {
        framework.add_device_routine()
    } else {
        none
    };
    image
        .objects
        .set_routines(if can_unload { unload } else { none }, add_device);
}

/// The routine that the framework puts into the driver object, and that the driver's entry stub
/// displaces and calls.
pub(crate) extern "win64" fn unload(_driver: *mut DRIVER_OBJECT) {
    let image = image();
    let driver = image.framework().lock().driver.clone();
    let Some(driver) = driver else {
        refuse(
            "the framework's unload",
            STATUS_INVALID_PARAMETER,
            "there is no driver object",
        );
        return;
    };
    call::object(&image, "EvtDriverUnload", driver.unload, driver.handle);
    delete(&image);
}

/// Deletes the driver object with everything below it.
pub(super) fn delete(image: &Arc<Loaded>) {
    device::remove_rest(image);
    let driver = image.framework().lock().driver.take();
    if let Some(driver) = driver {
        object::delete_tree(image, driver.handle);
        image
            .framework()
            .globals
            .set(std::ptr::null_mut(), 0, "", true);
    }
}

/// `WdfDriverGetRegistryPath`.
pub(crate) extern "win64" fn registry_path(_globals: *const c_void, _driver: Handle) -> *const u16 {
    let path = image().registry_path();
    // SAFETY: the string lives as long as the image.
    unsafe { path.read() }.Buffer
}

/// `WdfDriverWdmGetDriverObject`.
pub(crate) extern "win64" fn wdm_object(
    _globals: *const c_void,
    _driver: Handle,
) -> *mut DRIVER_OBJECT {
    image().objects.driver()
}
