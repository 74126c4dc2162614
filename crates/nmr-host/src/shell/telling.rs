//! How a thread tells a machine what happens: under the lock of its lane, with what is written down of it.

use nmr_machine::{Action, Event, Handle, Machine, Task};

use super::Shell;
use super::lane::Lane;
use super::lending::{Happened, Subject};
use crate::sync::MutexGuard;
use crate::transcript;

/// A machine after a step, under its lock, and what it wants done.
pub(super) type Told<'a> = (MutexGuard<'a, Machine>, Action);

impl Shell {
    /// Tells a machine what happened, under its lock, which is kept until the thread has got from the
    /// machine what it takes to go on. `publish` gets the handle of a registration under the same lock. The event
    /// is made where it is used, so that a step whose event is known does not go through memory.
    #[inline(always)]
    pub(super) fn tell<'a, 'e>(
        &'a self,
        lane: &'a Lane,
        task: &mut Task,
        event: impl Fn() -> Event<'e>,
        function: &'static str,
        publish: impl FnOnce(Handle),
    ) -> Told<'a> {
        if self.is_watched() && (self.is_recording() || self.checks_memory()) {
            return self.tell_in_books(lane, task, event(), function, publish);
        }
        let mut machine = lane.machine();
        let action = self.step(&mut machine, task, event());
        if let Event::Register { .. } = event()
            && let Some(handle) = task.registered
        {
            publish(handle);
        }
        if machine.take_news() {
            machine = self.tell_news(lane, machine, function);
        }
        (machine, action)
    }

    /// The same where a record or a ledger is kept.
    #[inline(never)]
    fn tell_in_books<'a>(
        &'a self,
        lane: &'a Lane,
        task: &mut Task,
        event: Event<'_>,
        function: &'static str,
        publish: impl FnOnce(Handle),
    ) -> Told<'a> {
        // They follow the order of the steps, so they are locked before the step.
        let mut books = self.books();
        let mut machine = lane.machine();
        let recording = self.is_recording();
        if recording {
            self.note_callback(&mut books, transcript::event(&machine, &event));
        }
        let subject = self.checks_memory().then(|| Subject::of(&machine, &event));
        let action = self.step(&mut machine, task, event);
        if recording {
            self.note_callback(&mut books, transcript::action(&machine, &action));
        }
        let reported = books.reports.len();
        if machine.take_news() {
            if machine.take_wake() {
                lane.wake();
            }
            books.file(machine.take_findings(), function, self.policy.mode);
        }
        if let Some(subject) = subject {
            let happened = Happened {
                subject,
                task,
                event: &event,
                action: &action,
            };
            books.keep(&machine, &happened, &self.policy, function);
        }
        if let Event::Register { .. } = event
            && let Some(handle) = task.registered
        {
            publish(handle);
        }
        if books.reports.len() != reported || books.reports.lost() > 0 {
            drop(machine);
            self.announce(books, reported);
            machine = lane.machine();
        }
        (machine, action)
    }

    /// Wakes those who wait, and reports what was found. Meanwhile the machine is not locked: what it has said
    /// holds until it is told of the outcome.
    #[cold]
    fn tell_news<'a>(
        &self,
        lane: &'a Lane,
        mut machine: MutexGuard<'a, Machine>,
        function: &'static str,
    ) -> MutexGuard<'a, Machine> {
        if machine.take_wake() {
            lane.wake();
        }
        let findings = machine.take_findings();
        if findings.is_empty() {
            return machine;
        }
        drop(machine);
        self.file(findings, function);
        lane.machine()
    }

    /// Lets go of the machine.
    #[inline(always)]
    pub(super) fn leave(&self, machine: MutexGuard<'_, Machine>) {
        drop(machine);
        if self.is_watched() {
            // Nothing is locked any more.
            self.wrapped.answers_are_noted();
        }
    }

    #[inline(always)]
    fn step(&self, machine: &mut Machine, task: &mut Task, event: Event<'_>) -> Action {
        // Nothing else reserves memory.
        if let Event::Register { .. } = event
            && let Some(failure) = self.faults.reservations()
        {
            return Self::step_without_memory(machine, task, event, failure);
        }
        machine.step(task, event)
    }

    /// Takes a step in which a reservation of memory fails.
    #[cold]
    fn step_without_memory(
        machine: &mut Machine,
        task: &mut Task,
        event: Event<'_>,
        mut failure: MutexGuard<'_, Option<u64>>,
    ) -> Action {
        if let Some(skip) = *failure {
            machine.fail_reservation(skip);
        }
        let action = machine.step(task, event);
        *failure = machine.take_failure();
        action
    }
}
