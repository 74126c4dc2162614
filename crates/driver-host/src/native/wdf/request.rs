//! Requests: what a program asks of a driver, until the driver completes it.

use std::ffi::c_void;
use std::fmt;
use std::mem;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nmr_host::irql::DISPATCH_LEVEL;

use super::check_irql;
use super::dispatching;
use super::image;
use super::layout::Callback;
use super::misuse;
use super::object::{self, Kind};
use super::queue::Queue;
use super::queue_state;
use super::violation;
use crate::native::kernel::buffers::Buffers;
use crate::native::kernel::irp::Ended;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::mdl;
use crate::native::kernel::nt::{NtStatus, STATUS_CANCELLED, STATUS_PENDING, is_error};
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
    /// To read.
    Read(Transfer),
    /// To write.
    Write(Transfer),
}

/// The range of a device that a program reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Transfer {
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl Ask {
    /// `WDF_REQUEST_TYPE`.
    pub(super) fn kind(self) -> i32 {
        match self {
            Self::Open => dispatching::CREATE,
            Self::Control { .. } => dispatching::DEVICE_CONTROL,
            Self::Read(_) => dispatching::READ,
            Self::Write(_) => dispatching::WRITE,
        }
    }
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

/// Where a request is with respect to `EvtIoInCallerContext`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum CallerContext {
    /// Before or behind it.
    #[default]
    Outside,
    /// The callback has it.
    Inside,
    /// The callback has sent it on to its queue.
    Enqueued,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) buffers: Buffers,
    /// The MDLs of its system buffer as input and as output, once the driver has asked for them.
    pub(super) mdls: [usize; 2],
    /// The memory objects of its input and its output, once the driver has asked for them.
    pub(super) memory: [Option<usize>; 2],
    pub(super) queue: Option<Arc<Queue>>,
    information: usize,
    pub(super) cancel: Option<Callback>,
    pub(super) canceled: bool,
    pub(super) completed: bool,
    pub(super) context: CallerContext,
    ended: Option<Ended>,
}

impl State {
    /// Takes the buffers, and every MDL: the one that came with them, and those that the driver has asked for.
    fn take_buffers(&mut self) -> (Buffers, [usize; 3]) {
        let (buffers, [input, output]) = (mem::take(&mut self.buffers), mem::take(&mut self.mdls));
        let mdls = [buffers.mdl, input, output];
        (buffers, mdls)
    }
}

fn free(image: &Loaded, mdls: [usize; 3]) {
    for mdl in mdls {
        mdl::free_chain(image, mdl);
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ask {
            Ask::Open => f.write_str("a request to open the device"),
            Ask::Control { code, .. } => write!(f, "a request with the control code {code:#010x}"),
            Ask::Read(_) => f.write_str("a request to read"),
            Ask::Write(_) => f.write_str("a request to write"),
        }
    }
}

impl Request {
    pub(super) fn new(ask: Ask, file: usize, buffers: Buffers) -> Arc<Self> {
        Arc::new(Self {
            ask,
            file,
            state: Mutex::new(State {
                buffers,
                ..State::default()
            }),
            done: Condvar::new(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The largest number of bytes that the driver can say it has transferred.
    fn room(&self) -> usize {
        match self.ask {
            Ask::Open => 0,
            Ask::Control { output, .. } => output,
            Ask::Read(range) | Ask::Write(range) => range.length,
        }
    }

    /// Waits until the driver has completed it.
    pub(super) fn wait(&self) -> Ended {
        let mut state = self.lock();
        loop {
            if let Some(ended) = state.ended.take() {
                return ended;
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
        state.ended = Some(Ended::with(status));
        drop(state);
        self.done.notify_all();
    }

    /// Takes its buffers away: it does not come to the driver.
    pub(super) fn abandon(&self, image: &Loaded) {
        let (_, mdls) = self.lock().take_buffers();
        free(image, mdls);
    }

    /// Returns `true` if the driver has it and has not completed it.
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
    let ((buffers, mdls), queue) = (state.take_buffers(), state.queue.take());
    let cancelable = state.cancel.take().is_some() && !state.canceled;
    drop(state);
    if cancelable {
        misuse(format!("{request} is completed while it can be canceled"));
    }
    let room = request.room();
    // What `NT_ERROR` is true for brings no output.
    let wanted = if is_error(status) { 0 } else { information };
    // A control request without output may say how much of the input was used.
    let transfers = match request.ask {
        Ask::Open => false,
        Ask::Control { output, .. } => output != 0,
        Ask::Read(_) | Ask::Write(_) => true,
    };
    if wanted > room && transfers {
        misuse(format!(
            "{request} has room for {room} bytes of output and is completed with {information}"
        ));
    }
    let information = wanted.min(room);
    let (output, intact) = buffers.take(information);
    if !intact {
        misuse(format!(
            "the driver wrote outside of the buffer of {request}"
        ));
    }
    let image = image();
    free(&image, mdls);
    image.framework().lock().objects.remember_completed(handle);
    object::delete_tree(&image, handle);
    if let (Some(queue), Some(id)) = (queue, object::id(handle)) {
        queue.finish(id);
        queue_state::tell(&image, &queue);
    }
    request.lock().ended = Some(Ended {
        status,
        information,
        output,
    });
    request.done.notify_all();
}

/// `WdfRequestStopAcknowledge`, in `EvtIoStop`: the driver keeps the request, or gives it back to a queue that is
/// purged, which cancels it.
pub(crate) extern "win64" fn stop_acknowledge(
    _globals: *const c_void,
    handle: Handle,
    requeue: u8,
) {
    check_irql(DISPATCH_LEVEL);
    let request = find(handle);
    let queue = request.lock().queue.clone();
    let number = object::id(handle).unwrap_or_default();
    if !queue.is_some_and(|queue| queue.acknowledge(number)) {
        misuse(format!("{request} is not in EvtIoStop"));
    } else if requeue != 0 {
        finish(handle, STATUS_CANCELLED, 0);
    }
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
