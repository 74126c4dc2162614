//! The rules about the memory that modules lend: after each step the shell reports to the ledger what has
//! happened, and makes reports of what it answers. Only if the policy says `memory=checked`.

use nmr_machine::{
    Action, Callback, Event, Finding, Handle, Invocation, Key, Machine, Role, Rule, Task,
};
use nmr_sys::{NT_SUCCESS, NTSTATUS, Opaque, STATUS_PENDING, STATUS_SUCCESS};

use super::{Books, Shell};
use crate::memory::quarantine::Block;
use crate::memory::{Breach, Lent, LentMemory, Toucher, Watcher};
use crate::policy::{MemoryChecks, Policy};
use crate::report::Report;
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
    pub(super) fn of(machine: &Machine, event: &Event<'_>) -> Self {
        let (mut registration, mut binding) = (None, None);
        match *event {
            Event::Deregister { handle, role } | Event::Wait { handle, role } => {
                registration = machine.registration_of(handle, role);
            }
            Event::WaitAgain { registration: key } => registration = Some(key),
            Event::Complete { handle, role } => binding = machine.binding_of(handle, role),
            Event::ClientAttachReturned { binding: key, .. }
            | Event::DetachReturned { binding: key, .. }
            | Event::CleanupReturned { binding: key, .. }
            | Event::CleanupStarted { binding: key } => binding = Some(key),
            Event::Register { .. } | Event::CleanupDeferred => {}
        }
        Self {
            registration,
            binding,
        }
    }
}

/// A step of the machine, as the ledger gets to know it.
pub(super) struct Happened<'a> {
    pub(super) subject: Subject,
    pub(super) task: &'a Task,
    pub(super) event: &'a Event<'a>,
    pub(super) action: &'a Action,
}

impl Books {
    /// Writes down what a step means for the memory that modules lend, and reports what is wrong.
    pub(super) fn keep(
        &mut self,
        machine: &Machine,
        happened: &Happened<'_>,
        policy: &Policy,
        function: &'static str,
    ) {
        let breaches = self.book_event(happened, policy);
        self.report_breaches(&breaches, function, policy);
        let name = match happened.action {
            Action::Call(next) => next.callback.name(next.role),
            _ => function,
        };
        let next = self.book_action(machine, happened.action);
        self.report_breaches(&next, name, policy);
        if let Some(binding) = happened.subject.binding
            && machine.describe(binding).is_none()
        {
            self.ledger.end(binding);
        }
    }

