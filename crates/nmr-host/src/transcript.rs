//! Entries of the record: events and actions of the machine in a reader's form.

use nmr_machine::{Callback, Ends, Event, Identity, ModuleLabel, Role};
use nmr_sys::NTSTATUS;

use crate::record::Actor;
use crate::records::{Brief, Direction, Point};

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

    pub(crate) fn called(&self) -> Brief {
        self.record(Point::Call)
    }

    pub(crate) fn returned(&self, status: NTSTATUS) -> Brief {
        self.record(if self.returns {
            Point::Status(status)
        } else {
            Point::Return
        })
    }

    fn record(&self, moment: Point) -> Brief {
        let module = match self.caller {
            Actor::Module(module) => Some(module),
            Actor::Nmr | Actor::Unknown => None,
        };
        Brief::new(
            Direction::IntoNmr,
            module,
            self.function,
            self.binding,
            moment,
        )
    }
}

/// A callback returned, of the binding with these ends.
pub(crate) fn event(ends: &Ends, event: &Event<'_>) -> Option<(Callback, Brief)> {
    let (role, callback, moment) = match *event {
        Event::ClientAttachReturned { status, .. } => {
            (Role::Client, Callback::Attach, Point::Status(status))
        }
        Event::DetachReturned { role, status, .. } => {
            (role, Callback::Detach, Point::Status(status))
        }
        Event::CleanupReturned { role, .. } => (role, Callback::Cleanup, Point::Return),
        _ => return None,
    };
    Some((callback, record(ends, role, callback, moment)))
}

/// A moment of a callback.
pub(crate) fn record(ends: &Ends, role: Role, callback: Callback, moment: Point) -> Brief {
    let (module, function) = (Some(ends.module(role)), callback.name(role));
    Brief::new(
        Direction::IntoModule,
        module,
        function,
        Some(ends.serial),
        moment,
    )
}
