//! Calls into the NMR that are in progress.
//!
//! Each is a conversation of its own. A call that a callback makes is one too, beside the call that
//! waits for the callback: where the machine is concerned, nesting only leaves fewer orders than
//! two threads have. `NmrClientAttachProvider` is really nested, as the contract wants: its offer
//! cannot be answered before it has returned.

use super::setup::{Id, Pair};
use crate::module::Role;
use crate::{Key, Offer, Task};

/// Which call it is. At most one of each is in progress.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Caller {
    Register(Id),
    Attach(Pair),
    Deregister(Id),
    Complete(Pair, Role),
    Wait(Id),
    Worker,
}

impl Caller {
    /// The module whose registration it is about.
    pub(super) fn module(self) -> Option<Id> {
        match self {
            Self::Register(id) | Self::Deregister(id) | Self::Wait(id) => Some(id),
            Self::Attach(_) | Self::Complete(..) | Self::Worker => None,
        }
    }
}

/// A call in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) task: Task,
    pub(super) now: Now,
}

/// What a call is doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Now {
    Inside(Inside),
    /// It has handed a cleanup to the worker.
    Deferred,
    /// It waits for the end of a registration.
    Asleep(Key),
    /// It was woken.
    Awake(Key),
}

/// A callback that is running.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside {
    pub(super) kind: Kind,
    pub(super) pair: Pair,
    pub(super) binding: Key,
    /// What the thread of a client's attach callback knows of its offer.
    pub(super) offer: Option<Offer>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Attach(Role),
    Detach(Role),
    Cleanup(Role),
}
