//! What was called, in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use nmr_host::irql::{self, Irql};
use nmr_host::{ThreadNumber, current_thread};

/// One line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// `client attach`, or a note of the test.
    pub(crate) text: String,
    /// The context that the callback got: the registration's for an attach, else the binding's.
    pub(crate) context: usize,
    pub(crate) thread: ThreadNumber,
    pub(crate) irql: Irql,
    /// Whether this is the end of a callback.
    pub(crate) end: bool,
}

/// The log of a rig.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Mutex<Vec<Entry>>,
    silent: AtomicBool,
    failed: AtomicBool,
}

impl Log {
    pub(crate) fn add(&self, text: String, context: usize, end: bool) {
        if self.silent.load(Ordering::Relaxed) {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Entry {
            text,
            context,
            thread: current_thread(),
            irql: irql::current(),
            end,
        });
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clone()
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clear();
    }

    /// Writes nothing down from now on, for tests that run often.
    pub(crate) fn silence(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// A callback panicked.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}
