//! Queues: how requests come to a driver. A request is presented on the thread of the program that
//! sent it, which waits here until it is its turn.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nmr_host::irql::DISPATCH_LEVEL;

use super::check_irql;
use super::checks::{self, Parent};
use super::device;
use super::image;
use super::io::Phase;
use super::layout::{Callback, WDF_IO_QUEUE_CONFIG, WDF_OBJECT_ATTRIBUTES};
use super::misuse;
use super::object::{self, Kind};
use super::refuse;
use super::violation;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_PARAMETER,
    STATUS_INVALID_PARAMETER_4, STATUS_NO_MORE_ENTRIES, STATUS_NOT_SUPPORTED, STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL, STATUS_WDF_BUSY, STATUS_WDF_NO_CALLBACK, STATUS_WDF_PAUSED,
};
use crate::native::wdf::Handle;

/// Why a request does not come to the driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missed {
    /// The queue accepts none any more.
    Purged,
    /// It was canceled while it waited.
    Canceled,
    /// The driver has told the queue to accept no more.
    Refused,
}

/// Whether a queue accepts requests, and whether the driver gets them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Flow {
    accepts: bool,
    dispatches: bool,
}

impl Flow {
    pub(super) const STARTED: Self = Self {
        accepts: true,
        dispatches: true,
    };
    pub(super) const STOPPED: Self = Self {
        accepts: true,
        dispatches: false,
    };
    pub(super) const DRAINING: Self = Self {
        accepts: false,
        dispatches: true,
    };
}

impl Default for Flow {
    fn default() -> Self {
        Self::STARTED
    }
}

/// A callback for a queue that comes to rest: the driver has no request of it any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    pub(super) callback: Callback,
    pub(super) context: usize,
    /// Whether none waits either.
    pub(super) waiting: bool,
}

/// A `WDFQUEUE`.
#[derive(Debug)]
pub(super) struct Queue {
    /// The number of its device.
    device: usize,
    /// How many requests the driver has at once.
    limit: usize,
    pub(super) power_managed: bool,
    pub(super) default: Callback,
    pub(super) device_control: Callback,
    pub(super) stop: Callback,
    state: Mutex<State>,
    /// Rings when a request is completed or the queue is purged.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The number of its object.
    id: usize,
    /// The requests that wait, the oldest first.
    waiting: VecDeque<usize>,
    /// The requests that the driver has.
    presented: Vec<usize>,
    /// Those of them that the driver has taken itself, until whoever brought them has noticed.
    retrieved: Vec<usize>,
    purged: bool,
    flow: Flow,
    notice: Option<Notice>,
}

impl State {
    fn rests(&self, waiting: bool) -> bool {
        self.presented.is_empty() && (!waiting || self.waiting.is_empty())
    }
}

const SEQUENTIAL: i32 = 1;
const PARALLEL: i32 = 2;
const MANUAL: i32 = 3;

const FALSE: i32 = 0;
const TRUE: i32 = 1;
const USE_DEFAULT: i32 = 2;

const INHERIT: i32 = 1;
const NO_SCOPE: i32 = 4;

const FUNCTION: &str = "WdfIoQueueCreate";
/// The sizes of its configuration up to KMDF 1.7, without the number of requests, and 1.9.
const OLDER: [usize; 2] = [OLDEST as usize, 0x58];
const OLDEST: u32 = 0x50;

