//! Files: a device that a program has opened, and what it does with it. These functions run on a
//! thread of the host, on behalf of the program.

use std::ffi::c_void;
use std::io;
use std::mem;
use std::ptr;
use std::sync::Arc;

use super::call;
use super::device::{self, Device};
use super::image;
use super::object::{self, Kind};
use super::queue::{self, Missed, Queue};
use super::request::{Ask, CallerContext, Request, Transfer};
use super::serial;
use super::violation;
use super::{check_irql, queue_state, refuse};
use crate::native::kernel::buffers::Buffers;
use crate::native::kernel::irp::Ended;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_ACCESS_DENIED, STATUS_CANCELLED, STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_DEVICE_STATE, STATUS_SUCCESS, STATUS_WDF_BUSY,
    failed,
};
use crate::native::kernel::runner;
use crate::native::wdf::Handle;
use nmr_host::irql::DISPATCH_LEVEL;

/// The device is removed or being removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Removed;

/// Opens a device. Returns the number of the file object, or the status of a refusal.
pub(crate) fn open(image: &Loaded, id: usize) -> Result<Result<usize, NtStatus>, Removed> {
    let device = device::of(image, id).ok_or(Removed)?;
    let _operation = device.io.begin().ok_or(Removed)?;
    if device.init.exclusive && !device.io.lock().files.is_empty() {
        return Ok(Err(STATUS_ACCESS_DENIED));
    }
    let config = device.init.files;
    let attributes = config.and_then(|(_, attributes)| attributes);
    let parent = object::handle(id);
    let file = match object::make(image, Kind::File, Some(parent), attributes) {
        Ok(file) => file,
        Err(status) => return Ok(Err(status)),
    };
    let number = object::id(file).unwrap_or_default();
    let create = config.map_or(0, |(config, _)| config.EvtDeviceFileCreate);
    let status = if create == 0 {
        STATUS_SUCCESS
    } else {
        let request = Request::new(Ask::Open, number, Buffers::default());
        match make(image, &device, parent, &request) {
            Ok(handle) => {
                let arguments = [parent, handle, file];
                device.call_file(|| {
                    call::request(image, "EvtDeviceFileCreate", create, arguments);
                });
                request.wait().status
            }
            Err(status) => status,
        }
    };
    if failed(status) {
        object::delete_tree(image, file);
        return Ok(Err(status));
    }
    device.io.lock().files.push(number);
    Ok(Ok(number))
}

/// Makes a request's object.
fn make(
    image: &Loaded,
    device: &Device,
    parent: Handle,
    request: &Arc<Request>,
) -> Result<Handle, NtStatus> {
    let kind = Kind::Request(Arc::clone(request));
    object::make(image, kind, Some(parent), device.init.request_attributes)
}

/// Sends a device control request with an input, and with an output buffer that has this content, and waits for
/// its end. `None` if the device or the file is gone.
pub(crate) fn control(
    image: &Arc<Loaded>,
    id: usize,
    file: usize,
    code: u32,
    input: &[u8],
    output: &[u8],
) -> Option<Ended> {
    let ask = Ask::Control {
        code,
        input: input.len(),
        output: output.len(),
    };
    let make = |_: &Device| Buffers::of_control(image, code, input, output);
    transfer(image, id, file, ask, make)
}

/// Sends a request to read into a buffer. `None` if the device or the file is gone.
pub(crate) fn read(
    image: &Arc<Loaded>,
    id: usize,
    file: usize,
    offset: u64,
    length: usize,
) -> Option<Ended> {
    let make = |device: &Device| Buffers::of_read(image, &device.object, length);
    let ask = Ask::Read(Transfer { offset, length });
    transfer(image, id, file, ask, make)
}

/// Sends a request to write the bytes of a buffer. `None` if the device or the file is gone.
pub(crate) fn write(
    image: &Arc<Loaded>,
    id: usize,
    file: usize,
    offset: u64,
    bytes: &[u8],
) -> Option<Ended> {
    let make = |device: &Device| Buffers::of_write(image, &device.object, bytes);
    let length = bytes.len();
    let ask = Ask::Write(Transfer { offset, length });
    transfer(image, id, file, ask, make)
}

