//! The conversation with a machine when nobody looks: under `verify=light`, as long as there is no
//! record and no call is watched. It is the same conversation, and nothing else: fewer words, because
//! a thread tells of several callbacks at once where nobody can decide anything between them.

use nmr_machine::{
    Action, Callback, Callee, Event, Handle, Invocation, Key, Machine, Module, ProviderAnswer,
    Role, Task,
};
use nmr_sys::{NTSTATUS, Opaque, STATUS_SUCCESS};

use super::Shell;
use super::lane::Lane;
use super::offers::{self, Asked, Ended, Untold};
use crate::callback;
use crate::instances;
use crate::policy::{Cleanup, EarlyCompletion, MemoryChecks, Order, Policy, Verify};
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, MutexGuard};
use crate::thread;
use crate::transcript::Entry;

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
        module: &Module,
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
        let action = self.reserving(&mut machine, |machine| {
            machine.register(&mut task, module, thread)
        });
        task.registered.into_iter().for_each(publish);
        inside.converse(machine, &mut task, action)
    }

    /// Runs one of the functions that end a registration.
    pub(crate) fn end_lightly(
        self: &Arc<Self>,
        handle: Option<Handle>,
        function: &'static str,
        first: impl FnOnce(&mut Machine, &mut Task) -> Action,
    ) -> NTSTATUS {
        let fault = self.faults.end();
        fault.unwrap_or_else(|| self.call_lightly(handle, &mut Task::default(), function, first))
    }

    /// Runs one of the functions that take a handle.
    pub(crate) fn call_lightly(
        self: &Arc<Self>,
        handle: Option<Handle>,
        task: &mut Task,
        function: &'static str,
        first: impl FnOnce(&mut Machine, &mut Task) -> Action,
    ) -> NTSTATUS {
        let inside = Inside {
            shell: self,
            lane: self.lane_named(handle),
            function,
        };
        let mut machine = inside.lane.machine();
        let action = first(&mut machine, task);
        if let Action::Return(status) = action {
            inside.leave(machine);
            return status;
        }
        inside.converse(machine, task, action)
    }

    /// What a client gets whose provider was asked.
    #[expect(
        clippy::expect_used,
        reason = "`ask` says that the machine does not know, so this thread still has it to tell"
    )]
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
        let (action, attached) = self.told(handle, function, |machine, task| {
            tell(machine, task, handle, &untold)
        });
        let status = match action {
            Some(Action::Return(status)) => status,
            _ => STATUS_SUCCESS,
        };
        (status, attached)
    }

    /// Tells the machine what the provider has answered to an attach that it knows of.
    #[expect(
        clippy::unreachable,
        reason = "the machine does nothing more for an answer than to return it"
    )]
    fn tell_answer(
        &self,
        handle: Handle,
        answer: ProviderAnswer,
        function: &'static str,
    ) -> (NTSTATUS, Option<(Opaque, Opaque)>) {
        let (action, attached) = self.told(handle, function, |machine, task| {
            machine.provider_attach_returned(task, handle.key(), answer)
        });
        let Action::Return(status) = action else {
            unreachable!("an answer is returned to the client")
        };
        (status, attached)
    }

    /// Tells the machine of a binding something about its attach. Returns what it says, and what the
    /// client gets.
    fn told<T>(
        &self,
        handle: Handle,
        function: &'static str,
        tell: impl FnOnce(&mut Machine, &mut Task) -> T,
    ) -> (T, Option<(Opaque, Opaque)>) {
        let lane = self.lane(handle.key());
        let mut task = Task::default();
        let mut machine = lane.machine();
        let said = tell(&mut machine, &mut task);
        self.leave(lane, machine, function);
        (said, task.attached)
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
    answer.map(|answer| machine.provider_attach_returned(task, handle.key(), answer))
}

/// Tells how an offer has ended.
fn ended(machine: &mut Machine, task: &mut Task, handle: Handle, ended: &Ended) -> Action {
    match ended {
        Ended::Agreed(agreed) => machine.agreed(task, handle.key(), agreed),
        Ended::Returned(status, untold) => {
            if let Some(untold) = untold {
                tell(machine, task, handle, untold);
            }
            machine.client_attach_returned(task, handle.key(), *status)
        }
    }
}

