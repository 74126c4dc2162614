//! Ways to order threads without a clock.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// A gate that is closed until a test opens it.
#[derive(Clone, Copy)]
pub(crate) struct Gate(&'static (Mutex<bool>, Condvar));

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    pub(crate) fn open(self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Blocks until the gate is open.
    pub(crate) fn pass(self) {
        let mut open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self.0.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A place where one thread stops until another lets it go on.
#[derive(Clone, Copy)]
pub(crate) struct Pause {
    reached: Gate,
    released: Gate,
}

impl Pause {
    pub(crate) fn new() -> Self {
        Self {
            reached: Gate::new(),
            released: Gate::new(),
        }
    }

    /// Stops here, until [`release`](Self::release).
    pub(crate) fn here(self) {
        self.reached.open();
        self.released.pass();
    }

    /// Blocks until a thread has stopped here.
    pub(crate) fn reached(self) {
        self.reached.pass();
    }

    pub(crate) fn release(self) {
        self.released.open();
    }
}

/// Lets others run until a condition holds.
pub(crate) fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}
