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
