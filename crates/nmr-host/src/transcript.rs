//! Notes for the record: what an event or an action of the machine looks like to a reader.

use nmr_sys::NTSTATUS;

use crate::machine::{Action, Event, Key, Machine};
use crate::module::{Module, ModuleLabel, Role};
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
    /// Whether the function returns a status.
    pub(crate) returns: bool,
}

impl Entry {
    /// Of a function of which nobody knows who has called it.
    pub(crate) fn of_function(function: &'static str) -> Self {
        Self {
            function,
            caller: Actor::Unknown,
            binding: None,
            peer: None,
            returns: false,
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

/// A callback returned.
pub(crate) fn event(machine: &Machine, event: &Event) -> Option<(Callback, Note)> {
    match *event {
        Event::ClientAttachReturned { binding, status } => returned(
            machine,
            binding,
            Role::Client,
            Callback::Attach,
            Moment::Status(status),
        ),
        Event::ProviderAttachReturned { binding, answer } => {
            let moment = Moment::Status(answer.status);
            returned(machine, binding, Role::Provider, Callback::Attach, moment)
        }
        Event::DetachReturned {
            binding,
            role,
            status,
        } => returned(
            machine,
            binding,
            role,
            Callback::Detach,
            Moment::Status(status),
        ),
        Event::CleanupReturned { binding, role } => returned(
            machine,
            binding,
            role,
            Callback::Cleanup,
            Moment::Return("".into()),
        ),
        _ => None,
    }
}

/// The name of the callback that an event is the return of.
pub(crate) fn callback(event: &Event) -> Option<&'static str> {
    Some(match *event {
        Event::ClientAttachReturned { .. } => Callback::Attach.name(Role::Client),
        Event::ProviderAttachReturned { .. } => Callback::Attach.name(Role::Provider),
        Event::DetachReturned { role, .. } => Callback::Detach.name(role),
        _ => return None,
    })
}

/// A callback is about to be called.
pub(crate) fn action(machine: &Machine, action: &Action) -> Option<(Callback, Note)> {
    let (binding, module, callback) = calls(action)?;
    let serial = machine.describe(binding).map(|(serial, ..)| serial);
    Some(note(
        serial,
        module.label,
        callback,
        Moment::Call("".into()),
    ))
}

/// The callback that an action calls: of which binding and which module, and which it is.
pub(crate) fn calls(action: &Action) -> Option<(Key, &Module, Callback)> {
    Some(match action {
        Action::ClientAttach {
            binding, client, ..
        } => (*binding, client, Callback::Attach),
        Action::ProviderAttach {
            binding, provider, ..
        } => (*binding, provider, Callback::Attach),
        Action::Detach {
            binding, module, ..
        } => (*binding, module, Callback::Detach),
        Action::Cleanup {
            binding, module, ..
        } => (*binding, module, Callback::Cleanup),
        Action::Return(_) | Action::Block { .. } | Action::Defer { .. } => return None,
    })
}

fn returned(
    machine: &Machine,
    binding: Key,
    role: Role,
    callback: Callback,
    moment: Moment,
) -> Option<(Callback, Note)> {
    let (serial, client, provider) = machine.describe(binding)?;
    let module = if role == Role::Client {
        client
    } else {
        provider
    };
    Some(note(Some(serial), module.label, callback, moment))
}

fn note(
    binding: Option<u64>,
    module: ModuleLabel,
    callback: Callback,
    moment: Moment,
) -> (Callback, Note) {
    let note = Note {
        caller: Actor::Nmr,
        callee: Actor::Module(module),
        function: callback.name(module.role).into(),
        binding,
        moment,
    };
    (callback, note)
}

/// One of the three callbacks of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Callback {
    Attach,
    Detach,
    Cleanup,
}

impl Callback {
    /// Its name in the NMR's manual.
    pub(crate) fn name(self, role: Role) -> &'static str {
        match (role, self) {
            (Role::Client, Self::Attach) => "ClientAttachProvider",
            (Role::Client, Self::Detach) => "ClientDetachProvider",
            (Role::Client, Self::Cleanup) => "ClientCleanupBindingContext",
            (Role::Provider, Self::Attach) => "ProviderAttachClient",
            (Role::Provider, Self::Detach) => "ProviderDetachClient",
            (Role::Provider, Self::Cleanup) => "ProviderCleanupBindingContext",
        }
    }
}
