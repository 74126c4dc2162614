//! The threaded shell around the machines: a lock for each, never held across a callback (I-6). It
//! carries out what a machine says, keeps the record and the reports, and blocks the threads that
//! wait.

mod asking;
mod calling;
mod completing;
mod lane;
mod lending;
mod offers;
mod reading;
mod reporting;
mod waiting;
mod watching;
mod wrapping;

use std::any::Any;
use std::collections::HashMap;

use nmr_machine::{
    Action, Arguments, Callback, Callee, Ends, Event, Handle, Key, Machine, Module, ModuleId,
    Noted, Offer, Role, Side, Task,
};
use nmr_sys::{NTSTATUS, Opaque, STATUS_INSUFFICIENT_RESOURCES};

use crate::callback;
use crate::faults::Faults;
use crate::memory::Ledger;
use crate::policy::{Policy, Verify};
use crate::record::{Note, Record};
use crate::report::Report;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::transcript::{self, Entry};
use crate::worker::Worker;
use crate::wrapped::Wrapped;
use completing::Completer;
use lane::Lane;
use lending::{Happened, Subject};
pub(crate) use reporting::Listen;
use reporting::Listener;

/// A registrar, shared by all threads that are inside it.
///
/// Who needs both takes the lock of the books before that of a lane.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) instance: u32,
    pub(crate) policy: Policy,
    pub(crate) faults: Faults,
    lanes: Box<[Lane]>,
    books: Mutex<Books>,
    recording: AtomicBool,
    /// Whether anybody looks.
    watched: AtomicBool,
    worker: Worker,
    wrapped: Wrapped,
    listener: Listener,
}

/// What is written down of all lanes.
#[derive(Debug, Default)]
struct Books {
    ledger: Ledger,
    names: HashMap<ModuleId, String>,
    records: Vec<Record>,
    reports: Noted<Report>,
    /// How many lost reports were told of.
    known_lost: u64,
    /// The threads that have completed a detach and have not left the code that did.
    completers: Vec<Completer>,
}

impl Books {
    fn note(&mut self, note: Note) {
        let sequence = self.records.len() as u64;
        self.records.push(note.at(sequence));
    }
}

impl Shell {
    pub(crate) fn new(instance: u32, policy: Policy) -> Self {
        Self {
            instance,
            faults: Faults::at(policy.fault, STATUS_INSUFFICIENT_RESOURCES),
            lanes: Lane::all(instance, &policy),
            policy,
            books: Mutex::default(),
            recording: AtomicBool::new(true),
            watched: AtomicBool::new(true),
            worker: Worker::default(),
            wrapped: Wrapped::default(),
            listener: Listener::default(),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds every lock of a registrar that is never dropped.
    pub(crate) fn lock(&'static self) -> impl Any {
        let others = (
            self.worker.lock(),
            self.wrapped.lock(),
            self.books(),
            self.listener.lock(),
        );
        let lanes: Vec<_> = self.lanes.iter().map(Lane::machine).collect();
        (others, lanes, self.faults.lock())
    }

    /// This process is the child of a fork and has none of the registrar's threads.
    pub(crate) fn lose_threads(&self) {
        self.worker.lose_thread();
    }

    fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Relaxed)
    }

    /// Registers a module with whose characteristics nothing is wrong. `publish` gets the handle before
    /// any thread makes the first callback.
    pub(crate) fn register(
        self: &Arc<Self>,
        module: &Module,
        entry: &Entry,
        publish: impl FnOnce(Handle),
    ) -> NTSTATUS {
        if offers::reserve().is_err() {
            return self.refuse(entry, STATUS_INSUFFICIENT_RESOURCES);
        }
        self.note_entry(entry);
        let lane = self.lane_of(&module.npi);
        let mut task = Task::default();
        let event = Event::Register { module };
        let publish = |task: &Task| task.registered.map_or((), publish);
        let first = self.tell_and(lane, &mut task, event, entry, publish);
        let status = self.converse(lane, &mut task, first, entry);
        self.note_return(entry, status);
        status
    }

    /// Refuses a call before anything happens.
    pub(crate) fn refuse(&self, entry: &Entry, status: NTSTATUS) -> NTSTATUS {
        self.note_entry(entry);
        self.note_return(entry, status);
        status
    }

    /// Runs one of the functions that take a handle.
    #[inline]
    pub(crate) fn call(
        self: &Arc<Self>,
        handle: Option<Handle>,
        event: Event<'_>,
        entry: &Entry,
    ) -> NTSTATUS {
        self.note_entry(entry);
        let lane = self.lane_named(handle);
        let mut task = Task::default();
        let first = self.tell(lane, &mut task, event, entry);
        let status = self.converse(lane, &mut task, first, entry);
        self.note_return(entry, status);
        status
    }

    /// Runs a cleanup that was handed to the worker.
    pub(crate) fn clean_up(self: &Arc<Self>, binding: Key) {
        let entry = Entry::of_function("the cleanup worker");
        let lane = self.lane(binding);
        let mut task = Task::default();
        let first = self.tell(lane, &mut task, Event::CleanupStarted { binding }, &entry);
        self.converse(lane, &mut task, first, &entry);
    }

