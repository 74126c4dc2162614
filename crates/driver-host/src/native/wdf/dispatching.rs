//! Dispatching: which queue a request comes to, and the requests that a driver takes from a queue itself.
// UNSAFETY: outputs of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_host::irql::DISPATCH_LEVEL;

use super::object::{self, Kind};
use super::queue::find;
use super::{Handle, check_irql, device, image, refuse, request, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_DEVICE_STATE, STATUS_NOT_SUPPORTED, STATUS_SUCCESS, STATUS_WDF_BUSY,
};

/// `WdfIoQueueRetrieveNextRequest`.
pub(crate) unsafe extern "win64" fn retrieve_next(
    _globals: *const c_void,
    queue: Handle,
    output: *mut Handle,
) -> NtStatus {
    // SAFETY: the driver passes an output.
    unsafe { retrieve("WdfIoQueueRetrieveNextRequest", queue, output, |_| true) }
}

/// `WdfIoQueueRetrieveRequestByFileObject`.
pub(crate) unsafe extern "win64" fn retrieve_of_file(
    _globals: *const c_void,
    queue: Handle,
    file: Handle,
    output: *mut Handle,
) -> NtStatus {
    let image = image();
    if !matches!(object::kind(file), Some(Kind::File)) {
        violation(format_args!("{file:p} is not a file object"));
    }
    let number = object::id(file).unwrap_or_default();
    let requests = request::of_file(&image, number);
    let wanted = |request| requests.iter().any(|&(own, _)| own == request);
    // SAFETY: the driver passes an output.
    unsafe {
        retrieve(
            "WdfIoQueueRetrieveRequestByFileObject",
            queue,
            output,
            wanted,
        )
    }
}

/// # Safety
///
/// `output` is null or valid for a write.
unsafe fn retrieve(
    function: &'static str,
    queue: Handle,
    output: *mut Handle,
    wanted: impl Fn(usize) -> bool,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let queue = find(queue);
    if output.is_null() {
        violation("the output is null");
    }
    if queue.parallel {
        let text = "requests of a parallel queue come to its callbacks only";
        return refuse(function, STATUS_INVALID_DEVICE_STATE, text);
    }
    let (request, status) = match queue.retrieve(wanted) {
        Ok(request) => (object::handle(request), STATUS_SUCCESS),
        Err(status) => (ptr::null_mut(), status),
    };
    // SAFETY: the output is valid, by this contract, and not null.
    unsafe { output.write(request) };
    status
}

/// `WdfIoQueueGetDevice`.
pub(crate) extern "win64" fn get_device(_globals: *const c_void, queue: Handle) -> Handle {
    object::handle(find(queue).device())
}

/// `WdfDeviceGetDefaultQueue`.
pub(crate) extern "win64" fn get_default(_globals: *const c_void, device: Handle) -> Handle {
    let queue = device::find(device).io.lock().default_queue.clone();
    queue.map_or(ptr::null_mut(), |queue| queue.handle())
}

/// The types of request that can have a queue of their own here, and that of an open.
pub(super) const CREATE: i32 = 0;
pub(super) const READ: i32 = 3;
pub(super) const WRITE: i32 = 4;
pub(super) const DEVICE_CONTROL: i32 = 14;
const INTERNAL_DEVICE_CONTROL: i32 = 15;

/// `WdfDeviceConfigureRequestDispatching`.
pub(crate) extern "win64" fn configure(
    _globals: *const c_void,
    device: Handle,
    queue: Handle,
    kind: i32,
) -> NtStatus {
    const FUNCTION: &str = "WdfDeviceConfigureRequestDispatching";
    check_irql(DISPATCH_LEVEL);
    let (device, queue) = (device::find(device), find(queue));
    if ![READ, WRITE, DEVICE_CONTROL, INTERNAL_DEVICE_CONTROL].contains(&kind) {
        let text = format!("this host has no queues for requests of type {kind}");
        return refuse(FUNCTION, STATUS_NOT_SUPPORTED, text);
    }
    let mut state = device.io.lock();
    if state.routes.contains_key(&kind) {
        drop(state);
        let text = format!("requests of type {kind} have a queue already");
        return refuse(FUNCTION, STATUS_WDF_BUSY, text);
    }
    state.routes.insert(kind, queue);
    STATUS_SUCCESS
}
