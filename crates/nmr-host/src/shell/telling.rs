//! Steps of a machine: a thread passes an event to it under the lock of its lane, and observers record it.

use nmr_machine::{Action, Ends, Event, Handle, Invocation, Machine, Task};

use super::Shell;
use super::lane::Lane;
use super::lending::{Happened, Subject};
use crate::records::Point;
use crate::sync::{Arc, MutexGuard};
use crate::transcript::{self, Entry};

/// A machine, under the lock of its lane.
pub(super) type Locked<'a> = MutexGuard<'a, Machine>;

/// A call into the NMR, as its thread carries it along.
pub(super) struct Conversation<'a> {
    pub(super) shell: &'a Arc<Shell>,
    pub(super) lane: &'a Lane,
    pub(super) entry: &'a Entry,
    task: Task,
    /// The ends of the binding whose callback is next, if calls are watched.
    pub(super) ends: Option<Ends>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(shell: &'a Arc<Shell>, lane: &'a Lane, entry: &'a Entry) -> Self {
        Self {
            shell,
            lane,
            entry,
            task: Task::default(),
            ends: None,
        }
    }

    /// Tells the machine what happened, under its lock, which is kept until the thread has got from the
    /// machine what it takes to go on. `publish` gets the handle of a registration under the same lock. The event
    /// is made where it is used, so that a step whose event is known does not go through memory.
    #[inline(always)]
    pub(super) fn tell<'e>(
        &mut self,
        event: impl Fn() -> Event<'e>,
        function: &'static str,
        publish: impl FnOnce(Handle),
    ) -> (Locked<'a>, Action) {
        if self.shell.is_watched() {
            return self.tell_watched(event(), function, publish);
        }
        self.ends = None;
        let mut machine = self.lane.machine();
        let action = self.shell.step(&mut machine, &mut self.task, event());
        if let Event::Register { .. } = event()
            && let Some(handle) = self.task.registered
        {
            publish(handle);
        }
        if machine.take_news() {
            machine = self.tell_news(machine, function);
        }
        (machine, action)
    }

    /// The same with observers: a record, a ledger, or the rules.
    #[inline(never)]
    fn tell_watched(
        &mut self,
        event: Event<'_>,
        function: &'static str,
        publish: impl FnOnce(Handle),
    ) -> (Locked<'a>, Action) {
        let (shell, lane) = (self.shell, self.lane);
        // What is written down follows the order of the steps, so its lock is taken before the step.
        let recording = shell.is_recording();
        let mut books = (recording || shell.checks_memory()).then(|| shell.books());
        let mut machine = lane.machine();
        if let (Some(ends), Some(books)) = (&self.ends, books.as_mut().filter(|_| recording))
            && let Some((callback, record)) = transcript::event(ends, &event)
        {
            shell.record_callback(books, callback, record);
        }
        let subject = shell.checks_memory().then(|| Subject::of(&machine, &event));
        let action = shell.step(&mut machine, &mut self.task, event);
        self.ends = None;
        if let Action::Call(Invocation {
            binding,
            role,
            callback,
        }) = action
        {
            self.ends = machine.describe(binding);
            if let (Some(ends), Some(books)) = (&self.ends, books.as_mut().filter(|_| recording)) {
                let record = transcript::record(ends, role, callback, Point::Call);
                shell.record_callback(books, callback, record);
            }
        }
        if let Event::Register { .. } = event
            && let Some(handle) = self.task.registered
        {
            publish(handle);
        }
        let Some(mut books) = books else {
            if machine.take_news() {
                machine = self.tell_news(machine, function);
            }
            return (machine, action);
        };
        if machine.take_news() {
            if machine.take_wake() {
                lane.wake();
            }
            let findings = machine.take_findings();
            shell.write_down(&mut books, findings, function, Some(self.entry));
        }
        if let Some(subject) = subject {
            let happened = Happened {
                subject,
                task: &self.task,
                event: &event,
                action: &action,
            };
            books.keep(&machine, &happened, &shell.policy, function);
        }
        if books.reports.has_news() || books.reports.lost() > 0 {
            drop(machine);
            shell.announce(books);
            machine = lane.machine();
        }
        (machine, action)
    }

    /// Wakes the waiting threads, and reports the findings. Meanwhile the machine is not locked: what it has said
    /// holds until it gets the outcome.
    #[cold]
    fn tell_news(&self, mut machine: Locked<'a>, function: &'static str) -> Locked<'a> {
        if machine.take_wake() {
            self.lane.wake();
        }
        let findings = machine.take_findings();
        if findings.is_empty() {
            return machine;
        }
        drop(machine);
        self.shell.file(findings, function, Some(self.entry));
        self.lane.machine()
    }
}

impl Shell {
    /// Lets go of the machine.
    #[inline(always)]
    pub(super) fn leave(&self, machine: Locked<'_>) {
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