    fn book_event(&mut self, happened: &Happened<'_>, policy: &Policy) -> Vec<Breach> {
        let Happened {
            subject,
            task,
            event,
            action,
        } = happened;
        let (ledger, layouts) = (&mut self.ledger, &self.layouts);
        match (**event, subject.registration, subject.binding) {
            (Event::Register { module, .. }, ..) => {
                let registered = task.registered.map(Handle::key);
                let layout = layouts.get(&module.npi);
                let specific = layout.and_then(|layout| layout.side(module.role()).characteristics);
                return registered.map_or_else(Vec::new, |key| ledger.open(key, module, specific));
            }
            (Event::Deregister { .. }, Some(key), _) => {
                let failed = matches!(**action, Action::Return(status) if status != STATUS_PENDING);
                ledger.refuse(key, failed);
            }
            (Event::Wait { .. } | Event::WaitAgain { .. }, Some(key), _) => {
                if matches!(**action, Action::Return(STATUS_SUCCESS)) {
                    return ledger.close(key);
                }
            }
            (Event::Complete { role, .. }, _, Some(binding)) => {
                ledger.complete(binding, role, thread::current());
            }
            (
                Event::ClientAttachReturned {
                    binding, status, ..
                },
                ..,
            ) => {
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
        let Invocation {
            binding,
            role,
            callback,
        } = match *action {
            Action::Call(invocation) => invocation,
            Action::Defer { binding } => {
                self.ledger.give_back(binding);
                return Vec::new();
            }
            Action::Return(_) | Action::Block { .. } => return Vec::new(),
        };
        let mut breaches = self.look(machine, binding);
        match callback {
            Callback::Attach => {}
            Callback::Detach => breaches.extend(self.ledger.look_at_tables(binding)),
            Callback::Cleanup => {
                breaches.extend(self.ledger.look_at_tables(binding));
                self.ledger.clean_up(binding, role);
            }
        }
        breaches
    }

    /// Looks at what the modules of a binding lend.
    fn look(&mut self, machine: &Machine, binding: Key) -> Vec<Breach> {
        let serial = machine.describe(binding).map(|ends| ends.serial);
        let registrations = machine.registrations_of(binding);
        registrations
            .flat_map(|registration| self.ledger.look(registration, serial))
            .collect()
    }

    /// One end of a binding begins to lend its context and its table.
    fn lend(
        &mut self,
        machine: &Machine,
        binding: Key,
        role: Role,
        passed: (Opaque, Opaque),
    ) -> Vec<Breach> {
        let Some(opening) = machine.opening(binding, role, passed) else {
            return Vec::new();
        };
        let layout = self.layouts.get(&opening.module.npi);
        let table = layout.and_then(|layout| layout.side(role).table.as_ref());
        let size = table.and_then(|table| table.size.at(opening.dispatch));
        self.ledger.attach(binding, opening, size)
    }

    fn report_breaches(&mut self, breaches: &[Breach], function: &'static str, policy: &Policy) {
        for breach in breaches {
            let report = self.report_breach(breach, function, policy);
            self.reports.push(report);
        }
    }

    fn report_breach(&self, breach: &Breach, function: &'static str, policy: &Policy) -> Report {
        let report = self.report(breach.finding, function, policy.mode);
        Report {
            memory: Some(breach.memory.clone()),
            ..report
        }
    }
}

impl Shell {
    /// A provider is about to be asked, by a client that passes this.
    pub(super) fn keep_asking(&self, binding: Key, passed: (Opaque, Opaque)) {
        self.keep_of_attach(binding, |books, machine| {
            let mut breaches = books.look(machine, binding);
            breaches.extend(books.lend(machine, binding, Role::Client, passed));
            breaches
        });
    }

    /// It has answered, and this is what the client gets.
    pub(super) fn keep_answer(&self, binding: Key, attached: Result<(Opaque, Opaque), NTSTATUS>) {
        self.keep_of_attach(binding, |books, machine| {
            let Ok(passed) = attached else {
                books.ledger.forget(binding, Role::Client);
                return Vec::new();
            };
            let breaches = books.lend(machine, binding, Role::Provider, passed);
            books.ledger.accept(binding);
            breaches
        });
    }

    fn keep_of_attach(&self, binding: Key, keep: impl FnOnce(&mut Books, &Machine) -> Vec<Breach>) {
        if self.checks_memory() {
            let mut books = self.books();
            let machine = self.machine(binding);
            let breaches = keep(&mut books, &machine);
            drop(machine);
            self.report_lent(books, &breaches, Callback::Attach.name(Role::Provider));
        }
    }

    pub(super) fn checks_memory(&self) -> bool {
        self.policy.memory == MemoryChecks::Checked
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
        books.report_breaches(breaches, function, &self.policy);
        self.announce(books);
    }
}

impl Watcher for Shell {
    fn freed(&self, block: &Block) {
        let mut books = self.books();
        let breaches = books.ledger.freed(block);
        let function = thread::callback().map_or("a free", |callback| callback.function());
        self.report_lent(books, &breaches, function);
    }

    fn freed_again(&self, block: &Block) {
        let callback = thread::callback();
        let finding = Finding {
            rule: Rule::V86,
            binding: callback.map(|callback| callback.binding),
            module: callback.map(|callback| callback.module),
            peer: callback.map(|callback| callback.peer),
            status: None,
        };
        let memory = LentMemory {
            lent: Lent::Memory,
            address: block.start,
            block: Some(block.clone()),
        };
        let function = callback.map_or("a free", |callback| callback.function());
        self.report_lent(self.books(), &[Breach { finding, memory }], function);
    }

    fn touched(&self, block: &Block, toucher: &Toucher) -> bool {
        let mut books = self.books();
        let (breaches, known) = books.ledger.touched(block, toucher.place.thread);
        let callback = toucher.place.callback;
        let function = callback.map_or("a touch of freed memory", |(function, _)| function);
        for breach in &breaches {
            let report = books.report_breach(breach, function, &self.policy);
            books.reports.push(Report {
                thread: toucher.place.thread,
                irql: toucher.irql,
                ..report
            });
        }
        self.announce(books);
        known
    }
}
