//! Device interfaces, by which programs find a device.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::irql::PASSIVE_LEVEL;
use nmr_sys::GUID;

use super::check_irql;
use super::device;
use super::io::{Interface, Phase};
use super::object;
use super::violation;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS, UNICODE_STRING};
use crate::native::kernel::points;
use crate::native::kernel::text;
use crate::native::wdf::Handle;

/// `WdfDeviceCreateDeviceInterface`. The interface is enabled while the device is started.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    device: Handle,
    class: *const GUID,
    reference: *const UNICODE_STRING,
) -> NtStatus {
    check_irql(PASSIVE_LEVEL);
    let device = device::find(device);
    if class.is_null() {
        violation("the class is null");
    }
    // SAFETY: the class is valid; the driver guarantees it.
    let class = unsafe { class.read() };
    // SAFETY: it is null or a string; the driver guarantees it.
    let reference = unsafe { text::unicode(reference) };
    if let Err(status) = points::may_fail() {
        return status;
    }
    let interface = Interface { class, reference };
    device.io.lock().interfaces.push(interface);
    STATUS_SUCCESS
}

/// An interface that a program can open.
pub(crate) struct Enabled {
    /// The number of the device.
    pub(crate) device: usize,
    /// The string that the driver gave it, if it gave one.
    pub(crate) reference: Option<String>,
}

/// The devices that are started, each once.
pub(crate) fn started(image: &Loaded) -> Vec<Enabled> {
    let mut found = Vec::new();
    for (handle, device) in device::all(image) {
        if device.io.lock().phase == Phase::Started {
            found.extend(object::id(handle).map(|device| Enabled {
                device,
                reference: None,
            }));
        }
    }
    found
}

/// Returns `true` if a device is started.
pub(crate) fn is_started(image: &Loaded, device: usize) -> bool {
    let device = device::of(image, device);
    device.is_some_and(|device| device.io.lock().phase == Phase::Started)
}

/// The interfaces of a class that are enabled, in the order of the devices and of their creation.
pub(crate) fn enabled(image: &Loaded, class: GUID) -> Vec<Enabled> {
    let mut found = Vec::new();
    for (handle, device) in device::all(image) {
        let state = device.io.lock();
        if state.phase != Phase::Started {
            continue;
        }
        let of_class = state.interfaces.iter().filter(|own| own.class == class);
        found.extend(of_class.filter_map(|own| {
            let (device, reference) = (object::id(handle)?, own.reference.clone());
            Some(Enabled { device, reference })
        }));
    }
    found
}