/// Sends a request with buffers, and waits for its end.
fn transfer(
    image: &Arc<Loaded>,
    id: usize,
    file: usize,
    ask: Ask,
    make_buffers: impl FnOnce(&Device) -> io::Result<Buffers>,
) -> Option<Ended> {
    let device = device::of(image, id)?;
    let _operation = device.io.begin()?;
    let state = device.io.lock();
    if !state.files.contains(&file) {
        return None;
    }
    let queue = state.routes.get(&ask.kind()).cloned();
    let queue = queue.or_else(|| state.default_queue.clone());
    drop(state);
    let Some(queue) = queue.filter(|queue| queue.takes(ask)) else {
        return Some(Ended::with(STATUS_INVALID_DEVICE_REQUEST));
    };
    if queue.is_answered(ask) {
        return Some(Ended::with(STATUS_SUCCESS));
    }
    let Ok(buffers) = make_buffers(&device) else {
        return Some(Ended::with(STATUS_INSUFFICIENT_RESOURCES));
    };
    let request = Request::new(ask, file, buffers);
    let handle = match make(image, &device, object::handle(id), &request) {
        Ok(handle) => handle,
        Err(status) => {
            request.abandon(image);
            return Some(Ended::with(status));
        }
    };
    if !in_caller_context(image, &device, object::handle(id), &request, handle) {
        // The driver completes it, or has done so.
        return Some(request.wait());
    }
    if let Err(missed) = deliver(image, &queue, &request, handle) {
        request.abandon(image);
        object::delete_tree(image, handle);
        return match missed {
            Missed::Purged => None,
            missed => Some(Ended::with(status_of(missed))),
        };
    }
    Some(request.wait())
}

/// Shows a request to `EvtIoInCallerContext`, if there is one. Returns `true` if it goes on to its queue.
fn in_caller_context(
    image: &Loaded,
    device: &Device,
    parent: Handle,
    request: &Request,
    handle: Handle,
) -> bool {
    let callback = device.init.in_caller_context;
    if callback == 0 {
        return true;
    }
    request.lock().context = CallerContext::Inside;
    let arguments = [parent, handle, ptr::null_mut()];
    call::request(image, "EvtIoInCallerContext", callback, arguments);
    let after = mem::take(&mut request.lock().context);
    after == CallerContext::Enqueued
}

/// What a program gets for a request that did not come to the driver.
fn status_of(missed: Missed) -> NtStatus {
    match missed {
        Missed::Purged | Missed::Canceled => STATUS_CANCELLED,
        Missed::Refused => STATUS_INVALID_DEVICE_STATE,
    }
}

/// Brings a request to the driver through a queue.
fn deliver(
    image: &Arc<Loaded>,
    queue: &Arc<Queue>,
    request: &Request,
    handle: Handle,
) -> Result<(), Missed> {
    request.lock().queue = Some(Arc::clone(queue));
    let arrived = || queue_state::tell_ready(image, queue);
    if !queue.present(object::id(handle).unwrap_or_default(), arrived)? {
        return Ok(());
    }
    serial::call(queue.serial.scope_lock(), || {
        call_queue(image, queue, request, handle);
    });
    Ok(())
}

/// Calls the callback of a queue for a request.
fn call_queue(image: &Loaded, queue: &Queue, request: &Request, handle: Handle) {
    let (from, callback) = (queue.handle(), queue.callback(request.ask));
    let length = |length| [from, handle, ptr::without_provenance_mut(length)];
    match request.ask {
        Ask::Control {
            code,
            input,
            output,
        } if callback != 0 => {
            let lengths = [output, input];
            call::control(image, callback, from, handle, lengths, code);
        }
        Ask::Read(range) if callback != 0 => {
            call::request(image, "EvtIoRead", callback, length(range.length));
        }
        Ask::Write(range) if callback != 0 => {
            call::request(image, "EvtIoWrite", callback, length(range.length));
        }
        _ => call::request(image, "EvtIoDefault", queue.default, length(0)),
    }
}

