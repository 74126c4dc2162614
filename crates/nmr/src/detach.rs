//! [`Detach`]: the module's own part of a detach.

use crate::dispatch::Dispatch;
use crate::link::Hold;

/// A detach that the module has not finished yet.
///
/// [`Module::detaching`](crate::Module::detaching) gets it and may simply drop it. A module that
/// has to wait, or to do something at `PASSIVE_LEVEL`, keeps it and drops it when that is done, on
/// any thread, at most at `DISPATCH_LEVEL`. If nothing else is in progress then, the drop completes
/// the detach, and the cleanup of both modules may run inside it.
///
/// Until it is dropped, the end of both registrations waits.
#[must_use = "the detach is not complete before this is dropped"]
pub struct Detach<D: Dispatch> {
    _hold: Hold<D>,
}

impl<D: Dispatch> Detach<D> {
    pub(crate) fn new(hold: Hold<D>) -> Self {
        Self { _hold: hold }
    }
}
