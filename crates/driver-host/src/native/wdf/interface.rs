//! Device interfaces, by which programs find a device.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_host::irql::PASSIVE_LEVEL;
use nmr_sys::GUID;

use super::check_irql;
use super::device;
use super::io::{Interface, Phase};
use super::object;
use super::{image, violation};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::pool::Wanted;
use crate::native::kernel::text;
use crate::native::kernel::{points, ranges};
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

/// The symbolic link to an interface of a device.
fn link(image: &Loaded, device: usize, interface: &Interface) -> String {
    let reference = interface.reference.as_deref().unwrap_or_default();
    let separator = if reference.is_empty() { "" } else { r"\" };
    let name = &image.name;
    let class = interface.class;
    format!(r"\??\ROOT#{name}#{device:04}#{{{class}}}{separator}{reference}")
}

/// `IoGetDeviceInterfaces`, with the interfaces of KMDF's devices that are enabled. The list is in paged pool, and the
/// driver frees it.
pub(crate) unsafe extern "win64" fn list(
    class: *const GUID,
    _physical: *const c_void,
    _flags: u32,
    output: *mut *mut u16,
) -> NtStatus {
    const TAG: u32 = u32::from_le_bytes(*b"IoDi");
    check_irql(PASSIVE_LEVEL);
    if class.is_null() || output.is_null() {
        violation("an argument is null");
    }
    // SAFETY: the driver passes a class.
    let class = unsafe { class.read() };
    let image = image();
    let mut units = Vec::new();
    for other in ranges::loaded(&image.system) {
        for (handle, device) in device::all(&other) {
            let state = device.io.lock();
            let enabled = state.phase == Phase::Started;
            let of_class = state
                .interfaces
                .iter()
                .filter(|own| enabled && own.class == class);
            for own in of_class {
                let link = link(&other, object::id(handle).unwrap_or_default(), own);
                units.extend(link.encode_utf16().chain([0]));
            }
        }
    }
    // A list without links has its own zero, and the one that ends a link.
    units.extend(if units.is_empty() {
        vec![0, 0]
    } else {
        vec![0]
    });
    if points::may_be_null() {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    let wanted = Wanted {
        size: 2 * units.len(),
        fill: 0,
        paged: true,
    };
    let block = image
        .system
        .pool
        .allocate(&image, wanted, TAG)
        .cast::<u16>();
    if block.is_null() {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    // SAFETY: the block is new and has room for them.
    unsafe { ptr::copy_nonoverlapping(units.as_ptr(), block, units.len()) };
    // SAFETY: the driver passes an output.
    unsafe { output.write(block) };
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
