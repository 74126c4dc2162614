//! The conversation with a machine when nobody looks: under `verify=light`, as long as there is no
//! record and no call is watched. It is the same conversation, and nothing else: fewer words, because
//! a thread tells of several callbacks at once where nobody can decide anything between them.

use nmr_sys::{NTSTATUS, STATUS_SUCCESS};

use super::Shell;
use super::lane::Lane;
use super::offers::{self, Asked, Untold};
use crate::callback;
use crate::instances;
use crate::machine::{Action, Event, Handle, Key, Machine, ProviderAnswer, Task};
use crate::module::{Module, Opaque, Role};
use crate::policy::{Cleanup, EarlyCompletion, MemoryChecks, Order, Policy, Verify};
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, MutexGuard};
use crate::thread;
use crate::transcript::{Callback, Entry};

/// Whether a thread may tell of callbacks later: not if chance decides between two of them, if
/// somebody else runs the cleanups, or if it matters when a completion comes.
pub(super) fn may_tell_later(policy: &Policy) -> bool {
    policy.detach_order != Order::Seeded
        && policy.cleanup_order != Order::Seeded
        && policy.cleanup == Cleanup::Inline
        && policy.early_completion == EarlyCompletion::Remembered
}

/// A call while it is inside a machine.
struct Inside<'a> {
    shell: &'a Arc<Shell>,
    lane: &'a Lane,
    function: &'static str,
}

impl Shell {
    /// Whether nobody looks.
    pub(crate) fn is_light(&self) -> bool {
        self.light.load(Ordering::Relaxed)
    }

    /// Looks whether anybody looks. To be called whenever that may have changed.
    pub(super) fn update_light(&self) {
        let light = self.policy.verify == Verify::Light
            && self.policy.memory == MemoryChecks::Unchecked
            && self.policy.slow.is_none()
            && !self.is_recording()
            && !self.wrapped.is_on();
        self.light.store(light, Ordering::Relaxed);
    }

    /// Registers a module with whose characteristics nothing is wrong.
    pub(crate) fn register_lightly(
        self: &Arc<Self>,
        module: Module,
        publish: impl FnMut(Handle),
    ) -> NTSTATUS {
        let inside = Inside {
            shell: self,
            lane: self.lane_of(&module.npi),
            function: super::register_name(module.role()),
        };
        let thread = thread::current();
        let mut task = Task::default();
        let mut machine = inside.lane.machine();
        let action = self.step(&mut machine, &mut task, Event::Register { module, thread });
        task.registered.into_iter().for_each(publish);
        inside.converse(machine, &mut task, action)
    }

    /// Runs one of the functions that end a registration.
    pub(crate) fn end_lightly(
        self: &Arc<Self>,
        handle: Option<Handle>,
        event: Event,
        function: &'static str,
    ) -> NTSTATUS {
        let fault = self.faults.end();
        fault.unwrap_or_else(|| self.call_lightly(handle, &mut Task::default(), event, function))
    }

    /// Runs one of the functions that take a handle.
    pub(crate) fn call_lightly(
        self: &Arc<Self>,
        handle: Option<Handle>,
        task: &mut Task,
        event: Event,
        function: &'static str,
    ) -> NTSTATUS {
        let inside = Inside {
            shell: self,
            lane: self.lane_named(handle),
            function,
        };
        let mut machine = inside.lane.machine();
        let action = machine.step(task, event);
        inside.converse(machine, task, action)
    }

    /// What a client gets whose provider was asked.
    pub(crate) fn conclude(
        &self,
        handle: Handle,
        context: Opaque,
        asked: &Asked,
        function: &'static str,
    ) -> Result<(Opaque, Opaque), NTSTATUS> {
        let (status, attached) = if asked.is_known {
            self.tell_answer(handle, asked.answer, function)
        } else if let Some(result) = offers::plain(context, &asked.answer) {
            return result;
        } else {
            let untold = offers::take_untold(handle);
            let untold = untold.expect("the machine does not know of it");
            self.tell_attach(handle, untold, function)
        };
        attached.ok_or(status)
    }

    /// Tells the machine of an attach that it does not know of. Returns what the client is told.
    pub(crate) fn tell_attach(
        &self,
        handle: Handle,
        untold: Untold,
        function: &'static str,
    ) -> (NTSTATUS, Option<(Opaque, Opaque)>) {
        let lane = self.lane(handle.key);
        let mut task = Task::default();
        let mut machine = lane.machine();
        let action = tell(&mut machine, &mut task, handle, &untold);
        self.leave(lane, machine, function);
        let status = match action {
            Some(Action::Return(status)) => status,
            _ => STATUS_SUCCESS,
        };
        (status, task.attached)
    }

    /// Tells the machine what the provider has answered to an attach that it knows of.
    fn tell_answer(
        &self,
        handle: Handle,
        answer: ProviderAnswer,
        function: &'static str,
    ) -> (NTSTATUS, Option<(Opaque, Opaque)>) {
        let lane = self.lane(handle.key);
        let mut task = Task::default();
        let mut machine = lane.machine();
        let action = machine.provider_attach_returned(&mut task, handle.key, answer);
        self.leave(lane, machine, function);
        let Action::Return(status) = action else {
            unreachable!("an answer is returned to the client")
        };
        (status, task.attached)
    }

