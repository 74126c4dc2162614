//! A call that is held: it has begun and does not reach its function before the detach callback of
//! the module that makes it has returned. So a detach meets a call in progress whenever a test wants
//! it to, and not when the threads happen to meet.

use std::time::Duration;

use nmr_sys::NTSTATUS;

use crate::held;
use crate::irql::{self, PASSIVE_LEVEL};
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use crate::thread::{self, ThreadNumber};
use nmr_machine::ModuleLabel;

/// A call between modules that is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldCall {
    /// The number of the binding.
    pub binding: u64,
    /// The module that calls.
    pub caller: ModuleLabel,
    /// The thread.
    pub thread: ThreadNumber,
    /// How many entries the [record](crate::Record) had. If calls are recorded, the last of this
    /// thread is the beginning of the call.
    pub recorded: u64,
}

/// The hold of a registrar: one call at a time.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
enum State {
    /// No call is wanted.
    #[default]
    Off,
    /// The next one is, after so many others.
    Wanted(u64),
    Held(HeldCall),
    /// The detach callback of its module has answered, and the registrar does not know yet.
    Answering(HeldCall, NTSTATUS),
    /// It knows. The call goes on.
    Answered(HeldCall, NTSTATUS),
}

impl Holds {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds the next call that can be held, after `skip` others.
    pub(crate) fn arm(&self, skip: u64) {
        *self.lock() = State::Wanted(skip);
    }

    /// Lets the call go on, and returns what its module's detach callback answered, if it did.
    pub(crate) fn release(&self) -> Option<NTSTATUS> {
        let before = std::mem::take(&mut *self.lock());
        self.bell.notify_all();
        match before {
            State::Answering(_, status) | State::Answered(_, status) => Some(status),
            State::Off | State::Wanted(_) | State::Held(_) => None,
        }
    }

    /// Waits until a call is held, or was.
    pub(crate) fn wait(&self, limit: Duration) -> Option<HeldCall> {
        let none = |state: &mut State| matches!(state, State::Wanted(_));
        let waited = self.bell.wait_timeout_while(self.lock(), limit, none);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Held(call) | State::Answering(call, _) | State::Answered(call, _) => Some(call),
            State::Off | State::Wanted(_) => None,
        }
    }

    /// A call has begun. Does not return before it may go on. A thread that holds a lock, is above
    /// `PASSIVE_LEVEL` or in a callback of the NMR is not held: the detach may need what it has. Nor
    /// is a call of a module whose detach callback was called: nothing would let it go on.
    pub(super) fn call_begins(
        &self,
        binding: u64,
        caller: ModuleLabel,
        recorded: impl Fn() -> u64,
        is_detaching: impl Fn() -> bool,
    ) {
        if irql::current() > PASSIVE_LEVEL || held::count() != 0 || thread::callback().is_some() {
            return;
        }
        let mut state = self.lock();
        match &mut *state {
            State::Wanted(0) => {}
            State::Wanted(skip) => {
                *skip -= 1;
                return;
            }
            State::Off | State::Held(_) | State::Answering(..) | State::Answered(..) => return,
        }
        if is_detaching() {
            return;
        }
        let call = HeldCall {
            binding,
            caller,
            thread: thread::current(),
            recorded: recorded(),
        };
        *state = State::Held(call);
        self.bell.notify_all();
        let held = |state: &mut State| match state {
            State::Held(own) | State::Answering(own, _) => *own == call,
            State::Off | State::Wanted(_) | State::Answered(..) => false,
        };
        drop(self.bell.wait_while(state, held));
    }

    /// A detach callback has returned.
    pub(super) fn detach_returned(&self, binding: u64, module: ModuleLabel, status: NTSTATUS) {
        let mut state = self.lock();
        if let State::Held(call) = *state
            && (call.binding, call.caller) == (binding, module)
        {
            *state = State::Answering(call, status);
        }
    }

    /// The registrar has taken note of what callbacks answered. Before, the call would complete a
    /// detach that is not pending yet.
    pub(super) fn answers_are_noted(&self) {
        let mut state = self.lock();
        if let State::Answering(call, status) = *state {
            *state = State::Answered(call, status);
            self.bell.notify_all();
        }
    }
}
