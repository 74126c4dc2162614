//! Calls of a driver's callbacks.
// UNSAFETY: a callback is an address that the driver has given.
#![expect(unsafe_code)]

use std::ffi::c_void;

use super::layout::Callback;
use crate::native::crossing;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::NtStatus;
use crate::native::wdf::Handle;

/// Calls `void Evt(WDFOBJECT)`, if there is one.
pub(super) fn object(image: &Loaded, name: &str, callback: Callback, handle: Handle) {
    if callback != 0 {
        // SAFETY: the driver has given the address as a function of this type. The handle is of the
        // kind that the callback is for.
        unsafe { crossing::call(image, name, callback, [handle.addr()]) };
    }
}

/// Calls `void Evt(handle, WDFREQUEST, argument)`, which there is; one with fewer arguments ignores
/// the rest.
pub(super) fn request(image: &Loaded, name: &str, callback: Callback, arguments: [Handle; 3]) {
    let arguments = arguments.map(Handle::addr);
    // SAFETY: the driver has given the address as a function of this type, or of one with fewer
    // arguments, which in this convention is called the same way. The arguments are those that the
    // callback is for.
    unsafe { crossing::call(image, name, callback, arguments) };
}

/// Calls `EvtIoDeviceControl`, which there is, with the lengths of the output and of the input.
pub(super) fn control(
    image: &Loaded,
    callback: Callback,
    queue: Handle,
    request: Handle,
    [output, input]: [usize; 2],
    code: u32,
) {
    let arguments = [queue.addr(), request.addr(), output, input, code as usize];
    // SAFETY: the driver has given the address as a function of this type. The handles are the
    // queue and the request that the callback is for.
    unsafe { crossing::call(image, "EvtIoDeviceControl", callback, arguments) };
}

/// Calls `NTSTATUS Evt(handle, argument, argument)`; callbacks with fewer arguments ignore the rest.
/// Without a callback the answer is success.
pub(super) fn status(
    image: &Loaded,
    name: &str,
    callback: Callback,
    handle: Handle,
    arguments: [*mut c_void; 2],
) -> NtStatus {
    if callback == 0 {
        return 0;
    }
    let [first, second] = arguments.map(<*mut c_void>::expose_provenance);
    // SAFETY: the driver has given the address as a function of this type, or of one with fewer
    // arguments, which in this convention is called the same way. The arguments are those that the
    // callback is for.
    let status = unsafe { crossing::call(image, name, callback, [handle.addr(), first, second]) };
    status as NtStatus
}