    /// Lets go of the machine.
    fn leave(&self, lane: &Lane, machine: MutexGuard<'_, Machine>, function: &'static str) {
        if machine.has_news() {
            self.tell_news(lane, machine, function);
        }
    }

    /// Wakes those who wait, and reports what was found on the way.
    #[cold]
    fn tell_news(&self, lane: &Lane, mut machine: MutexGuard<'_, Machine>, function: &'static str) {
        if machine.take_wake() {
            lane.wake();
        }
        let findings = machine.take_findings();
        drop(machine);
        if !findings.is_empty() {
            self.file(findings, function);
        }
    }
}

/// Tells of an attach, as far as it has come.
fn tell(machine: &mut Machine, task: &mut Task, handle: Handle, untold: &Untold) -> Option<Action> {
    let Untold {
        context,
        dispatch,
        answer,
    } = *untold;
    let asked = machine.attach_provider(Some(handle), thread::current(), context, dispatch);
    if let Action::Return(_) = asked {
        return Some(asked);
    }
    answer.map(|answer| machine.provider_attach_returned(task, handle.key, answer))
}

impl<'a> Inside<'a> {
    /// Carries out actions until the call returns.
    fn converse(
        &self,
        mut machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        mut action: Action,
    ) -> NTSTATUS {
        let mut stay = None;
        loop {
            let event = match action {
                Action::Return(status) => {
                    self.leave(machine);
                    return status;
                }
                Action::Block { registration } => {
                    self.leave(machine);
                    let entry = Entry::of_function(self.function);
                    self.shell.block(registration, &entry);
                    Event::WaitAgain { registration }
                }
                Action::Defer { binding } => {
                    self.leave(machine);
                    self.shell.worker.hand_over(self.shell, binding);
                    Event::CleanupDeferred
                }
                _ => {
                    stay.get_or_insert_with(|| instances::stay(self.shell));
                    (machine, action) = self.call(machine, task, &action);
                    continue;
                }
            };
            machine = self.lane.machine();
            action = machine.step(task, event);
        }
    }

    /// Runs a callback, or several of which nobody needs to hear one by one, and tells of them.
    fn call(
        &self,
        mut machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        action: &Action,
    ) -> (MutexGuard<'a, Machine>, Action) {
        let later = self.shell.tells_later;
        let (mut kind, mut also) = (Callback::Attach, None);
        match *action {
            Action::ClientAttach {
                binding,
                ref client,
                handle,
                provider,
            } => {
                let attach = || callback::attach_client(client, handle, provider);
                return self.offer(machine, task, (binding, handle), attach);
            }
            Action::Detach {
                binding,
                ref module,
                context,
            } => {
                kind = Callback::Detach;
                let role = module.role().other();
                let other = later.then(|| machine.take_detach(binding, role));
                if let Some(other) = other.flatten() {
                    return self.detach(machine, task, binding, [(*module, context), other]);
                }
            }
            Action::Cleanup { binding, .. } => {
                kind = Callback::Cleanup;
                also = later.then(|| machine.take_cleanup(binding)).flatten();
            }
            _ => {}
        }
        self.leave(machine);
        let level = self.shell.raise_for(kind);
        let event = callback::run(action);
        let event = also.map_or(event, |other| callback::run(&other));
        drop(level);
        let mut machine = self.lane.machine();
        let action = machine.step(task, event);
        (machine, action)
    }

    /// Makes an offer. If the client accepts, the provider is asked before the machine hears of it.
    fn offer(
        &self,
        machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        (binding, handle): (Key, Handle),
        attach: impl FnOnce() -> NTSTATUS,
    ) -> (MutexGuard<'a, Machine>, Action) {
        let counterpart = machine.counterpart(binding);
        self.leave(machine);
        let (status, untold) = match counterpart {
            Some(counterpart) => offers::make(handle, counterpart, attach),
            None => (attach(), None),
        };
        let mut machine = self.lane.machine();
        if let Some(untold) = untold {
            tell(&mut machine, task, handle, &untold);
        }
        let action = machine.client_attach_returned(task, binding, status);
        (machine, action)
    }

    /// Asks both modules to detach, in this order, and cleans up if neither has anything left to do.
    fn detach(
        &self,
        machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        binding: Key,
        ends: [(Module, Opaque); 2],
    ) -> (MutexGuard<'a, Machine>, Action) {
        self.leave(machine);
        let level = self.shell.raise_for(Callback::Detach);
        let returned = ends
            .each_ref()
            .map(|(module, context)| (module.role(), callback::detach(module, *context)));
        let detached = returned.iter().all(|&(_, status)| status == STATUS_SUCCESS);
        if detached {
            self.clean_up(&ends);
        }
        drop(level);
        let mut machine = self.lane.machine();
        let action = machine.both_detached(task, binding, returned, detached);
        (machine, action)
    }

    fn clean_up(&self, ends: &[(Module, Opaque); 2]) {
        let first = match self.shell.policy.cleanup_order {
            Order::ProviderFirst => Role::Provider,
            Order::ClientFirst | Order::Seeded => Role::Client,
        };
        for role in [first, first.other()] {
            let mut own = ends.iter().filter(|(module, _)| module.role() == role);
            if let Some((module, context)) = own.find(|(module, _)| module.has_cleanup()) {
                callback::clean_up(module, *context);
            }
        }
    }

    fn leave(&self, machine: MutexGuard<'_, Machine>) {
        self.shell.leave(self.lane, machine, self.function);
    }
}