/// `WdfIoQueueCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    device: Handle,
    config: *const WDF_IO_QUEUE_CONFIG,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let about = device::find(device);
    if config.is_null() {
        violation("the configuration is null");
    }
    // SAFETY: the caller vouches for the configuration.
    let mut config = unsafe { checks::read_sized(config, &OLDER) };
    if config.Size == OLDEST && config.DispatchType == PARALLEL {
        config.NumberOfPresentedRequests = u32::MAX;
    }
    // SAFETY: the caller vouches for the attributes.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Optional, true) };
    let made = checked.and_then(|attributes| {
        check(config, attributes, !output.is_null())
            .map_err(|(status, text)| refuse(FUNCTION, status, text))?;
        let state = about.io.lock();
        let default = (state.phase, state.default_queue.is_some());
        drop(state);
        match default {
            _ if config.DefaultQueue == 0 => {}
            (Phase::Created, false) => {}
            (Phase::Created, true) => {
                let text = "the device has a default queue already";
                return Err(refuse(FUNCTION, STATUS_UNSUCCESSFUL, text));
            }
            _ => {
                let text = "a default queue is made before the device is started";
                return Err(refuse(FUNCTION, STATUS_INVALID_DEVICE_STATE, text));
            }
        }
        let queue = Arc::new(Queue::new(config, device, &about.init));
        let kind = Kind::Queue(Arc::clone(&queue));
        let handle = object::make(&image(), kind, Some(device), attributes)?;
        queue.lock().id = object::id(handle).unwrap_or_default();
        let mut state = about.io.lock();
        if config.DefaultQueue != 0 {
            state.default_queue = Some(Arc::clone(&queue));
        }
        state.queues.push(queue);
        Ok(handle)
    });
    match made {
        Ok(handle) => {
            if !output.is_null() {
                // SAFETY: the caller vouches for the output.
                unsafe { output.write(handle) };
            }
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// The rules, in the framework's order, and what this host does not have.
fn check(
    config: WDF_IO_QUEUE_CONFIG,
    attributes: Option<WDF_OBJECT_ATTRIBUTES>,
    has_output: bool,
) -> Result<(), (NtStatus, String)> {
    let wrong = |status, text: &str| Err((status, text.to_owned()));
    let expected = size_of::<WDF_IO_QUEUE_CONFIG>();
    if config.Size as usize != expected && !OLDER.contains(&(config.Size as usize)) {
        let text = format!(
            "the Size of its configuration is {:#x}, not {expected:#x}",
            config.Size
        );
        return Err((STATUS_INFO_LENGTH_MISMATCH, text));
    }
    if config.DefaultQueue == 0 && !has_output {
        let text = "a queue that is not the default queue needs an output";
        return wrong(STATUS_INVALID_PARAMETER_4, text);
    }
    if ![SEQUENTIAL, PARALLEL, MANUAL].contains(&config.DispatchType) {
        return wrong(STATUS_INVALID_PARAMETER, "DispatchType is not 1 to 3");
    }
    if !(FALSE..=USE_DEFAULT).contains(&config.PowerManaged) {
        return wrong(STATUS_INVALID_PARAMETER, "PowerManaged is not 0 to 2");
    }
    let handlers = [
        config.EvtIoDefault,
        config.EvtIoRead,
        config.EvtIoWrite,
        config.EvtIoDeviceControl,
        config.EvtIoInternalDeviceControl,
    ];
    let any = handlers.iter().any(|&callback| callback != 0);
    match config.DispatchType {
        MANUAL if any => {
            return wrong(STATUS_INVALID_PARAMETER, "a manual queue has no handlers");
        }
        MANUAL => {}
        _ if !any => return wrong(STATUS_WDF_NO_CALLBACK, "there is no handler"),
        _ => {}
    }
    let presented = config.NumberOfPresentedRequests;
    if config.DispatchType != PARALLEL && presented != 0 {
        let text = "NumberOfPresentedRequests is for parallel queues";
        return wrong(STATUS_INVALID_PARAMETER, text);
    }
    if config.DispatchType == PARALLEL && presented == 0 {
        misuse("NumberOfPresentedRequests is 0: a parallel queue never presents a request");
    }
    if attributes.is_some_and(|own| ![INHERIT, NO_SCOPE].contains(&own.SynchronizationScope)) {
        return wrong(STATUS_NOT_SUPPORTED, "this host serializes no callbacks");
    }
    Ok(())
}

impl Queue {
    fn new(config: WDF_IO_QUEUE_CONFIG, device: Handle, about: &device::Init) -> Self {
        Self {
            device: object::id(device).unwrap_or_default(),
            limit: match config.DispatchType {
                PARALLEL => config.NumberOfPresentedRequests as usize,
                // The driver takes them itself.
                MANUAL => 0,
                _ => 1,
            },
            power_managed: config.PowerManaged == TRUE
                || config.PowerManaged == USE_DEFAULT && !about.filter && !about.control,
            default: config.EvtIoDefault,
            device_control: config.EvtIoDeviceControl,
            stop: config.EvtIoStop,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether device control requests come to the driver through it.
    pub(super) fn takes_controls(&self) -> bool {
        self.limit == 0 || self.device_control != 0 || self.default != 0
    }

    pub(super) fn handle(&self) -> Handle {
        object::handle(self.lock().id)
    }

    /// Takes the oldest request that waits for a driver that asks for it.
    pub(super) fn retrieve(&self) -> Result<usize, NtStatus> {
        let mut state = self.lock();
        if !state.flow.dispatches {
            return Err(STATUS_WDF_PAUSED);
        }
        let request = state.waiting.pop_front().ok_or(STATUS_NO_MORE_ENTRIES)?;
        state.presented.push(request);
        state.retrieved.push(request);
        self.changed.notify_all();
        Ok(request)
    }

    /// Whether a request that comes now is refused.
    pub(super) fn accepts(&self) -> bool {
        let state = self.lock();
        state.flow.accepts && !state.purged
    }

    /// Waits until the driver is to get a request, or until the request is canceled. Returns whether the driver
    /// is to be called: it may have taken the request itself.
    pub(super) fn present(&self, request: usize) -> Result<bool, Missed> {
        let mut state = self.lock();
        if state.purged {
            return Err(Missed::Purged);
        }
        if !state.flow.accepts {
            return Err(Missed::Refused);
        }
        state.waiting.push_back(request);
        loop {
            if let Some(place) = state.retrieved.iter().position(|&own| own == request) {
                state.retrieved.remove(place);
                return Ok(false);
            }
            if !state.waiting.contains(&request) {
                return Err(Missed::Canceled);
            }
            let turn = state.waiting.front() == Some(&request) && state.flow.dispatches;
            if turn && state.presented.len() < self.limit {
                state.waiting.pop_front();
                state.presented.push(request);
                // The next one may have its turn as well.
                self.changed.notify_all();
                return Ok(true);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The driver has completed a request.
    pub(super) fn finish(&self, request: usize) {
        self.lock().presented.retain(|&own| own != request);
        self.changed.notify_all();
    }

    /// Changes what the queue does. Fails if there is a callback to call already.
    pub(super) fn set(&self, flow: Flow, notice: Option<Notice>) -> Result<(), ()> {
        let mut state = self.lock();
        if notice.is_some() && state.notice.is_some() {
            return Err(());
        }
        // A drained queue that is stopped accepts nothing more.
        state.flow = match flow {
            Flow::STARTED => flow,
            Flow::STOPPED => Flow {
                dispatches: false,
                ..state.flow
            },
            _ => Flow {
                accepts: false,
                ..state.flow
            },
        };
        state.notice = notice.or(state.notice);
        self.changed.notify_all();
        Ok(())
    }

    /// Takes the callback to call, if the queue is at rest.
    pub(super) fn take_notice(&self) -> Option<Notice> {
        let mut state = self.lock();
        let due = state
            .notice
            .is_some_and(|notice| state.rests(notice.waiting));
        due.then(|| state.notice.take()).flatten()
    }

    /// Waits until the driver has none of its requests, and if asked for until none waits either.
    pub(super) fn wait_until_rest(&self, waiting: bool) {
        let mut state = self.lock();
        while !state.rests(waiting) {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The bits of `WDF_IO_QUEUE_STATE`, and how many requests wait and how many the driver has.
    pub(super) fn state(&self) -> (u32, [u32; 2]) {
        let state = self.lock();
        let bits = [
            state.flow.accepts && !state.purged,
            state.flow.dispatches,
            state.waiting.is_empty(),
            state.presented.is_empty(),
        ];
        let bits = bits.into_iter().enumerate();
        let bits = bits.map(|(place, set)| u32::from(set) << place).sum();
        let counts = [state.waiting.len(), state.presented.len()];
        (bits, counts.map(|count| count as u32))
    }

    /// Cancels the requests that wait. Returns those that the driver has.
    pub(super) fn cancel_waiting(&self) -> Vec<usize> {
        let mut state = self.lock();
        state.waiting.clear();
        self.changed.notify_all();
        state.presented.clone()
    }

    /// Cancels the requests that wait, and accepts no others. Returns those that the driver has.
    pub(super) fn purge(&self) -> Vec<usize> {
        let mut state = self.lock();
        state.purged = true;
        state.waiting.clear();
        self.changed.notify_all();
        state.presented.clone()
    }

    /// Whether the driver has a request that it has not completed.
    pub(super) fn has(&self, request: usize) -> bool {
        self.lock().presented.contains(&request)
    }

    /// Waits until the driver has completed everything that it got.
    pub(super) fn wait_until_empty(&self) {
        let mut state = self.lock();
        while !state.presented.is_empty() {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

pub(super) fn find(queue: Handle) -> Arc<Queue> {
    match image()
        .framework()
        .lock()
        .objects
        .get(queue)
        .map(|object| &object.kind)
    {
        Some(Kind::Queue(queue)) => Arc::clone(queue),
        _ => violation(format_args!("{queue:p} is not a queue")),
    }
}

/// `WdfIoQueueRetrieveNextRequest`.
pub(crate) unsafe extern "win64" fn retrieve_next(
    _globals: *const c_void,
    queue: Handle,
    output: *mut Handle,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let queue = find(queue);
    if output.is_null() {
        violation("the output is null");
    }
    let (request, status) = match queue.retrieve() {
        Ok(request) => (object::handle(request), STATUS_SUCCESS),
        Err(status) => (ptr::null_mut(), status),
    };
    // SAFETY: the driver passes an output.
    unsafe { output.write(request) };
    status
}

/// `WdfIoQueueGetDevice`.
pub(crate) extern "win64" fn get_device(_globals: *const c_void, queue: Handle) -> Handle {
    object::handle(find(queue).device)
}

/// `WdfDeviceGetDefaultQueue`.
pub(crate) extern "win64" fn get_default(_globals: *const c_void, device: Handle) -> Handle {
    let queue = device::find(device).io.lock().default_queue.clone();
    queue.map_or(ptr::null_mut(), |queue| queue.handle())
}

/// The types of request that can have a queue of their own here.
const READ: i32 = 3;
const WRITE: i32 = 4;
pub(super) const DEVICE_CONTROL: i32 = 14;
const INTERNAL_DEVICE_CONTROL: i32 = 15;

/// `WdfDeviceConfigureRequestDispatching`.
pub(crate) extern "win64" fn configure_dispatching(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> WDF_IO_QUEUE_CONFIG {
        WDF_IO_QUEUE_CONFIG {
            Size: 0x60,
            DispatchType: PARALLEL,
            PowerManaged: USE_DEFAULT,
            AllowZeroLengthRequests: 0,
            DefaultQueue: 1,
            EvtIoDefault: 0,
            EvtIoRead: 0,
            EvtIoWrite: 0,
            EvtIoDeviceControl: 1,
            EvtIoInternalDeviceControl: 0,
            EvtIoStop: 0,
            EvtIoResume: 0,
            EvtIoCanceledOnQueue: 0,
            NumberOfPresentedRequests: u32::MAX,
            Driver: ptr::null_mut(),
        }
    }

    fn status(change: impl FnOnce(&mut WDF_IO_QUEUE_CONFIG)) -> NtStatus {
        let mut config = config();
        change(&mut config);
        check(config, None, false)
            .err()
            .map_or(0, |(status, _)| status)
    }

    #[test]
    fn wrong_configurations_are_refused() {
        assert_eq!(status(|_| ()), STATUS_SUCCESS);
        assert_eq!(status(|own| own.Size = 0x48), STATUS_INFO_LENGTH_MISMATCH);
        assert_eq!(status(|own| own.Size = 0x58), STATUS_SUCCESS);
        assert_eq!(
            status(|own| own.DefaultQueue = 0),
            STATUS_INVALID_PARAMETER_4
        );
        assert_eq!(status(|own| own.DispatchType = 0), STATUS_INVALID_PARAMETER);
        assert_eq!(status(|own| own.DispatchType = 4), STATUS_INVALID_PARAMETER);
        assert_eq!(status(|own| own.PowerManaged = 3), STATUS_INVALID_PARAMETER);
        assert_eq!(
            status(|own| own.EvtIoDeviceControl = 0),
            STATUS_WDF_NO_CALLBACK
        );
        assert_eq!(
            status(|own| own.DispatchType = MANUAL),
            STATUS_INVALID_PARAMETER
        );
        assert_eq!(
            status(|own| own.DispatchType = SEQUENTIAL),
            STATUS_INVALID_PARAMETER,
            "only parallel queues have a number of presented requests"
        );
        let manual = |own: &mut WDF_IO_QUEUE_CONFIG| {
            (own.DispatchType, own.EvtIoDeviceControl) = (MANUAL, 0);
            own.NumberOfPresentedRequests = 0;
        };
        assert_eq!(status(manual), STATUS_SUCCESS);
    }
}
