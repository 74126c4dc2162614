//! Facts about threads that programs report to the registrar, because it cannot see them.

use std::marker::PhantomData;

use nmr_machine::{Callback, Rule};

use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL};
use crate::thread;

/// A thread's stay in the code of modules, other than in a callback: in a work item, or in a function
/// of a dispatch table.
#[must_use = "dropping this ends the visit"]
#[derive(Debug)]
pub struct Visit {
    thread: PhantomData<*const ()>,
}

impl Visit {
    /// This thread enters the code of a module, which something keeps loaded meanwhile: an I/O work item
    /// references its device, and a peer that calls waits for its call.
    pub fn enter() -> Self {
        thread::enter(None);
        Self {
            thread: PhantomData,
        }
    }

    /// This thread enters the code of a module and holds no reference that keeps it loaded: a thread of the
    /// driver's own, a timer, a work item of `ExQueueWorkItem`. A wait that returns while such a thread
    /// is still in the visit in which it has completed a detach is reported (V-83).
    pub fn enter_unreferenced() -> Self {
        thread::enter_unreferenced();
        Self {
            thread: PhantomData,
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        thread::leave();
    }
}

/// To be called by whatever stands for a service that blocks: it is reported if it is called at
/// `DISPATCH_LEVEL` inside a detach or cleanup callback (V-52).
pub fn may_block() {
    if irql::current() < DISPATCH_LEVEL {
        return;
    }
    let callback = thread::callback();
    if let Some(callback) = callback.filter(|callback| callback.kind != Callback::Attach) {
        instances::current().report_callback(Rule::V52, &callback);
    }
}
