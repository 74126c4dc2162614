//! The conversation with a machine when nobody looks: under `verify=light`, as long as there is no
//! record and no call is watched. It is the same conversation, and nothing else.

use nmr_sys::NTSTATUS;

use super::Shell;
use super::lane::Lane;
use crate::callback;
use crate::instances;
use crate::machine::{Action, Event, Handle, Machine, Task};
use crate::module::Module;
use crate::policy::{MemoryChecks, Order, Verify};
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, MutexGuard};
use crate::thread;
use crate::transcript::{Callback, Entry};

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
        let lane = self.lane_of(&module.npi);
        let function = super::register_name(module.role());
        let thread = thread::current();
        let mut task = Task::default();
        let mut machine = lane.machine();
        let action = self.step(&mut machine, &mut task, Event::Register { module, thread });
        task.registered.into_iter().for_each(publish);
        match self.act(lane, machine, action, function) {
            Ok(status) => status,
            Err(event) => self.converse(lane, &mut task, event, function),
        }
    }

    /// Runs one of the functions that take a handle.
    pub(crate) fn call_lightly(
        self: &Arc<Self>,
        handle: Option<Handle>,
        task: &mut Task,
        event: Event,
        function: &'static str,
    ) -> NTSTATUS {
        self.converse(self.lane_named(handle), task, event, function)
    }

    /// Tells what happens and carries out the actions, until the call returns.
    fn converse(
        self: &Arc<Self>,
        lane: &Lane,
        task: &mut Task,
        first: Event,
        function: &'static str,
    ) -> NTSTATUS {
        let mut event = first;
        loop {
            let mut machine = lane.machine();
            let action = machine.step(task, event);
            match self.act(lane, machine, action, function) {
                Ok(status) => return status,
                Err(next) => event = next,
            }
        }
    }

    /// Carries out one action, without the lock. Returns what the call returns, or what happened.
    #[inline]
    fn act(
        self: &Arc<Self>,
        lane: &Lane,
        mut machine: MutexGuard<'_, Machine>,
        action: Action,
        function: &'static str,
    ) -> Result<NTSTATUS, Event> {
        // The machine has nothing to decide between the two cleanups of a binding, unless it is their
        // order, so both are fetched at once.
        let also = match action {
            Action::Cleanup { binding, .. } if self.policy.cleanup_order != Order::Seeded => {
                machine.take_cleanup(binding)
            }
            _ => None,
        };
        if machine.has_news() {
            self.tell_news(lane, machine, function);
        } else {
            drop(machine);
        }
        Err(match action {
            Action::Return(status) => return Ok(status),
            Action::Block { registration } => {
                self.block(registration, &Entry::of_function(function));
                Event::WaitAgain { registration }
            }
            Action::Defer { binding } => {
                self.worker.hand_over(self, binding);
                Event::CleanupDeferred
            }
            Action::ClientAttach { .. } | Action::ProviderAttach { .. } => {
                let _stay = instances::stay(self);
                callback::run(&action)
            }
            Action::Detach { .. } | Action::Cleanup { .. } => {
                let _stay = instances::stay(self);
                let _level = self.raise_for(Callback::Detach);
                let event = callback::run(&action);
                also.map_or(event, |other| callback::run(&other))
            }
        })
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
