//! [`Detach`]: the module's own part of a detach.

use crate::counting::Counting;
use crate::dispatch::Dispatch;
use crate::gate::Gate;
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
pub struct Detach<D: Dispatch, G: Counting = Gate> {
    _hold: Hold<D, G>,
}

impl<D: Dispatch, G: Counting> Detach<D, G> {
    pub(crate) fn new(hold: Hold<D, G>) -> Self {
        Self { _hold: hold }
    }
}
