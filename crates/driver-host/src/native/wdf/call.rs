//! Calls of a driver's callbacks.
// UNSAFETY: a callback is an address that the driver has given.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::mem;

use super::super::kernel::NtStatus;
use super::super::loaded::Loaded;
use super::Handle;
use super::layout::Callback;

type EvtObject = unsafe extern "win64" fn(Handle);
type EvtRequest = unsafe extern "win64" fn(Handle, Handle, Handle);
type EvtControl = unsafe extern "win64" fn(Handle, Handle, usize, usize, u32);
type EvtStatus = unsafe extern "win64" fn(Handle, *mut c_void, *mut c_void) -> NtStatus;

/// Calls `void Evt(WDFOBJECT)`, if there is one.
pub(super) fn object(image: &Loaded, name: &str, callback: Callback, handle: Handle) {
    if callback != 0 {
        // SAFETY: the driver vouches that the address is a function of this type.
        let function = unsafe { mem::transmute::<Callback, EvtObject>(callback) };
        // SAFETY: the handle is of the kind that the callback is for.
        image.enter(name, || unsafe { function(handle) });
    }
}

/// Calls `void Evt(handle, WDFREQUEST, argument)`, which there is; one with fewer arguments ignores
/// the rest.
pub(super) fn request(image: &Loaded, name: &str, callback: Callback, arguments: [Handle; 3]) {
    // SAFETY: the driver vouches that the address is a function of this type, or of one with fewer
    // arguments, which in this convention is called the same way.
    let function = unsafe { mem::transmute::<Callback, EvtRequest>(callback) };
    let [first, second, third] = arguments;
    // SAFETY: the arguments are those that the callback is for.
    image.enter(name, || unsafe { function(first, second, third) });
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
    // SAFETY: the driver vouches that the address is a function of this type.
    let function = unsafe { mem::transmute::<Callback, EvtControl>(callback) };
    image.enter("EvtIoDeviceControl", || {
        // SAFETY: the handles are the queue and the request that the callback is for.
        unsafe { function(queue, request, output, input, code) }
    });
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
    // SAFETY: the driver vouches that the address is a function of this type, or of one with fewer
    // arguments, which in this convention is called the same way.
    let function = unsafe { mem::transmute::<Callback, EvtStatus>(callback) };
    let [first, second] = arguments;
    // SAFETY: the arguments are those that the callback is for.
    image.enter(name, || unsafe { function(handle, first, second) })
}