/// A machine under its lock, and what it wants done.
type Told<'a> = (MutexGuard<'a, Machine>, Action);

impl<'a> Inside<'a> {
    /// Carries out actions until the call returns.
    fn converse(
        &self,
        mut machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        mut action: Action,
    ) -> NTSTATUS {
        let _stay = instances::stay(self.shell);
        loop {
            (machine, action) = match action {
                Action::Return(status) => {
                    self.leave(machine);
                    return status;
                }
                Action::Block { registration } => {
                    self.leave(machine);
                    let entry = Entry::of_function(self.function);
                    self.shell.block(registration, &entry);
                    self.tell(|machine| machine.wait_again(registration))
                }
                Action::Defer { binding } => {
                    self.leave(machine);
                    self.shell.worker.hand_over(self.shell, binding);
                    self.tell(|machine| machine.step(task, Event::CleanupDeferred))
                }
                Action::Call(Invocation {
                    binding,
                    role,
                    callback,
                }) => self.call(machine, task, binding, role, callback),
            };
        }
    }

    fn tell(&self, step: impl FnOnce(&mut Machine) -> Action) -> Told<'a> {
        let mut machine = self.lane.machine();
        let action = step(&mut machine);
        (machine, action)
    }

    /// Runs a callback, or several of which nobody needs to hear one by one, and tells of them. (What an
    /// invocation says comes piece by piece, because as a whole it would be copied first.)
    fn call(
        &self,
        mut machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        binding: Key,
        role: Role,
        callback: Callback,
    ) -> Told<'a> {
        let later = self.shell.tells_later;
        let mut second = None;
        match callback {
            Callback::Attach if role == Role::Client => return self.offer(machine, task, binding),
            Callback::Detach if later && machine.take_detach(binding, role.other()) => {
                return self.detach(machine, task, binding, role);
            }
            Callback::Cleanup if later => second = machine.take_cleanup(binding),
            _ => {}
        }
        let with_arguments = |it| (it, machine.arguments(it));
        let first = Invocation {
            binding,
            role,
            callback,
        };
        let (first, second) = (with_arguments(first), second.map(with_arguments));
        self.leave(machine);
        let level = self.shell.raise_for(callback);
        let event = callback::run(first.0, &first.1);
        let event = second.map_or(event, |(second, arguments)| {
            callback::run(second, &arguments)
        });
        drop(level);
        self.tell(|machine| machine.step(task, event))
    }

    /// Makes an offer. If the client accepts, the provider is asked before the machine hears of it.
    fn offer(&self, machine: MutexGuard<'a, Machine>, task: &mut Task, binding: Key) -> Told<'a> {
        let [client, provider] = machine.sides(binding);
        let judges = machine.judges_tables();
        self.leave(machine);
        let how = offers::make(&client, (!judges).then_some(provider));
        self.tell(|machine| ended(machine, task, client.handle, &how))
    }

    /// Asks both modules to detach, this one first, and cleans up if neither has anything left to do.
    fn detach(
        &self,
        machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        binding: Key,
        first: Role,
    ) -> Told<'a> {
        let ends = machine.ends(binding, first);
        self.leave(machine);
        let level = self.shell.raise_for(Callback::Detach);
        let answers = ends
            .each_ref()
            .map(|(callee, context)| (callee.role(), callback::detach(callee, *context)));
        let cleans_up = answers.iter().all(|&(_, status)| status == STATUS_SUCCESS);
        if cleans_up {
            self.clean_up(&ends);
        }
        drop(level);
        self.tell(|machine| machine.both_detached(task, binding, answers, cleans_up))
    }

    fn clean_up(&self, [first, second]: &[(Callee, Opaque); 2]) {
        let begins = match self.shell.policy.cleanup_order {
            Order::ProviderFirst => Role::Provider,
            Order::ClientFirst | Order::Seeded => Role::Client,
        };
        let turns = if first.0.role() == begins {
            [first, second]
        } else {
            [second, first]
        };
        for (callee, context) in turns {
            callback::clean_up(callee, *context);
        }
    }

    fn leave(&self, machine: MutexGuard<'_, Machine>) {
        self.shell.leave(self.lane, machine, self.function);
    }
}
