//! Threads as the registrar counts them, and the callbacks that each is inside.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{shared, thread_local};

/// The number of a thread, in the order in which threads first met a registrar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ThreadNumber(pub u32);

impl fmt::Display for ThreadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.0)
    }
}

shared! {
    static NEXT: AtomicU32 = AtomicU32::new(1);
}

thread_local! {
    static NUMBER: Cell<Option<u32>> = const { Cell::new(None) };
    /// The innermost callback, for those who must not allocate.
    static INNERMOST: Cell<Option<Callback>> = const { Cell::new(None) };
    static CALLBACKS: RefCell<Vec<Callback>> = const { RefCell::new(Vec::new()) };
}

/// The number of this thread.
#[must_use]
pub fn current() -> ThreadNumber {
    ThreadNumber(NUMBER.with(Cell::get).unwrap_or_else(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NUMBER.with(|own| own.set(Some(number)));
        number
    }))
}

/// A callback that a thread is inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Callback {
    pub(crate) function: &'static str,
    pub(crate) instance: u32,
    /// The number of the binding, which both of its modules have to wait for.
    pub(crate) binding: u64,
}

/// Runs a callback, remembering on the thread that it runs.
pub(crate) fn inside<T>(callback: Callback, run: impl FnOnce() -> T) -> T {
    CALLBACKS.with(|callbacks| callbacks.borrow_mut().push(callback));
    let outer = INNERMOST.with(|innermost| innermost.replace(Some(callback)));
    let result = run();
    INNERMOST.with(|innermost| innermost.set(outer));
    CALLBACKS.with(|callbacks| callbacks.borrow_mut().pop());
    result
}

/// The callback that this thread is inside. It does not allocate.
pub(crate) fn innermost() -> Option<Callback> {
    INNERMOST.with(Cell::get)
}

/// The callbacks that this thread is inside, the innermost last.
pub(crate) fn callbacks() -> Vec<Callback> {
    CALLBACKS.with(|callbacks| callbacks.borrow().clone())
}

/// The number of the binding whose callback this thread is inside, if it is inside one: so that a
/// module under test can tell which of its bindings is being made.
#[must_use]
pub fn current_binding() -> Option<u64> {
    CALLBACKS.with(|callbacks| callbacks.borrow().last().map(|callback| callback.binding))
}
