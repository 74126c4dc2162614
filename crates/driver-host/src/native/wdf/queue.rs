//! Queues: how requests come to a driver. A request is presented on the thread of the program that
//! sent it, which waits here until it is its turn.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::device;
use super::layout::{Callback, WDF_IO_QUEUE_CONFIG};
use super::object::{self, Kind};
use super::queue_config::{MANUAL, PARALLEL, TRUE, USE_DEFAULT};
use super::request::Ask;
use super::serial::Serial;
use super::violation;
use crate::native::kernel::nt::{NtStatus, STATUS_NO_MORE_ENTRIES, STATUS_WDF_PAUSED};
use crate::native::wdf::Handle;

/// Why a request does not come to the driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missed {
    /// The queue accepts none any more.
    Purged,
    /// It was canceled while it waited.
    Canceled,
    /// The driver has stopped the queue from accepting more.
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
    /// How its callbacks are called.
    pub(super) serial: Serial,
    pub(super) parallel: bool,
    /// How many requests the driver has at once.
    limit: usize,
    pub(super) power_managed: bool,
    /// Whether reads and writes of no bytes come to the driver.
    allows_empty: bool,
    pub(super) default: Callback,
    read: Callback,
    write: Callback,
    device_control: Callback,
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
    /// Those of them that the driver keeps while its device leaves the working state.
    acknowledged: Vec<usize>,
    /// Those of them that the driver has taken itself, until the threads that brought them have noticed.
    retrieved: Vec<usize>,
    purged: bool,
    flow: Flow,
    notice: Option<Notice>,
    /// The callback for a request that comes to an empty queue.
    ready: Option<Notice>,
}

impl State {
    fn rests(&self, waiting: bool) -> bool {
        self.presented.is_empty() && (!waiting || self.waiting.is_empty())
    }
}

impl Queue {
    pub(super) fn new(
        config: WDF_IO_QUEUE_CONFIG,
        serial: Serial,
        device: Handle,
        about: &device::Init,
    ) -> Self {
        Self {
            device: object::id(device).unwrap_or_default(),
            serial,
            parallel: config.DispatchType == PARALLEL,
            limit: match config.DispatchType {
                PARALLEL => config.NumberOfPresentedRequests as usize,
                // The driver takes them itself.
                MANUAL => 0,
                _ => 1,
            },
            power_managed: config.PowerManaged == TRUE
                || config.PowerManaged == USE_DEFAULT && !about.filter && !about.control,
            allows_empty: config.AllowZeroLengthRequests != 0,
            default: config.EvtIoDefault,
            read: config.EvtIoRead,
            write: config.EvtIoWrite,
            device_control: config.EvtIoDeviceControl,
            stop: config.EvtIoStop,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which object it is.
    pub(super) fn set_number(&self, id: usize) {
        self.lock().id = id;
    }

    /// The callback for requests of one type alone, or 0.
    pub(super) fn callback(&self, ask: Ask) -> Callback {
        match ask {
            Ask::Open => 0,
            Ask::Control { .. } => self.device_control,
            Ask::Read(_) => self.read,
            Ask::Write(_) => self.write,
        }
    }

    /// Returns `true` if such requests come to the driver through it.
    pub(super) fn takes(&self, ask: Ask) -> bool {
        self.limit == 0 || self.callback(ask) != 0 || self.default != 0
    }

    /// Returns `true` if the framework answers a request itself: a read or a write of no bytes.
    pub(super) fn is_answered(&self, ask: Ask) -> bool {
        let empty = matches!(ask, Ask::Read(range) | Ask::Write(range) if range.length == 0);
        empty && !self.allows_empty
    }

    pub(super) fn handle(&self) -> Handle {
        object::handle(self.lock().id)
    }

    /// The number of its device.
    pub(super) fn device(&self) -> usize {
        self.device
    }

    /// Takes the oldest request that waits, of those that are wanted, for a driver that asks for it.
    pub(super) fn retrieve(&self, wanted: impl Fn(usize) -> bool) -> Result<usize, NtStatus> {
        let mut state = self.lock();
        if !state.flow.dispatches {
            return Err(STATUS_WDF_PAUSED);
        }
        let place = state.waiting.iter().position(|&request| wanted(request));
        let request = place.and_then(|place| state.waiting.remove(place));
        let request = request.ok_or(STATUS_NO_MORE_ENTRIES)?;
        state.presented.push(request);
        state.retrieved.push(request);
        self.changed.notify_all();
        Ok(request)
    }

    /// Returns `true` if a request that comes now is accepted.
    pub(super) fn accepts(&self) -> bool {
        let state = self.lock();
        state.flow.accepts && !state.purged
    }

    /// Waits until the driver is to get a request, or until the request is canceled. Returns `true` if the driver
    /// is to be called: it may have taken the request itself. `arrived` is called if the driver wants to know of it.
    pub(super) fn present(&self, request: usize, arrived: impl FnOnce()) -> Result<bool, Missed> {
        let mut state = self.lock();
        if state.purged {
            return Err(Missed::Purged);
        }
        if !state.flow.accepts {
            return Err(Missed::Refused);
        }
        state.waiting.push_back(request);
        if state.ready.is_some() && state.flow.dispatches && state.waiting.len() == 1 {
            drop(state);
            arrived();
            state = self.lock();
        }
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

    /// Sets the callback for a request that comes to an empty queue, or takes it from a queue that is stopped. Fails
    /// if there is one, or none.
    pub(super) fn set_ready(&self, notice: Option<Notice>) -> Result<(), ()> {
        let mut state = self.lock();
        let stopped = !state.flow.dispatches;
        if state.ready.is_some() == notice.is_some() || notice.is_none() && !stopped {
            return Err(());
        }
        state.ready = notice;
        Ok(())
    }

    /// The callback for a request that comes to an empty queue.
    pub(super) fn ready(&self) -> Option<Notice> {
        self.lock().ready
    }

    /// Returns `true` if the driver could take a request now.
    pub(super) fn is_ready(&self) -> bool {
        let state = self.lock();
        state.flow.dispatches && !state.waiting.is_empty()
    }

    /// Cancels a request that waits. Returns `false` if it does not wait here.
    pub(super) fn withdraw(&self, request: usize) -> bool {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|&own| own != request);
        self.changed.notify_all();
        state.waiting.len() != before
    }

    /// The driver has completed a request.
    pub(super) fn finish(&self, request: usize) {
        let mut state = self.lock();
        state.presented.retain(|&own| own != request);
        state.acknowledged.retain(|&own| own != request);
        self.changed.notify_all();
    }

    /// The driver keeps a request while its device leaves the working state. Returns `false` if it does not: the
    /// queue was not purged for that.
    pub(super) fn acknowledge(&self, request: usize) -> bool {
        let mut state = self.lock();
        let purged = state.purged;
        if purged {
            state.acknowledged.push(request);
            self.changed.notify_all();
        }
        purged
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

    /// Returns `true` if the driver has a request that it has not completed.
    pub(super) fn has(&self, request: usize) -> bool {
        self.lock().presented.contains(&request)
    }

    /// Waits until the driver has completed everything that it got, except what it keeps.
    pub(super) fn wait_until_empty(&self) {
        let mut state = self.lock();
        while state
            .presented
            .iter()
            .any(|own| !state.acknowledged.contains(own))
        {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

pub(super) fn find(queue: Handle) -> Arc<Queue> {
    match object::kind(queue) {
        Some(Kind::Queue(queue)) => queue,
        _ => violation(format_args!("{queue:p} is not a queue")),
    }
}
