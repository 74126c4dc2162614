//! Queues that a driver starts, stops, drains and purges.
// UNSAFETY: functions that images call.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use super::layout::Callback;
use super::object;
use super::queue::{self, Flow, Notice, Queue};
use super::{Handle, call, cancel, check_irql, device, image, refuse, serial, violation};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_DEVICE_REQUEST, STATUS_SUCCESS};
use crate::native::kernel::runner;

/// The notification of a driver when a queue has come to rest.
fn notice(callback: Callback, context: Handle, waiting: bool) -> Option<Notice> {
    (callback != 0).then_some(Notice {
        callback,
        context: context.expose_provenance(),
        waiting,
    })
}

/// Changes a queue, and notifies the driver at once if it is at rest already.
fn change(handle: Handle, flow: Flow, notice: Option<Notice>) -> Arc<Queue> {
    check_irql(DISPATCH_LEVEL);
    let queue = queue::find(handle);
    if queue.set(flow, notice).is_err() {
        violation("the queue has such a callback to call already");
    }
    tell(&image(), &queue);
    queue
}

/// Calls the callback of a queue that has come to rest.
pub(super) fn tell(image: &Arc<Loaded>, queue: &Arc<Queue>) {
    if let Some(notice) = queue.take_notice() {
        notify(image, queue, notice);
    }
}

fn notify(image: &Arc<Loaded>, queue: &Arc<Queue>, notice: Notice) {
    let handle = queue.handle().addr();
    call_in_scope(image, queue, move |image| {
        let handle = ptr::without_provenance_mut(handle);
        let context = ptr::with_exposed_provenance_mut(notice.context);
        let arguments = [handle, context, ptr::null_mut()];
        call::request(image, "EvtIoQueueState", notice.callback, arguments);
    });
}

/// Calls a callback of a queue, on another thread if this one has the queue's lock already or is above the level of
/// its callbacks.
pub(super) fn call_in_scope(
    image: &Arc<Loaded>,
    queue: &Arc<Queue>,
    callback: impl FnOnce(&Loaded) + Send + 'static,
) {
    if !queue.serial.must_defer() {
        return serial::call(queue.serial.scope_lock(), || callback(image));
    }
    let (image, queue) = (Arc::clone(image), Arc::clone(queue));
    let visit = image.inside.enter("a callback of a queue");
    let device = device::of(&image, queue.device());
    if let Some(device) = &device {
        device.io.hand_over();
    }
    let system = Arc::clone(&image.system);
    runner::start(&system, move || {
        let operation = device.as_ref().map(|device| device.io.take_over());
        serial::call(queue.serial.scope_lock(), || callback(&image));
        drop(operation);
        image.inside.leave(visit);
    });
}

fn cancel_all(queue: &Queue) {
    for id in queue.cancel_waiting() {
        cancel::cancel(&image(), id);
    }
}

fn wait(queue: &Queue, waiting: bool) {
    check_irql(PASSIVE_LEVEL);
    nmr_host::may_block();
    queue.wait_until_rest(waiting);
}

/// `WdfIoQueueGetState`.
pub(crate) unsafe extern "win64" fn get(
    _globals: *const c_void,
    handle: Handle,
    queued: *mut u32,
    presented: *mut u32,
) -> u32 {
    let (state, counts) = queue::find(handle).state();
    for (output, count) in [queued, presented].into_iter().zip(counts) {
        if !output.is_null() {
            // SAFETY: the driver passes an output or null.
            unsafe { output.write(count) };
        }
    }
    state
}

/// `WdfIoQueueReadyNotify`: calls the driver when a request comes to a queue that has none.
pub(crate) extern "win64" fn ready_notify(
    _globals: *const c_void,
    handle: Handle,
    callback: Callback,
    context: Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfIoQueueReadyNotify";
    check_irql(DISPATCH_LEVEL);
    let queue = queue::find(handle);
    if queue.set_ready(notice(callback, context, false)).is_err() {
        let text = if callback == 0 {
            "the queue has no such callback, or is not stopped"
        } else {
            "the queue has such a callback already"
        };
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    if queue.is_ready() {
        tell_ready(&image(), &queue);
    }
    STATUS_SUCCESS
}

/// Calls the callback of a queue to which a request has come.
pub(super) fn tell_ready(image: &Arc<Loaded>, queue: &Arc<Queue>) {
    if let Some(notice) = queue.ready() {
        notify(image, queue, notice);
    }
}

/// Takes a queue out of its device before it is deleted. Its requests are canceled, and waited for.
pub(super) fn close(image: &Arc<Loaded>, queue: &Arc<Queue>) {
    let Some(device) = device::of(image, queue.device()) else {
        return;
    };
    let mut state = device.io.lock();
    let is_same = |own: &Arc<Queue>| Arc::ptr_eq(own, queue);
    if state
        .default_queue
        .iter()
        .chain(state.routes.values())
        .any(is_same)
    {
        drop(state);
        violation("the queue gets the requests of its device: it is deleted with that");
    }
    state.queues.retain(|own| !is_same(own));
    drop(state);
    for id in queue.purge() {
        cancel::cancel(image, id);
    }
    wait(queue, false);
}

/// `WdfIoQueueStart`.
pub(crate) extern "win64" fn start(_globals: *const c_void, queue: Handle) {
    change(queue, Flow::STARTED, None);
}

/// `WdfIoQueueStop`.
pub(crate) extern "win64" fn stop(
    _globals: *const c_void,
    queue: Handle,
    callback: Callback,
    context: Handle,
) {
    change(queue, Flow::STOPPED, notice(callback, context, false));
}

/// `WdfIoQueueStopSynchronously`.
pub(crate) extern "win64" fn stop_and_wait(_globals: *const c_void, queue: Handle) {
    wait(&change(queue, Flow::STOPPED, None), false);
}

/// `WdfIoQueueDrain`.
pub(crate) extern "win64" fn drain(
    _globals: *const c_void,
    queue: Handle,
    callback: Callback,
    context: Handle,
) {
    change(queue, Flow::DRAINING, notice(callback, context, true));
}

/// `WdfIoQueueDrainSynchronously`.
pub(crate) extern "win64" fn drain_and_wait(_globals: *const c_void, queue: Handle) {
    wait(&change(queue, Flow::DRAINING, None), true);
}

/// `WdfIoQueuePurge`.
pub(crate) extern "win64" fn purge(
    _globals: *const c_void,
    handle: Handle,
    callback: Callback,
    context: Handle,
) {
    check_irql(DISPATCH_LEVEL);
    let queue = queue::find(handle);
    if queue
        .set(Flow::DRAINING, notice(callback, context, true))
        .is_err()
    {
        violation("the queue has such a callback to call already");
    }
    cancel_all(&queue);
    tell(&image(), &queue);
}

/// `WdfIoQueuePurgeSynchronously`.
pub(crate) extern "win64" fn purge_and_wait(globals: *const c_void, handle: Handle) {
    purge(globals, handle, 0, object::handle(0));
    wait(&queue::find(handle), true);
}
