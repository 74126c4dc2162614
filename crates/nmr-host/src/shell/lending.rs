//! The rules about the memory that modules lend: after each step the shell tells the ledger what has
//! happened, and makes reports of what it answers. Only if the policy says `memory=checked`.

use nmr_machine::{Action, Callback, Event, Handle, Invocation, Key, Machine, Role, Task};
use nmr_sys::{NT_SUCCESS, STATUS_PENDING, STATUS_SUCCESS};

use super::reporting::report;
use super::{Books, Shell};
use crate::memory::quarantine::Block;
use crate::memory::{Breach, Toucher};
use crate::policy::{MemoryChecks, Policy};
use crate::sync::MutexGuard;
use crate::thread;

/// What an event is about, as long as the machine still knows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subject {
    registration: Option<Key>,
    binding: Option<Key>,
}

impl Subject {
    /// To be asked before the step.
    pub(super) fn of(machine: &Machine, event: &Event) -> Self {
        let (mut registration, mut binding) = (None, None);
        match *event {
            Event::Deregister { handle, role } | Event::Wait { handle, role } => {
                registration = machine.registration_of(handle, role);
            }
            Event::WaitAgain { registration: key } => registration = Some(key),
            Event::Complete { handle, role } => binding = machine.binding_of(handle, role),
            Event::ClientAttachReturned { binding: key, .. }
            | Event::ProviderAttachReturned { binding: key, .. }
            | Event::DetachReturned { binding: key, .. }
            | Event::CleanupReturned { binding: key, .. }
            | Event::CleanupStarted { binding: key } => binding = Some(key),
            Event::Register { .. }
            | Event::AttachProvider { .. }
            | Event::AttachFails { .. }
            | Event::CleanupDeferred => {}
        }
        Self {
            registration,
            binding,
        }
    }
}

impl Books {
    /// Writes down what a step means for the memory that modules lend, and reports what is wrong.
    #[expect(clippy::too_many_arguments, reason = "all that a step is about")]
    pub(super) fn keep(
        &mut self,
        machine: &Machine,
        subject: Subject,
        task: &Task,
        event: &Event,
        action: &Action,
        policy: &Policy,
        function: &'static str,
    ) {
        let happened = self.book_event(machine, subject, task, event, action, policy);
        self.report_breaches(&happened, function, policy);
        let name = match action {
            Action::Call(next) => next.callback.name(next.role),
            _ => function,
        };
        let next = self.book_action(machine, action);
        self.report_breaches(&next, name, policy);
        if let Some(binding) = subject.binding
            && machine.describe(binding).is_none()
        {
            self.ledger.end(binding);
        }
    }

    fn book_event(
        &mut self,
        machine: &Machine,
        subject: Subject,
        task: &Task,
        event: &Event,
        action: &Action,
        policy: &Policy,
    ) -> Vec<Breach> {
        let ledger = &mut self.ledger;
        match (*event, subject.registration, subject.binding) {
            (Event::Register { module, .. }, ..) => {
                let registered = task.registered.map(Handle::key);
                return registered.map_or_else(Vec::new, |key| ledger.open(key, &module));
            }
            (Event::Deregister { .. }, Some(key), _) => {
                let failed = matches!(*action, Action::Return(status) if status != STATUS_PENDING);
                ledger.refuse(key, failed);
            }
            (Event::Wait { .. } | Event::WaitAgain { .. }, Some(key), _) => {
                if matches!(*action, Action::Return(STATUS_SUCCESS)) {
                    return ledger.close(key);
                }
            }
            (Event::Complete { role, .. }, _, Some(binding)) => {
                ledger.complete(binding, role, thread::current());
            }
            (Event::ProviderAttachReturned { binding, .. }, ..) => {
                if task.attached.is_none() {
                    ledger.forget(binding, Role::Client);
                } else if let Some(opening) = machine.opening(binding, Role::Provider) {
                    let breaches = ledger.attach(binding, opening);
                    ledger.accept(binding);
                    return breaches;
                }
            }
            (Event::ClientAttachReturned { binding, status }, ..) => {
                if NT_SUCCESS(status) || policy.cleanup_failed_client {
                    ledger.settle(binding);
                } else {
                    ledger.forget(binding, Role::Client);
                }
            }
            (Event::CleanupReturned { binding, role }, ..) => ledger.finish(binding, role),
            _ => {}
        }
        Vec::new()
    }

