//! The threaded shell around the machines: a lock for each, never held across a callback (I-6). It
//! carries out what a machine says, keeps the record and the reports, and blocks the threads that
//! wait.

#![expect(
    clippy::inline_always,
    reason = "a step whose event is known is one call, and what it says stays in registers"
)]

mod asking;
mod calling;
mod completing;
mod lane;
mod lending;
mod offers;
mod past;
mod reading;
mod reporting;
mod reports;
mod waiting;
mod watching;
mod wrapping;

use std::any::Any;
use std::collections::HashMap;

use nmr_machine::{
    Action, Callback, Ends, Event, Handle, Key, Machine, Module, ModuleId, Role, Task,
};
use nmr_sys::{NPIID, NTSTATUS, STATUS_INSUFFICIENT_RESOURCES};

use crate::callback;
use crate::faults::Faults;
use crate::instances;
use crate::layout::InterfaceLayout;
use crate::memory::Ledger;
use crate::policy::{Policy, Verify};
use crate::record::{Note, Record};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::transcript::{self, Entry};
use crate::worker::Worker;
use crate::wrapped::Wrapped;
use completing::Completer;
use lane::Lane;
use lending::{Happened, Subject};
use past::Past;
pub(crate) use reporting::Listen;
use reporting::Listener;
use reports::Reports;

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
    pub(crate) wrapped: Wrapped,
    listener: Listener,
    past: Past,
}