    /// Does what the machine says until the call returns.
    fn converse(
        self: &Arc<Self>,
        lane: &Lane,
        task: &mut Task,
        first: Next,
        entry: &Entry,
    ) -> NTSTATUS {
        let mut next = first;
        loop {
            next = match next {
                Next::Return(status) => return status,
                Next::Block(registration) => {
                    self.block(registration, entry);
                    self.tell(lane, task, Event::WaitAgain { registration }, entry)
                }
                Next::Defer(binding) => {
                    self.worker.hand_over(self, binding);
                    self.tell(lane, task, Event::CleanupDeferred, entry)
                }
                Next::Attach(binding, client, offer, ends) => {
                    let (offer, status) = self.inside(Role::Client, Callback::Attach, ends, || {
                        let attach = || callback::attach_client(&client);
                        offers::make(client.handle, offer, attach)
                    });
                    self.watch_attached(binding, status);
                    let event = Event::ClientAttachReturned {
                        binding,
                        offer: &offer,
                        status,
                    };
                    self.tell(lane, task, event, entry)
                }
                Next::Detach(binding, callee, context, ends) => {
                    let role = callee.role();
                    self.watch_detach(binding, role);
                    let detach = || callback::detach(&callee, context);
                    let status = self.inside(role, Callback::Detach, ends, detach);
                    self.watch_detached(binding, role, status);
                    let event = Event::DetachReturned {
                        binding,
                        role,
                        status,
                    };
                    self.tell(lane, task, event, entry)
                }
                Next::CleanUp(binding, callee, context, ends) => {
                    let role = callee.role();
                    let clean_up = || callback::clean_up(&callee, context);
                    self.inside(role, Callback::Cleanup, ends, clean_up);
                    let event = Event::CleanupReturned { binding, role };
                    self.tell(lane, task, event, entry)
                }
            };
        }
    }

    /// Tells a machine what happened, under its lock.
    #[inline]
    fn tell(&self, lane: &Lane, task: &mut Task, event: Event<'_>, entry: &Entry) -> Next {
        self.tell_and(lane, task, event, entry, |_| ())
    }

    /// The same, and does something with the outcome before another thread can see it.
    #[inline]
    fn tell_and(
        &self,
        lane: &Lane,
        task: &mut Task,
        event: Event<'_>,
        entry: &Entry,
        then: impl FnOnce(&Task),
    ) -> Next {
        if self.is_watched() && (self.is_recording() || self.checks_memory()) {
            return self.tell_in_books(lane, task, event, entry, then);
        }
        let mut machine = lane.machine();
        let action = self.step(&mut machine, task, event);
        then(task);
        let next = Next::of(&machine, action, self.is_watched());
        if machine.has_news() {
            let function = transcript::callback(&event).unwrap_or(entry.function);
            self.tell_news(lane, machine, function);
        }
        next
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

    /// The same where a record or a ledger is kept.
    fn tell_in_books(
        &self,
        lane: &Lane,
        task: &mut Task,
        event: Event<'_>,
        entry: &Entry,
        then: impl FnOnce(&Task),
    ) -> Next {
        // They follow the order of the steps, so they are locked before the step.
        let mut books = self.books();
        let mut machine = lane.machine();
        let recording = self.is_recording();
        if recording {
            self.note_callback(&mut books, transcript::event(&machine, &event));
        }
        let subject = self.checks_memory().then(|| Subject::of(&machine, &event));
        let action = self.step(&mut machine, task, event);
        then(task);
        if recording {
            self.note_callback(&mut books, transcript::action(&machine, &action));
        }
        let next = Next::of(&machine, action, true);
        if machine.take_wake() {
            lane.wake();
        }
        let function = transcript::callback(&event).unwrap_or(entry.function);
        let reported = books.reports.len();
        if machine.has_findings() {
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
        drop(machine);
        self.announce(books, reported);
        next
    }

    #[inline]
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

    /// Whether anybody looks: for rules that somebody has to look for, or into a record.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// To be called whenever that may have changed.
    fn update_watched(&self) {
        let watched = self.policy.verify == Verify::Full
            || self.policy.slow.is_some()
            || self.checks_memory()
            || self.is_recording()
            || self.wrapped.is_on();
        self.watched.store(watched, Ordering::Relaxed);
    }

    /// What is known of a call with a handle: who makes it, if anybody looks.
    #[inline]
    pub(crate) fn entry(&self, function: &'static str, handle: Option<Handle>) -> Entry {
        if self.is_watched() {
            Entry::of_handle(function, self.identify(handle))
        } else {
            Entry::of_handle(function, None)
        }
    }

    fn note_entry(&self, entry: &Entry) {
        if self.is_recording() {
            self.books().note(entry.called());
        }
    }

    fn note_return(&self, entry: &Entry, status: NTSTATUS) {
        if self.is_recording() {
            self.books().note(entry.returned(status));
        }
    }
}

/// What a thread does next, with all that it takes. Who looks gets to know whom a callback is about.
enum Next {
    Return(NTSTATUS),
    Block(Key),
    Defer(Key),
    Attach(Key, Side, Offer, Option<Ends>),
    Detach(Key, Callee, Opaque, Option<Ends>),
    CleanUp(Key, Callee, Opaque, Option<Ends>),
}

impl Next {
    #[inline]
    fn of(machine: &Machine, action: Action, watched: bool) -> Self {
        let invocation = match action {
            Action::Return(status) => return Self::Return(status),
            Action::Block { registration } => return Self::Block(registration),
            Action::Defer { binding } => return Self::Defer(binding),
            Action::Call(invocation) => invocation,
        };
        let binding = invocation.binding;
        let ends = if watched {
            machine.describe(binding)
        } else {
            None
        };
        match machine.arguments(invocation) {
            Arguments::Attach(client, offer) => Self::Attach(binding, client, offer, ends),
            Arguments::Detach(callee, context) => Self::Detach(binding, callee, context, ends),
            Arguments::Cleanup(callee, context) => Self::CleanUp(binding, callee, context, ends),
        }
    }
}