    /// Looks at what is lent before a callback is called.
    fn book_action(&mut self, machine: &Machine, action: &Action) -> Vec<Breach> {
        let ledger = &mut self.ledger;
        let Invocation {
            binding,
            role,
            callback,
        } = match *action {
            Action::Call(invocation) => invocation,
            Action::Defer { binding } => {
                ledger.give_back(binding);
                return Vec::new();
            }
            Action::Return(_) | Action::Block { .. } => return Vec::new(),
        };
        let serial = machine.describe(binding).map(|(serial, ..)| serial);
        let mut breaches = Vec::new();
        for registration in machine.registrations_of(binding) {
            breaches.extend(ledger.look(registration, serial));
        }
        if callback != Callback::Attach {
            breaches.extend(ledger.look_at_tables(binding));
        }
        match callback {
            Callback::Attach if role == Role::Provider => {
                let opening = machine.opening(binding, Role::Client);
                breaches.extend(
                    opening.map_or_else(Vec::new, |opening| ledger.attach(binding, opening)),
                );
            }
            Callback::Cleanup => ledger.clean_up(binding, role),
            Callback::Attach | Callback::Detach => {}
        }
        breaches
    }

    fn report_breaches(&mut self, breaches: &[Breach], function: &'static str, policy: &Policy) {
        for breach in breaches {
            let mut report = report(breach.finding, function, policy.mode, &self.names);
            report.memory = Some(breach.memory.clone());
            self.reports.push(report);
        }
    }
}

impl Shell {
    pub(super) fn checks_memory(&self) -> bool {
        self.policy.memory == MemoryChecks::Checked
    }

    /// A block of the quarantine was freed on this thread.
    pub(crate) fn freed(&self, block: &Block) {
        let mut books = self.books();
        let breaches = books.ledger.freed(block);
        let function = thread::callback().map_or("a free", |callback| callback.function());
        self.report_lent(books, &breaches, function);
    }

    /// A freed block of the quarantine was touched. Returns whether a report explains that.
    pub(crate) fn touched(&self, block: &Block, toucher: &Toucher) -> bool {
        let mut books = self.books();
        let (breaches, known) = books.ledger.touched(block, toucher.place.thread);
        let callback = toucher.place.callback;
        let function = callback.map_or("a touch of freed memory", |(function, _)| function);
        let reported = books.reports.len();
        books.report_breaches(&breaches, function, &self.policy);
        for report in books.reports.since_mut(reported) {
            (report.thread, report.irql) = (toucher.place.thread, toucher.irql);
        }
        self.announce(books, reported);
        known
    }

    /// Looks at what the registrations lend that were not closed, and for contexts that their
    /// modules have never freed.
    pub(crate) fn look_at_the_end(&self) {
        let mut books = self.books();
        let mut breaches = books.ledger.look_at_all();
        breaches.extend(books.ledger.take_unfreed(None));
        self.report_lent(books, &breaches, "finish");
    }

    /// Reports the binding contexts among these that should have been freed.
    pub(crate) fn report_unfreed(&self, contexts: &[usize]) {
        let mut books = self.books();
        let breaches = books.ledger.take_unfreed(Some(contexts));
        self.report_lent(books, &breaches, "the unload");
    }

    fn report_lent(
        &self,
        mut books: MutexGuard<'_, Books>,
        breaches: &[Breach],
        function: &'static str,
    ) {
        let reported = books.reports.len();
        books.report_breaches(breaches, function, &self.policy);
        self.announce(books, reported);
    }
}
