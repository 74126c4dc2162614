//! The conversation with a machine when nobody looks: under `verify=light`, as long as there is no
//! record and no call is watched. It is the same conversation, and nothing else.

use nmr_sys::NTSTATUS;

use super::Shell;
use super::lane::Lane;
use crate::callback;
use crate::instances;
use crate::machine::{Action, Event, Handle, Machine, Task};
use crate::module::Module;
use crate::policy::{MemoryChecks, Verify};
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
        let mut task = Task::default();
        let thread = thread::current();
        let mut machine = lane.machine();
        let action = self.step(&mut machine, &mut task, Event::Register { module, thread });
        task.registered.into_iter().for_each(publish);
        self.converse(lane, machine, &mut task, action, function)
    }

    /// Runs one of the functions that take a handle.
    pub(crate) fn call_lightly(
        self: &Arc<Self>,
        handle: Option<Handle>,
        task: &mut Task,
        event: Event,
        function: &'static str,
    ) -> NTSTATUS {
        let lane = self.lane_named(handle);
        let mut machine = lane.machine();
        let action = machine.step(task, event);
        self.converse(lane, machine, task, action, function)
    }

    /// Carries out actions until the call returns.
    fn converse<'a>(
        self: &'a Arc<Self>,
        lane: &'a Lane,
        mut machine: MutexGuard<'a, Machine>,
        task: &mut Task,
        mut action: Action,
        function: &'static str,
    ) -> NTSTATUS {
        let mut stay = None;
        loop {
            if machine.has_news() {
                machine = self.tell_news(lane, machine, function);
            }
            drop(machine);
            let event = match action {
                Action::Return(status) => return status,
                Action::Block { registration } => {
                    self.block(registration, &Entry::of_function(function));
                    Event::WaitAgain { registration }
                }
                Action::Defer { binding } => {
                    self.worker.hand_over(self, binding);
                    Event::CleanupDeferred
                }
                Action::ClientAttach { .. } | Action::ProviderAttach { .. } => {
                    stay.get_or_insert_with(|| instances::stay(self));
                    callback::run(&action)
                }
                Action::Detach { .. } | Action::Cleanup { .. } => {
                    stay.get_or_insert_with(|| instances::stay(self));
                    let _level = self.raise_for(Callback::Detach);
                    callback::run(&action)
                }
            };
            machine = lane.machine();
            action = machine.step(task, event);
        }
    }

    /// Wakes those who wait, and reports what was found on the way.
    #[cold]
    fn tell_news<'a>(
        &self,
        lane: &'a Lane,
        mut machine: MutexGuard<'a, Machine>,
        function: &'static str,
    ) -> MutexGuard<'a, Machine> {
        if machine.take_wake() {
            lane.finished.notify_all();
        }
        let findings = machine.take_findings();
        if findings.is_empty() {
            return machine;
        }
        drop(machine);
        self.file(findings, function);
        lane.machine()
    }
}
