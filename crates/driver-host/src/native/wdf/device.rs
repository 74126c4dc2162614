//! Devices: what Plug and Play does with a root-enumerated device that has no hardware.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::super::kernel::{NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, failed};
use super::super::loaded::Loaded;
use super::checks::{self, Parent};
use super::layout::{Callback, WDF_OBJECT_ATTRIBUTES};
use super::object::{self, Kind};
use super::{Handle, call, image, refuse, violation};

/// What a driver says about a device before it exists.
#[derive(Clone, Debug, Default)]
pub(super) struct Init {
    /// The callbacks of Plug and Play and power, in the order of their structure.
    pub(super) callbacks: [Callback; 17],
    started: bool,
}

/// Places in [`Init::callbacks`].
const D0_ENTRY: usize = 0;
const D0_EXIT: usize = 2;
const PREPARE_HARDWARE: usize = 4;
const RELEASE_HARDWARE: usize = 5;
const SELF_MANAGED_IO_CLEANUP: usize = 6;
const SELF_MANAGED_IO_FLUSH: usize = 7;
const SELF_MANAGED_IO_INIT: usize = 8;
const SELF_MANAGED_IO_SUSPEND: usize = 9;

/// `WdfPowerDeviceD3Final`, the power state before the first start and after the last stop.
const D3_FINAL: *mut c_void = ptr::without_provenance_mut(5);

/// Asks the driver for a device, and starts it. `None` if the driver has no `EvtDriverDeviceAdd`.
pub(crate) fn add(image: &Arc<Loaded>) -> Option<NtStatus> {
    let driver = image
        .framework
        .lock()
        .driver
        .filter(|driver| driver.device_add != 0)?;
    let known: Vec<_> = devices(image);
    let init = Kind::DeviceInit(Box::default());
    let init = image
        .framework
        .lock()
        .objects
        .insert(init, object::id(driver.handle));
    let name = "EvtDriverDeviceAdd";
    let arguments = [init, ptr::null_mut()];
    let status = call::status(image, name, driver.device_add, driver.handle, arguments);
    discard_init(image, init);
    let added = devices(image)
        .into_iter()
        .filter(|device| !known.contains(device));
    for device in added {
        let status = if failed(status) {
            status
        } else {
            start(image, device)
        };
        if failed(status) {
            remove(image, device);
            return Some(status);
        }
    }
    Some(status)
}

fn discard_init(image: &Loaded, init: Handle) {
    let mut state = image.framework.lock();
    let unused = state
        .objects
        .get(init)
        .is_some_and(|o| matches!(o.kind, Kind::DeviceInit(_)));
    if unused {
        state.objects.remove(init);
    }
}

fn devices(image: &Loaded) -> Vec<Handle> {
    image
        .framework
        .lock()
        .objects
        .all(|kind| matches!(kind, Kind::Device(_)))
}

fn callbacks(image: &Loaded, device: Handle) -> [Callback; 17] {
    let state = image.framework.lock();
    match state.objects.get(device).map(|object| &object.kind) {
        Some(Kind::Device(init)) => init.callbacks,
        _ => [0; 17],
    }
}

fn start(image: &Loaded, device: Handle) -> NtStatus {
    let callbacks = callbacks(image, device);
    let none = [ptr::null_mut(); 2];
    let steps = [
        ("EvtDevicePrepareHardware", PREPARE_HARDWARE, none),
        ("EvtDeviceD0Entry", D0_ENTRY, [D3_FINAL, ptr::null_mut()]),
        ("EvtDeviceSelfManagedIoInit", SELF_MANAGED_IO_INIT, none),
    ];
    for (name, place, arguments) in steps {
        let status = call::status(image, name, callbacks[place], device, arguments);
        if failed(status) {
            return status;
        }
    }
    if let Some(object) = image.framework.lock().objects.get_mut(device)
        && let Kind::Device(init) = &mut object.kind
    {
        init.started = true;
    }
    STATUS_SUCCESS
}

/// Removes a device: stops it if it was started, and deletes it.
fn remove(image: &Loaded, device: Handle) {
    let callbacks = callbacks(image, device);
    let started = matches!(
        image.framework.lock().objects.get(device).map(|object| &object.kind),
        Some(Kind::Device(init)) if init.started
    );
    if started {
        let none = [ptr::null_mut(); 2];
        for (name, place, arguments) in [
            (
                "EvtDeviceSelfManagedIoSuspend",
                SELF_MANAGED_IO_SUSPEND,
                none,
            ),
            ("EvtDeviceD0Exit", D0_EXIT, [D3_FINAL, ptr::null_mut()]),
            ("EvtDeviceReleaseHardware", RELEASE_HARDWARE, none),
            ("EvtDeviceSelfManagedIoFlush", SELF_MANAGED_IO_FLUSH, none),
            (
                "EvtDeviceSelfManagedIoCleanup",
                SELF_MANAGED_IO_CLEANUP,
                none,
            ),
        ] {
            call::status(image, name, callbacks[place], device, arguments);
        }
    }
    object::delete_tree(image, device);
}

/// Removes every device, the youngest first.
pub(crate) fn remove_all(image: &Loaded) {
    for device in devices(image).into_iter().rev() {
        remove(image, device);
    }
}

/// `WdfDeviceCreate`.
pub(super) unsafe extern "win64" fn create(
    _globals: *const c_void,
    init: *mut Handle,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfDeviceCreate";
    if init.is_null() || output.is_null() {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "an argument is null");
    }
    let image = image();
    // SAFETY: the caller vouches for the variable.
    let handle = unsafe { init.read() };
    let about = match image
        .framework
        .lock()
        .objects
        .get(handle)
        .map(|object| &object.kind)
    {
        Some(Kind::DeviceInit(about)) => about.clone(),
        _ => violation(format_args!("{handle:p} is not a WDFDEVICE_INIT")),
    };
    let driver = image.framework.lock().driver.map(|driver| driver.handle);
    // SAFETY: the caller vouches for the attributes.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Forbidden, true) };
    let made = checked
        .and_then(|attributes| object::make(&image, Kind::Device(about), driver, attributes));
    match made {
        Ok(device) => {
            image.framework.lock().objects.remove(handle);
            // SAFETY: the caller vouches for the variable.
            unsafe { init.write(ptr::null_mut()) };
            // SAFETY: the caller vouches for the output.
            unsafe { output.write(device) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// `WdfDeviceGetDriver`.
pub(super) extern "win64" fn get_driver(_globals: *const c_void, _device: Handle) -> Handle {
    let driver = image().framework.lock().driver;
    driver.map_or(ptr::null_mut(), |driver| driver.handle)
}
