//! Calls, each with its end.

use nmr_host::{Actor, Moment, Record, Role};
use nmr_sys::NTSTATUS;

use crate::trace::Trace;

/// A call and its end.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    begin: &'a Record,
    end: Option<&'a Record>,
    /// The call that this one is directly inside.
    outer: Option<&'a Record>,
}

impl Call<'_> {
    pub(crate) fn is(&self, function: &str) -> bool {
        self.begin.function == function
    }

    pub(crate) fn binding(&self) -> Option<u64> {
        self.begin.binding
    }

    /// The place of its beginning in the record.
    pub(crate) fn began(&self) -> u64 {
        self.begin.sequence
    }

    /// The place of its end, which is after everything else if there is none.
    pub(crate) fn ended(&self) -> u64 {
        self.end.map_or(u64::MAX, |end| end.sequence)
    }

    pub(crate) fn status(&self) -> Option<NTSTATUS> {
        match self.end?.moment {
            Moment::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The function that called, if it was recorded.
    pub(crate) fn is_inside(&self, function: &str) -> bool {
        self.outer.is_some_and(|outer| outer.function == function)
    }

    pub(crate) fn is_between_modules(&self) -> bool {
        self.begin.caller != Actor::Nmr && self.begin.callee != Actor::Nmr
    }

    /// Returns `true` if a module turned down its own call.
    pub(crate) fn is_refused(&self) -> bool {
        self.begin.caller == self.begin.callee
    }

    pub(crate) fn caller_role(&self) -> Option<Role> {
        role(self.begin.caller)
    }

    pub(crate) fn callee_role(&self) -> Option<Role> {
        role(self.begin.callee)
    }
}

fn role(actor: Actor) -> Option<Role> {
    match actor {
        Actor::Module(module) => Some(module.role),
        Actor::Nmr | Actor::Unknown => None,
    }
}

/// The calls of a trace, and which of them do not end, or ends do not begin.
pub(crate) fn pair<'a>(trace: &Trace<'a>) -> (Vec<Call<'a>>, Vec<String>) {
    let (mut calls, mut faults) = (Vec::new(), Vec::new());
    for step in &trace.steps {
        let (thread, function) = (step.record.thread, &step.record.function);
        match (step.is_call(), step.partner) {
            (true, None) => faults.push(format!("{function} does not return on {thread}")),
            (false, None) => faults.push(format!("{function} returns uncalled on {thread}")),
            _ => {}
        }
        if step.is_call() {
            calls.push(Call {
                begin: step.record,
                end: step.partner.map(|end| trace.steps[end].record),
                outer: step.outer.map(|outer| trace.steps[outer].record),
            });
        }
    }
    (calls, faults)
}