/// What is written down of all lanes.
#[derive(Debug, Default)]
struct Books {
    ledger: Ledger,
    names: HashMap<ModuleId, String>,
    /// The interfaces that the program has declared.
    layouts: HashMap<NPIID, InterfaceLayout>,
    records: Vec<Record>,
    reports: Reports,
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
            past: Past::default(),
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
            self.past.lock(),
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
        publish: impl Fn(Handle),
    ) -> NTSTATUS {
        if offers::reserve().is_err() {
            return self.refuse(entry, STATUS_INSUFFICIENT_RESOURCES);
        }
        self.note_entry(entry);
        let lane = self.lane_of(&module.npi);
        let status = self.converse(lane, Event::Register { module }, entry, publish);
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
        let status = self.converse(self.lane_named(handle), event, entry, |_| ());
        self.note_return(entry, status);
        status
    }

    /// Runs a cleanup that was handed to the worker.
    pub(crate) fn clean_up(self: &Arc<Self>, binding: Key) {
        let entry = Entry::of_function("the cleanup worker");
        let begins = Event::CleanupStarted { binding };
        self.converse(self.lane(binding), begins, &entry, |_| ());
    }

    /// Tells a machine what happens and does what it says, until the call returns. `publish` gets the
    /// handle of a registration while the machine is locked.
    fn converse(
        self: &Arc<Self>,
        lane: &Lane,
        first: Event<'_>,
        entry: &Entry,
        publish: impl Fn(Handle),
    ) -> NTSTATUS {
        let mut task = Task::default();
        let mut outcome;
        let mut event = first;
        let mut stay = None;
        loop {
            let told = self.tell(lane, &mut task, event, entry);
            if let Some(handle) = task.registered.take() {
                publish(handle);
            }
            let (binding, role, callback) = match told.action {
                Action::Return(status) => {
                    self.leave(told);
                    return status;
                }
                Action::Block { registration } => {
                    self.leave(told);
                    self.block(registration, entry);
                    event = Event::WaitAgain { registration };
                    continue;
                }
                Action::Defer { binding } => {
                    self.leave(told);
                    self.worker.hand_over(self, binding);
                    event = Event::CleanupDeferred;
                    continue;
                }
                Action::Call(it) => (it.binding, it.role, it.callback),
            };
            stay.get_or_insert_with(|| instances::stay(self));
            let ends = self.whom(&told.machine, binding);
            event = match callback {
                Callback::Attach => {
                    let client = told.machine.side(binding, Role::Client);
                    offers::begin(client.handle, told.machine.offer(binding));
                    self.leave(told);
                    let attach = || callback::attach_client(&client);
                    let status = self.inside(role, callback, ends.as_ref(), attach);
                    outcome = offers::end();
                    if let Some(ends) = ends {
                        self.past.bind(binding, ends);
                        self.watch_attached(binding, status);
                    }
                    Event::ClientAttachReturned {
                        binding,
                        offer: &outcome,
                        status,
                    }
                }
                Callback::Detach => {
                    let (callee, context) = told.machine.end(binding, role);
                    self.leave(told);
                    if ends.is_some() {
                        self.watch_detach(binding, role);
                    }
                    let detach = || callback::detach(&callee, context);
                    let status = self.inside(role, callback, ends.as_ref(), detach);
                    if ends.is_some() {
                        self.watch_detached(binding, role, status);
                    }
                    Event::DetachReturned {
                        binding,
                        role,
                        status,
                    }
                }
                Callback::Cleanup => {
                    let (callee, context) = told.machine.end(binding, role);
                    self.leave(told);
                    let clean_up = || callback::clean_up(&callee, context);
                    self.inside(role, callback, ends.as_ref(), clean_up);
                    Event::CleanupReturned { binding, role }
                }
            };
        }
    }

    /// Whom a callback is about, if anybody looks.
    #[inline]
    fn whom(&self, machine: &Machine, binding: Key) -> Option<Ends> {
        if self.is_watched() {
            machine.describe(binding)
        } else {
            None
        }
    }

    /// Tells a machine what happened, under its lock, which is kept until the thread has got from the
    /// machine what it takes to go on.
    #[inline(always)]
    fn tell<'a>(
        &'a self,
        lane: &'a Lane,
        task: &mut Task,
        event: Event<'_>,
        entry: &'a Entry,
    ) -> Told<'a> {
        if self.is_watched() && (self.is_recording() || self.checks_memory()) {
            return self.tell_in_books(lane, task, event, entry);
        }
        let mut machine = lane.machine();
        let action = self.step(&mut machine, task, event);
        Told {
            lane,
            function: transcript::callback(&event).unwrap_or(entry.function),
            machine,
            action,
            entry,
            written: None,
        }
    }

    /// The same where a record or a ledger is kept.
    fn tell_in_books<'a>(
        &'a self,
        lane: &'a Lane,
        task: &mut Task,
        event: Event<'_>,
        entry: &'a Entry,
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
        let function = transcript::callback(&event).unwrap_or(entry.function);
        if machine.has_findings() {
            self.write_down(&mut books, machine.take_findings(), function, Some(entry));
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
        Told {
            lane,
            function,
            machine,
            action,
            entry,
            written: Some(books),
        }
    }

    /// Lets go of the machine, wakes those who wait, and reports what was found.
    #[inline(always)]
    fn leave(&self, told: Told<'_>) {
        if told.written.is_some() || told.machine.has_news() {
            self.tell_news(told);
        } else {
            drop(told);
        }
        // Nothing is locked any more.
        self.wrapped.answers_are_noted();
    }

    #[cold]
    fn tell_news(&self, told: Told<'_>) {
        let Told {
            lane,
            function,
            mut machine,
            entry,
            written,
            ..
        } = told;
        if machine.take_wake() {
            lane.wake();
        }
        let findings = machine.take_findings();
        drop(machine);
        match written {
            Some(books) => self.announce(books),
            None if findings.is_empty() => {}
            None => self.file(findings, function, Some(entry)),
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

    /// Whether calls are looked at: for rules that need it, or for a record.
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

    /// What is known of a call with a handle of this value: who makes it, if that is verified.
    #[inline]
    pub(crate) fn entry(
        &self,
        function: &'static str,
        handle: Option<Handle>,
        value: usize,
    ) -> Entry {
        if self.is_watched() {
            Entry::of_handle(function, value, self.identify(handle))
        } else {
            Entry::of_handle(function, value, None)
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

/// A machine after a step, under its lock, and what it wants done.
struct Told<'a> {
    lane: &'a Lane,
    /// The function or callback that led to it.
    function: &'static str,
    machine: MutexGuard<'a, Machine>,
    action: Action,
    /// The call of which the step is a part.
    entry: &'a Entry,
    /// The books, if the step is written down there.
    written: Option<MutexGuard<'a, Books>>,
}
