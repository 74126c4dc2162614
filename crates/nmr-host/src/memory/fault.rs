//! Faults at closed pages of the quarantine. The handler of the signal runs in
//! the middle of anything, perhaps on a small stack, so it does next to nothing: it wakes a thread
//! of the quarantine what happened and waits for the answer. That thread lets the registrars report.

use super::quarantine::{self, Place};
use crate::irql::{self, Irql};
use crate::stderr;

/// Who touched a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Toucher {
    pub(crate) place: Place,
    pub(crate) irql: Irql,
}

impl Toucher {
    /// This thread.
    pub(super) fn here() -> Self {
        Self {
            place: Place::here(),
            irql: irql::current(),
        }
    }
}

/// Lets the registrars report a touch. Returns whether the thread can go on.
pub(super) fn answer(address: usize, toucher: &Toucher) -> bool {
    let judge = || quarantine::judge(address, toucher);
    let (what, known) = quarantine::or_abort(judge);
    if known && quarantine::open(address) {
        return true;
    }
    stderr::line(format_args!("{}, {what}", toucher.place));
    false
}
