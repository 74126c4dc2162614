//! Requests: what a program asks of a driver, until the driver completes it.

use std::ffi::c_void;
use std::fmt;
use std::mem;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nmr_host::irql::DISPATCH_LEVEL;

use super::call;
use super::check_irql;
use super::image;
use super::layout::Callback;
use super::misuse;
use super::object::{self, Kind};
use super::queue::Queue;
use super::queue_state;
use super::violation;
use crate::native::kernel::buffer::Buffer;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_CANCELLED, STATUS_PENDING, STATUS_SUCCESS, is_error,
};
use crate::native::wdf::Handle;

/// What a program asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    /// To open the device.
    Open,
    /// A device control request.
    Control {
        /// Its code.
        code: u32,
        /// How many bytes it has for the driver.
        input: usize,
        /// How many bytes it takes.
        output: usize,
    },
}

/// How a request ended.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) status: NtStatus,
    pub(super) output: Vec<u8>,
}

/// A `WDFREQUEST`.
#[derive(Debug)]
pub(crate) struct Request {
    pub(super) ask: Ask,
    /// The number of its file object.
    pub(super) file: usize,
    state: Mutex<State>,
    /// Rings when it is completed.
    done: Condvar,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) buffer: Option<Buffer>,
    /// The memory objects of its input and its output, once the driver has asked for them.
    pub(super) memory: [Option<usize>; 2],
    pub(super) queue: Option<Arc<Queue>>,
    information: usize,
    cancel: Option<Callback>,
    canceled: bool,
    completed: bool,
    /// Whether `EvtIoInCallerContext` has sent it on to its queue.
    pub(super) enqueued: bool,
    outcome: Option<Outcome>,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ask {
            Ask::Open => f.write_str("a request to open the device"),
            Ask::Control { code, .. } => write!(f, "a request with the control code {code:#010x}"),
        }
    }
}

