//! Notes for the record: what an event or an action of the machine looks like to a reader.

use nmr_machine::{Callback, Ends, Event, Identity, ModuleLabel, Role};
use nmr_sys::NTSTATUS;

use crate::record::{Actor, Moment, Note};

/// A call of one of the nine functions, as the thread that makes it carries it along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The function.
    pub(crate) function: &'static str,
    /// The module that calls it, or whose binding the worker cleans up.
    pub(crate) caller: Actor,
    /// The number of the binding that the call is about.
    pub(crate) binding: Option<u64>,
    /// The other module of the binding.
    pub(crate) peer: Option<ModuleLabel>,
    /// The value that it got as a handle.
    pub(crate) handle: usize,
    /// Whether the function returns a status.
    pub(crate) returns: bool,
}

impl Entry {
    /// Of a function whose caller is unknown.
    pub(crate) fn of_function(function: &'static str) -> Self {
        Self {
            function,
            caller: Actor::Unknown,
            binding: None,
            peer: None,
            handle: 0,
            returns: false,
        }
    }

    /// Of a function that takes a handle of this value, which leads to this.
    pub(crate) fn of_handle(
        function: &'static str,
        handle: usize,
        found: Option<Identity>,
    ) -> Self {
        Self {
            handle,
            caller: found.map_or(Actor::Unknown, |found| Actor::Module(found.module)),
            binding: found.and_then(|found| found.binding),
            peer: found.and_then(|found| found.peer),
            returns: true,
            ..Self::of_function(function)
        }
    }

    /// For a report that a tool makes.
    pub(crate) fn of_tool(module: Option<ModuleLabel>, function: &'static str) -> Self {
        Self {
            caller: module.map_or(Actor::Unknown, Actor::Module),
            ..Self::of_function(function)
        }
    }

    pub(crate) fn called(&self) -> Note {
        self.note(Moment::Call("".into()))
    }

    pub(crate) fn returned(&self, status: NTSTATUS) -> Note {
        self.note(if self.returns {
            Moment::Status(status)
        } else {
            Moment::Return("".into())
        })
    }

    fn note(&self, moment: Moment) -> Note {
        Note {
            caller: self.caller,
            callee: Actor::Nmr,
            function: self.function.into(),
            binding: self.binding,
            moment,
        }
    }
}

/// A callback returned, of the binding with these ends.
pub(crate) fn event(ends: &Ends, event: &Event<'_>) -> Option<(Callback, Note)> {
    let (role, callback, moment) = match *event {
        Event::ClientAttachReturned { status, .. } => {
            (Role::Client, Callback::Attach, Moment::Status(status))
        }
        Event::DetachReturned { role, status, .. } => {
            (role, Callback::Detach, Moment::Status(status))
        }
        Event::CleanupReturned { role, .. } => (role, Callback::Cleanup, Moment::Return("".into())),
        _ => return None,
    };
    Some((callback, note(ends, role, callback, moment)))
}

/// A moment of a callback.
pub(crate) fn note(ends: &Ends, role: Role, callback: Callback, moment: Moment) -> Note {
    Note {
        caller: Actor::Nmr,
        callee: Actor::Module(ends.module(role)),
        function: callback.name(role).into(),
        binding: Some(ends.serial),
        moment,
    }
}