/// `WdfRequestForwardToIoQueue`: the request leaves the queue that it came from.
pub(crate) extern "win64" fn forward(
    _globals: *const c_void,
    handle: Handle,
    target: Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfRequestForwardToIoQueue";
    check_irql(DISPATCH_LEVEL);
    let (request, target) = (super::request::find(handle), queue::find(target));
    let Some(from) = request.lock().queue.clone() else {
        let text = "the request did not come from a queue";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    };
    if Arc::ptr_eq(&from, &target) {
        let text = "the request is in that queue";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    if !target.accepts() {
        return STATUS_WDF_BUSY;
    }
    let (image, address) = (image(), handle.addr());
    let Some(device) = device::of(&image, target.device()) else {
        let text = "the queue's device is deleted";
        return refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text);
    };
    device.io.hand_over();
    from.finish(object::id(handle).unwrap_or_default());
    queue_state::tell(&image, &from);
    let system = Arc::clone(&image.system);
    // It waits outside of the driver, and ends before the device does: the removal waits for it.
    runner::start(&system, move || {
        let _operation = device.io.take_over();
        let handle = ptr::without_provenance_mut(address);
        if let Err(missed) = deliver(&image, &target, &request, handle) {
            request.abandon(&image);
            object::delete_tree(&image, handle);
            request.settle(status_of(missed));
        }
    });
    STATUS_SUCCESS
}

/// `WdfDeviceEnqueueRequest`, from `EvtIoInCallerContext`: the request goes to its queue.
pub(crate) extern "win64" fn enqueue(
    _globals: *const c_void,
    device: Handle,
    request: Handle,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let device = device::find(device);
    let request = super::request::find(request);
    if device.init.in_caller_context == 0 || request.lock().queue.is_some() {
        let text = "the request is not one of EvtIoInCallerContext";
        let function = "WdfDeviceEnqueueRequest";
        return refuse(function, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    request.lock().context = CallerContext::Enqueued;
    STATUS_SUCCESS
}

/// Cancels the open requests of a file: those that wait in a queue end, and the driver is notified of those that it
/// has. Returns how many were not canceled before.
pub(crate) fn cancel(image: &Arc<Loaded>, file: usize) -> usize {
    let requests = super::request::of_file(image, file).into_iter();
    let cancel = |(id, request): &(usize, Arc<Request>)| {
        let queue = request.lock().queue.clone();
        queue.is_some_and(|queue| queue.withdraw(*id)) || super::cancel::cancel(image, *id)
    };
    requests.filter(cancel).count()
}

/// Closes a file, unless the device's removal has done so.
pub(crate) fn close(image: &Loaded, id: usize, file: usize) {
    let Some(device) = device::of(image, id) else {
        return;
    };
    let Some(_operation) = device.io.begin() else {
        return;
    };
    let mut state = device.io.lock();
    let Some(place) = state.files.iter().position(|&open| open == file) else {
        return;
    };
    state.files.remove(place);
    drop(state);
    clean_up(image, &device, file);
    delete(image, &device, file);
}

/// The last handle to a file is closed.
pub(super) fn clean_up(image: &Loaded, device: &Device, file: usize) {
    let callback = device
        .init
        .files
        .map_or(0, |(config, _)| config.EvtFileCleanup);
    device.call_file(|| call::object(image, "EvtFileCleanup", callback, object::handle(file)));
}

/// The last request of a file is completed as well.
pub(super) fn delete(image: &Loaded, device: &Device, file: usize) {
    let file = object::handle(file);
    let callback = device
        .init
        .files
        .map_or(0, |(config, _)| config.EvtFileClose);
    device.call_file(|| call::object(image, "EvtFileClose", callback, file));
    object::delete_tree(image, file);
}

/// `WdfFileObjectGetDevice`.
pub(crate) extern "win64" fn get_device(_globals: *const c_void, file: Handle) -> Handle {
    let image = image();
    let state = image.framework().lock();
    match state.objects.get(file) {
        Some(object) if matches!(object.kind, Kind::File) => {
            object.parent.map_or(ptr::null_mut(), object::handle)
        }
        _ => {
            drop(state);
            violation(format_args!("{file:p} is not a file object"))
        }
    }
}