impl Request {
    pub(super) fn new(ask: Ask, file: usize, buffer: Option<Buffer>) -> Arc<Self> {
        Arc::new(Self {
            ask,
            file,
            state: Mutex::new(State {
                buffer,
                ..State::default()
            }),
            done: Condvar::new(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes the program takes.
    fn output(&self) -> usize {
        match self.ask {
            Ask::Open => 0,
            Ask::Control { output, .. } => output,
        }
    }

    /// Waits until the driver has completed it.
    pub(super) fn wait(&self) -> Outcome {
        let mut state = self.lock();
        loop {
            if let Some(outcome) = state.outcome.take() {
                return outcome;
            }
            state = self
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends it for the driver, which does not get it.
    pub(super) fn settle(&self, status: NtStatus) {
        let mut state = self.lock();
        state.completed = true;
        state.outcome = Some(Outcome {
            status,
            output: Vec::new(),
        });
        drop(state);
        self.done.notify_all();
    }

    /// Whether the driver has it and has not completed it.
    pub(super) fn is_open(&self) -> bool {
        !self.lock().completed
    }

    /// Marks it as completed, once.
    fn begin_completion(&self) -> Option<MutexGuard<'_, State>> {
        let mut state = self.lock();
        (!mem::replace(&mut state.completed, true)).then_some(state)
    }
}

/// The requests of a driver that are not completed.
pub(crate) fn open(image: &Loaded) -> Vec<String> {
    let state = image.framework().lock();
    let requests = state.objects.all(|kind| matches!(kind, Kind::Request(_)));
    let requests = requests.into_iter().filter_map(|handle| {
        match state.objects.get(handle).map(|object| &object.kind) {
            Some(Kind::Request(request)) if request.is_open() => Some(request.to_string()),
            _ => None,
        }
    });
    requests.collect()
}

/// A request that the driver has.
pub(super) fn find(request: Handle) -> Arc<Request> {
    let image = image();
    let state = image.framework().lock();
    match state.objects.get(request).map(|object| &object.kind) {
        Some(Kind::Request(found)) if found.is_open() => return Arc::clone(found),
        Some(Kind::Request(_)) => {}
        None if state.objects.was_completed(request) => {}
        _ => {
            drop(state);
            violation(format_args!("{request:p} is not a request"));
        }
    }
    drop(state);
    violation(format_args!("the request {request:p} is completed already"))
}

/// `WdfRequestComplete`.
pub(crate) extern "win64" fn complete(_globals: *const c_void, request: Handle, status: NtStatus) {
    let information = find(request).lock().information;
    finish(request, status, information);
}

/// `WdfRequestCompleteWithInformation`.
pub(crate) extern "win64" fn complete_with_information(
    _globals: *const c_void,
    request: Handle,
    status: NtStatus,
    information: usize,
) {
    finish(request, status, information);
}

/// `WdfRequestCompleteWithPriorityBoost`.
pub(crate) extern "win64" fn complete_with_boost(
    globals: *const c_void,
    request: Handle,
    status: NtStatus,
    _boost: i8,
) {
    complete(globals, request, status);
}

/// Completes a request for the driver: its output goes to the program, its buffer and its object go
/// away, and the program goes on.
fn finish(handle: Handle, status: NtStatus, information: usize) {
    check_irql(DISPATCH_LEVEL);
    let request = find(handle);
    if status == STATUS_PENDING {
        violation(format_args!("{request} is completed with STATUS_PENDING"));
    }
    let Some(mut state) = request.begin_completion() else {
        violation(format_args!("the request {handle:p} is completed already"));
    };
    let (buffer, queue) = (state.buffer.take(), state.queue.take());
    let cancelable = state.cancel.take().is_some() && !state.canceled;
    drop(state);
    if cancelable {
        misuse(format!("{request} is completed while it can be canceled"));
    }
    let room = request.output();
    // What `NT_ERROR` is true for brings no output.
    let wanted = if is_error(status) { 0 } else { information };
    if wanted > room && request.ask != Ask::Open {
        misuse(format!(
            "{request} has room for {room} bytes of output and is completed with {information}"
        ));
    }
    let length = wanted.min(room);
    let (output, intact) = buffer.map_or((Vec::new(), true), |buffer| buffer.take(length));
    if !intact {
        misuse(format!(
            "the driver wrote outside of the buffer of {request}"
        ));
    }
    let image = image();
    image.framework().lock().objects.remember_completed(handle);
    object::delete_tree(&image, handle);
    if let (Some(queue), Some(id)) = (queue, object::id(handle)) {
        queue.finish(id);
        queue_state::tell(&image, &queue);
    }
    request.lock().outcome = Some(Outcome { status, output });
    request.done.notify_all();
}

/// `WdfRequestSetInformation`.
pub(crate) extern "win64" fn set_information(
    _globals: *const c_void,
    request: Handle,
    information: usize,
) {
    find(request).lock().information = information;
}

/// `WdfRequestGetInformation`.
pub(crate) extern "win64" fn get_information(_globals: *const c_void, request: Handle) -> usize {
    find(request).lock().information
}

/// `WdfRequestGetIoQueue`.
pub(crate) extern "win64" fn get_queue(_globals: *const c_void, request: Handle) -> Handle {
    let queue = find(request).lock().queue.clone();
    queue.map_or(ptr::null_mut(), |queue| queue.handle())
}

/// `WdfRequestGetRequestorMode`: every request comes from a program.
pub(crate) extern "win64" fn get_requestor_mode(_globals: *const c_void, request: Handle) -> u8 {
    const USER_MODE: u8 = 1;
    find(request);
    USER_MODE
}

/// `WdfRequestMarkCancelable`. A request that is canceled already is canceled at once.
pub(crate) extern "win64" fn mark_cancelable(
    _globals: *const c_void,
    request: Handle,
    callback: Callback,
) {
    check_irql(DISPATCH_LEVEL);
    let found = find(request);
    if callback == 0 {
        violation("the callback is null");
    }
    let mut state = found.lock();
    if state.cancel.is_some() {
        drop(state);
        violation(format_args!("{found} can be canceled already"));
    }
    state.cancel = Some(callback);
    let canceled = state.canceled;
    drop(state);
    if canceled {
        call::object(&image(), "EvtRequestCancel", callback, request);
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

/// The open requests of a file, by the numbers of their objects.
pub(super) fn of_file(image: &Loaded, file: usize) -> Vec<(usize, Arc<Request>)> {
    let state = image.framework().lock();
    let requests = state.objects.all(|kind| matches!(kind, Kind::Request(_)));
    let requests = requests.into_iter().filter_map(|handle| {
        match state.objects.get(handle).map(|object| &object.kind) {
            Some(Kind::Request(request)) if request.file == file && request.is_open() => {
                Some((object::id(handle)?, Arc::clone(request)))
            }
            _ => None,
        }
    });
    requests.collect()
}

/// Cancels a request that the driver has, once: if it can be canceled, the driver is called.
pub(super) fn cancel(image: &Loaded, id: usize) -> bool {
    let handle = object::handle(id);
    let request = match image
        .framework()
        .lock()
        .objects
        .get(handle)
        .map(|object| &object.kind)
    {
        Some(Kind::Request(request)) => Arc::clone(request),
        _ => return false,
    };
    let mut state = request.lock();
    let first = !mem::replace(&mut state.canceled, true);
    let callback = state.cancel.filter(|_| first && !state.completed);
    drop(state);
    if let Some(callback) = callback {
        call::object(image, "EvtRequestCancel", callback, handle);
    }
    first
}
