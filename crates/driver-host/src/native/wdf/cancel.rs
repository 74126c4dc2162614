//! Cancellation of requests that a driver has: `WdfRequestMarkCancelable` and its kin, and the cancellation itself.

use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::sync::Arc;

use nmr_host::irql::DISPATCH_LEVEL;

use super::layout::Callback;
use super::object::{self, Kind};
use super::request::{Request, find};
use super::{Handle, call, check_irql, image, queue_state, violation};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_CANCELLED, STATUS_SUCCESS};

/// Sets the callback for the cancellation of a request. Returns `true` if it is canceled already; then the
/// callback is set only if `anyway`.
fn mark(handle: Handle, callback: Callback, anyway: bool) -> bool {
    check_irql(DISPATCH_LEVEL);
    let request = find(handle);
    if callback == 0 {
        violation("the callback is null");
    }
    let mut state = request.lock();
    if state.cancel.is_some() {
        drop(state);
        violation(format_args!("{request} can be canceled already"));
    }
    let canceled = state.canceled;
    if anyway || !canceled {
        state.cancel = Some(callback);
    }
    canceled
}

/// `WdfRequestMarkCancelable`. A request that is canceled already is canceled at once.
pub(crate) extern "win64" fn mark_cancelable(
    _globals: *const c_void,
    request: Handle,
    callback: Callback,
) {
    if mark(request, callback, true) {
        call_driver(&image(), &find(request), request, callback);
    }
}

/// `WdfRequestMarkCancelableEx`. A request that is canceled already stays with the driver.
pub(crate) extern "win64" fn mark_unless_canceled(
    _globals: *const c_void,
    request: Handle,
    callback: Callback,
) -> NtStatus {
    if mark(request, callback, false) {
        STATUS_CANCELLED
    } else {
        STATUS_SUCCESS
    }
}

/// `WdfRequestUnmarkCancelable`.
pub(crate) extern "win64" fn unmark_cancelable(
    _globals: *const c_void,
    request: Handle,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let found = find(request);
    let mut state = found.lock();
    if state.canceled {
        return STATUS_CANCELLED;
    }
    if state.cancel.take().is_none() {
        drop(state);
        violation(format_args!("{found} cannot be canceled"));
    }
    STATUS_SUCCESS
}

/// `WdfRequestIsCanceled`.
pub(crate) extern "win64" fn is_canceled(_globals: *const c_void, request: Handle) -> u8 {
    let found = find(request);
    let state = found.lock();
    if state.cancel.is_some() && !state.canceled {
        drop(state);
        violation(format_args!(
            "{found} can be canceled, so it must not be asked"
        ));
    }
    state.canceled.into()
}

/// Cancels a request that the driver has, once: if it can be canceled, the driver is called.
pub(super) fn cancel(image: &Arc<Loaded>, id: usize) -> bool {
    let handle = object::handle(id);
    let Some(Kind::Request(request)) = object::kind_in(image, handle) else {
        return false;
    };
    let mut state = request.lock();
    let first = !mem::replace(&mut state.canceled, true);
    let callback = state.cancel.filter(|_| first && !state.completed);
    drop(state);
    if let Some(callback) = callback {
        call_driver(image, &request, handle, callback);
    }
    first
}

/// Calls `EvtRequestCancel`, in the scope of the queue that the request came from.
fn call_driver(image: &Arc<Loaded>, request: &Request, handle: Handle, callback: Callback) {
    let queue = request.lock().queue.clone();
    let Some(queue) = queue else {
        return call::object(image, "EvtRequestCancel", callback, handle);
    };
    let handle = handle.addr();
    queue_state::call_in_scope(image, &queue, move |image| {
        let handle = ptr::without_provenance_mut(handle);
        call::object(image, "EvtRequestCancel", callback, handle);
    });
}
