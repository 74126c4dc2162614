//! Exceptions as a driver's handlers see them, and those that a function of the kernel has raised.

pub(crate) mod context;
pub(crate) mod record;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::loaded::Loaded;
use super::report::Fault;

pub(crate) use context::Context;
pub(crate) use record::{Dispatcher, Exception, Pointers, Record};

/// An exception that a function of the kernel has raised.
#[derive(Debug)]
pub(crate) struct Raised {
    /// The driver that called the function.
    pub(crate) image: Arc<Loaded>,
    pub(crate) exception: Exception,
    /// What stops the host if the driver does not handle it.
    pub(crate) fault: Fault,
}

/// Where `__C_specific_handler` wants to go on: its own frame is the last to be unwound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) frame: usize,
    pub(crate) address: usize,
}

thread_local! {
    /// What the function that the thread is in has raised. The gate looks when the function returns.
    static RAISED: RefCell<Option<Raised>> = const { RefCell::new(None) };
    static TARGET: Cell<Option<Target>> = const { Cell::new(None) };
}

/// Raises an exception in the driver, at the return of the function that it has called. The function has to return
/// at once.
pub(crate) fn raise(raised: Raised) {
    RAISED.set(Some(raised));
}

/// Returns `true` if the function that returns has raised an exception.
pub(crate) fn is_raised() -> bool {
    RAISED.with_borrow(Option::is_some)
}

/// The exception that was raised.
pub(crate) fn take_raised() -> Option<Raised> {
    RAISED.take()
}

/// Asks for the unwinding to a handler, once the language handler has returned.
pub(crate) fn set_target(target: Target) {
    TARGET.set(Some(target));
}

/// What was asked for.
pub(crate) fn take_target() -> Option<Target> {
    TARGET.take()
}
