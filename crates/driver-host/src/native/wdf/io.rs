//! The user side of a device: interfaces, queues, open files, and the count of operations in progress,
//! which ends before the device does.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nmr_sys::GUID;

use super::queue::Queue;

/// A device interface.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) class: GUID,
    pub(super) reference: Option<String>,
}

/// Where a device is in its life.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Created, and not started: it has no users.
    #[default]
    Created,
    /// Started: its interfaces are enabled.
    Started,
    /// Being removed: nothing new begins.
    Removed,
}

/// One device's side of its users.
#[derive(Debug, Default)]
pub(super) struct Io {
    state: Mutex<State>,
    /// Rings when an operation ends.
    idle: Condvar,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) interfaces: Vec<Interface>,
    pub(super) queues: Vec<Arc<Queue>>,
    pub(super) default_queue: Option<Arc<Queue>>,
    /// The queues for single types of request.
    pub(super) routes: BTreeMap<i32, Arc<Queue>>,
    /// The open files, by the numbers of their objects.
    pub(super) files: Vec<usize>,
    /// The symbolic link to the device.
    pub(super) link: Option<String>,
    operations: usize,
}

/// A user's operation on a device: opening it, a request, closing it.
#[derive(Debug)]
pub(super) struct Operation<'a>(&'a Io);

impl Io {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an operation, if the device has users.
    pub(super) fn begin(&self) -> Option<Operation<'_>> {
        let mut state = self.lock();
        if state.phase != Phase::Started {
            return None;
        }
        state.operations += 1;
        Some(Operation(self))
    }

    /// Counts an operation that the driver hands to another thread. It is in an operation itself, so the device is still
    /// there.
    pub(super) fn hand_over(&self) {
        self.lock().operations += 1;
    }

    /// The operation that was handed over to this thread.
    pub(super) fn take_over(&self) -> Operation<'_> {
        Operation(self)
    }

    /// Waits until no operation is in progress.
    pub(super) fn wait_until_idle(&self) {
        let mut state = self.lock();
        while state.operations != 0 {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        self.0.lock().operations -= 1;
        self.0.idle.notify_all();
    }
}
