//! The devices of children.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use nmr_host::irql::DISPATCH_LEVEL;

use super::child_list;
use super::children;
use super::device::{self, Device};
use super::io::Phase;
use super::object;
use super::pdo_init::Pdo;
use super::{Handle, check_irql, image, refuse, violation};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER, STATUS_NO_SUCH_DEVICE,
    STATUS_SUCCESS,
};

/// A device, and what it says of the child whose it is. Another device is a violation.
fn find(device: Handle) -> (Arc<Device>, Pdo) {
    check_irql(DISPATCH_LEVEL);
    let found = device::find(device);
    match found.init.pdo.clone() {
        Some(pdo) => (found, pdo),
        None => violation(format_args!("{device:p} is not the device of a child")),
    }
}

/// What identifies the children of a driver's bus devices that are started.
pub(crate) fn all(image: &Loaded) -> Vec<Pdo> {
    let devices = device::all(image).into_iter();
    let started = devices.filter(|(_, device)| device.io.lock().phase == Phase::Started);
    started
        .filter_map(|(_, device)| device.init.pdo.clone())
        .collect()
}

/// `WdfPdoGetParent`.
pub(crate) extern "win64" fn parent(_globals: *const c_void, device: Handle) -> Handle {
    object::handle(find(device).1.parent)
}

/// `WdfPdoMarkMissing`.
pub(crate) extern "win64" fn mark_missing(_globals: *const c_void, device: Handle) -> NtStatus {
    let (_, pdo) = find(device);
    let own = object::id(device);
    if child_list::set_missing(&image(), pdo.parent, |child| child.device == own) {
        STATUS_SUCCESS
    } else {
        STATUS_NO_SUCH_DEVICE
    }
}

/// `WdfPdoRequestEject`. The child is ejected: it is missing from then on.
pub(crate) extern "win64" fn request_eject(_globals: *const c_void, device: Handle) {
    let (_, pdo) = find(device);
    let own = object::id(device);
    child_list::set_missing(&image(), pdo.parent, |child| child.device == own);
}

/// `WdfPdoRetrieveIdentificationDescription`.
pub(crate) unsafe extern "win64" fn retrieve_identification(
    _globals: *const c_void,
    device: Handle,
    output: *mut u32,
) -> NtStatus {
    const FUNCTION: &str = "WdfPdoRetrieveIdentificationDescription";
    let (_, pdo) = find(device);
    if output.is_null() {
        violation("the output is null");
    }
    let bus = device::find(object::handle(pdo.parent));
    let state = bus.children.lock();
    let mut own = state
        .all
        .iter()
        .filter(|child| child.device == object::id(device));
    let description = own.next().and_then(|child| child.description.clone());
    drop(state);
    let Some(description) = description else {
        let text = "the device is not in a child list";
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, text);
    };
    // SAFETY: the driver passes a structure that begins with its size.
    let size = unsafe { output.read() };
    if size != description.list().identification_size() {
        let text = "the description has another size than those of the list";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    description.copy_to(&image(), output.expose_provenance());
    STATUS_SUCCESS
}

/// `WdfFdoAddStaticChild`.
pub(crate) extern "win64" fn add_static(
    _globals: *const c_void,
    parent: Handle,
    child: Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfFdoAddStaticChild";
    check_irql(DISPATCH_LEVEL);
    let bus = device::find(parent);
    let (number, own) = (object::id(parent).unwrap_or_default(), device::find(child));
    let is_child = own
        .init
        .pdo
        .as_ref()
        .is_some_and(|pdo| pdo.parent == number && pdo.child == 0);
    if bus.init.control || bus.init.pdo.is_some() || !is_child {
        let text = "the child is not a static one of this functional device";
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, text);
    }
    bus.children.lock().add(None, object::id(child));
    children::schedule(&image(), number);
    STATUS_SUCCESS
}
