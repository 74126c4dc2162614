//! What programs tell the registrar of their threads, because it cannot see it.

use std::marker::PhantomData;

use nmr_machine::{Callback, Rule};

use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL};
use crate::thread;

/// A thread's stay in the code of modules, other than in a callback: in a work item, or in a function
/// of a dispatch table. A wait that returns while a thread that has completed a detach is still in
/// the same visit is reported (V-83).
#[must_use = "dropping this ends the visit"]
#[derive(Debug)]
pub struct Visit {
    thread: PhantomData<*const ()>,
}

impl Visit {
    /// This thread enters the code of a module.
    pub fn enter() -> Self {
        thread::enter(None);
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
