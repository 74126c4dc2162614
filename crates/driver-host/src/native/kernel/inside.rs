//! Threads inside an image: those that this crate sent in, and threads that left through an import
//! and will come back.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nmr_host::ThreadNumber;

/// A thread's stay in an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// The thread.
    pub thread: ThreadNumber,
    /// What it came in for, or which import it left through.
    pub what: String,
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.thread, self.what)
    }
}

/// The visits of an image.
#[derive(Debug, Default)]
pub(crate) struct Inside(Mutex<Visits>);

#[derive(Debug, Default)]
struct Visits {
    next: u64,
    open: BTreeMap<u64, Visit>,
}

impl Inside {
    /// A visit begins. Returns its number.
    pub(crate) fn enter(&self, what: &str) -> u64 {
        let visit = Visit {
            thread: nmr_host::current_thread(),
            what: what.to_owned(),
        };
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = visits.next;
        visits.next += 1;
        visits.open.insert(number, visit);
        number
    }

    fn lock(&self) -> MutexGuard<'_, Visits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A visit ends. Returns whether it had not ended yet.
    pub(crate) fn leave(&self, number: u64) -> bool {
        self.lock().open.remove(&number).is_some()
    }

    /// Does something if a visit has not ended, and keeps it from ending meanwhile.
    pub(crate) fn while_open<T>(&self, number: u64, run: impl FnOnce() -> T) -> Option<T> {
        let visits = self.lock();
        visits.open.contains_key(&number).then(run)
    }

    /// Returns `true` if a visit has not ended.
    pub(crate) fn is_open(&self, number: u64) -> bool {
        self.lock().open.contains_key(&number)
    }

    /// Returns `true` if there is a visit for something.
    pub(crate) fn has(&self, what: &str) -> bool {
        self.lock().open.values().any(|visit| visit.what == what)
    }

    /// The visits that have not ended.
    pub(crate) fn open(&self) -> Vec<Visit> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .open
            .values()
            .cloned()
            .collect()
    }
}
