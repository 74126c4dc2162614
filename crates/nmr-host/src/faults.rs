//! Faults on demand: calls into the NMR that fail although nothing is wrong with them, so that tests
//! see what modules do then.

use std::any::Any;
use std::cell::Cell;

use nmr_sys::{NT_SUCCESS, NTSTATUS};

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard, PoisonError, thread_local};

thread_local! {
    static NEXT: Cell<Option<NTSTATUS>> = const { Cell::new(None) };
}

/// Makes this thread's next call of a function that may fail, in whichever registrar, fail with a
/// status: of `NmrRegisterClient`, `NmrRegisterProvider` or `NmrClientAttachProvider`. For tools that
/// see calls before the registrar does, and choose among them.
///
/// # Panics
///
/// If the status is no failure.
pub fn fail_next_call(status: NTSTATUS) {
    NEXT.with(|next| next.set(Some(failure(status))));
}

/// Counts calls, and fails one of them.
#[derive(Debug, Default)]
pub(crate) struct Countdown {
    /// Whether the call that is to fail is still to come. Until it is asked for, this is all that
    /// counting costs.
    is_set: AtomicBool,
    due: Mutex<Option<Due>>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    /// How many calls still succeed before the one that fails.
    left: u64,
    status: NTSTATUS,
}

/// The faults of a registrar.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Of the functions that may fail: those that register, and `NmrClientAttachProvider`.
    pub(crate) begin: Countdown,
    /// Of those that end registrations, which never fail for a module that uses them rightly.
    pub(crate) end: Countdown,
    reservations: Reservations,
}

/// How many reservations of memory still succeed before the one that fails.
#[derive(Debug, Default)]
struct Reservations {
    is_set: AtomicBool,
    skip: Mutex<Option<u64>>,
}

impl Faults {
    /// Faults of which the `n`-th call that may fail is one, from 1; none if `n` is 0.
    pub(crate) fn at(n: u64, status: NTSTATUS) -> Self {
        let faults = Self::default();
        faults.begin.set(n, status);
        faults
    }

    /// Stands before every call that may fail. Returns what it fails with, if it is to fail.
    pub(crate) fn begin(&self) -> Option<NTSTATUS> {
        let counted = self.begin.next();
        NEXT.with(Cell::take).or(counted)
    }

    /// Holds the locks.
    pub(crate) fn lock(&'static self) -> impl Any {
        (
            lock(&self.begin.due),
            lock(&self.end.due),
            lock(&self.reservations.skip),
        )
    }

    /// Makes the reservation of memory after the next `skip` fail, once.
    pub(crate) fn fail_reservation(&self, skip: u64) {
        *lock(&self.reservations.skip) = Some(skip);
        self.reservations.is_set.store(true, Ordering::Relaxed);
    }

    /// Stands before every step that may reserve memory. What it returns is to be written back.
    pub(crate) fn reservations(&self) -> Option<MutexGuard<'_, Option<u64>>> {
        let is_set = self.reservations.is_set.load(Ordering::Relaxed);
        is_set.then(|| lock(&self.reservations.skip))
    }

    /// The same before every call that ends a registration.
    pub(crate) fn end(&self) -> Option<NTSTATUS> {
        self.end.next()
    }
}

impl Countdown {
    /// Makes the `n`-th call from now fail: 1 is the next one; 0 takes it back.
    pub(crate) fn set(&self, n: u64, status: NTSTATUS) {
        let status = failure(status);
        let left = n.checked_sub(1);
        let mut due = lock(&self.due);
        *due = left.map(|left| Due { left, status });
        self.is_set.store(due.is_some(), Ordering::Relaxed);
    }

    /// Returns `true` if the call that is to fail is still to come.
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    fn next(&self) -> Option<NTSTATUS> {
        if self.is_set() { self.count() } else { None }
    }

    #[cold]
    fn count(&self) -> Option<NTSTATUS> {
        let mut due = lock(&self.due);
        match due.as_mut() {
            Some(Due { left: 0, .. }) => {
                self.is_set.store(false, Ordering::Relaxed);
                due.take().map(|due| due.status)
            }
            Some(due) => {
                due.left -= 1;
                None
            }
            None => None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failure(status: NTSTATUS) -> NTSTATUS {
    assert!(!NT_SUCCESS(status), "{status:#010x} is no failure");
    status
}

#[cfg(test)]
mod tests {
    use nmr_sys::{STATUS_INSUFFICIENT_RESOURCES, STATUS_NOINTERFACE};

    use super::*;

    #[test]
    fn the_call_that_was_asked_to_fail_fails_once() {
        let faults = Faults::at(2, STATUS_NOINTERFACE);
        assert_eq!(faults.end(), None);
        let answers = [(); 3].map(|()| faults.begin());
        assert_eq!(answers, [None, Some(STATUS_NOINTERFACE), None]);
        assert!(!faults.begin.is_set());
        faults.begin.set(1, STATUS_NOINTERFACE);
        faults.begin.set(0, STATUS_NOINTERFACE);
        assert_eq!(faults.begin(), None);
    }

    #[test]
    fn a_threads_next_call_fails_whatever_is_counted() {
        let faults = Faults::at(2, STATUS_NOINTERFACE);
        fail_next_call(STATUS_INSUFFICIENT_RESOURCES);
        let answers = [(); 3].map(|()| faults.begin());
        let expected = [STATUS_INSUFFICIENT_RESOURCES, STATUS_NOINTERFACE];
        assert_eq!(answers, [Some(expected[0]), Some(expected[1]), None]);
    }

    #[test]
    #[should_panic(expected = "0x00000103 is no failure")]
    fn success_is_no_fault() {
        fail_next_call(nmr_sys::STATUS_PENDING);
    }
}
