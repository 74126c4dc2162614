//! The threaded shell around the machines: a lock for each, never held across a callback (I-6). It
//! carries out what a machine says, keeps the record and the reports, and blocks the threads that
//! wait.

mod calling;
mod completing;
mod lane;
mod lending;
mod light;
mod offers;
mod reading;
mod reporting;
mod waiting;
mod watching;
mod wrapping;

use std::any::Any;
use std::collections::HashMap;

use nmr_machine::{Action, Event, Handle, Key, Machine, Module, ModuleId, Noted, Role, Rule, Task};
use nmr_sys::{NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER};

use crate::faults::Faults;
use crate::irql::{self, PASSIVE_LEVEL};
use crate::memory::Ledger;
use crate::policy::Policy;
use crate::record::{Actor, Note, Record};
use crate::report::Report;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::thread;
use crate::transcript::{self, Entry};
use crate::validate::Findings;
use crate::worker::Worker;
use crate::wrapped::Wrapped;
use completing::Completer;
use lane::Lane;
use lending::Subject;
pub(crate) use offers::{ask, take_untold};
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
    /// Whether nobody looks at anything.
    light: AtomicBool,
    /// Whether a thread may run callbacks first and tell of them later, where nobody looks.
    tells_later: bool,
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
            tells_later: light::may_tell_later(&policy),
            policy,
            books: Mutex::default(),
            recording: AtomicBool::new(true),
            light: AtomicBool::new(false),
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

    /// Registers a module, or refuses to because of what was found in its characteristics.
    /// `publish` gets the handle before any thread makes the first callback.
    pub(crate) fn register(
        self: &Arc<Self>,
        role: Role,
        module: Option<Module>,
        findings: &Findings,
        publish: impl FnMut(Handle),
    ) -> NTSTATUS {
        let caller = module.map_or(Actor::Unknown, |module| Actor::Module(module.label));
        let entry = Entry {
            function: register_name(role),
            caller,
            binding: None,
            peer: None,
            returns: true,
        };
        let fault = self.faults.begin();
        self.report_characteristics(&entry, findings);
        if irql::current() > PASSIVE_LEVEL {
            self.report_misuse(Rule::V10, &entry);
        }
        self.report_inside_cleanup(&entry);
        let module = module.ok_or(STATUS_INVALID_PARAMETER);
        let module = match module.and_then(|module| fault.map_or(Ok(module), Err)) {
            Ok(module) => module,
            Err(status) => return self.refuse(&entry, status),
        };
        self.note_entry(&entry);
        let lane = self.lane_of(&module.npi);
        let mut task = Task::default();
        let event = Event::Register {
            module,
            thread: thread::current(),
        };
        let publish = |task: &Task| task.registered.into_iter().for_each(publish);
        let action = self.tell_and(lane, &mut task, event, &entry, publish);
        self.carry_out(lane, &mut task, action, &entry)
    }

    /// Refuses a call before anything happens.
    pub(crate) fn refuse(&self, entry: &Entry, status: NTSTATUS) -> NTSTATUS {
        self.note_entry(entry);
        self.note_return(entry, status);
        status
    }

    /// Runs one of the functions that take a handle.
    pub(crate) fn call(
        self: &Arc<Self>,
        handle: Option<Handle>,
        task: &mut Task,
        event: Event,
        entry: &Entry,
    ) -> NTSTATUS {
        self.note_entry(entry);
        let lane = self.lane_named(handle);
        let action = self.tell(lane, task, event, entry);
        self.carry_out(lane, task, action, entry)
    }

    /// Runs a cleanup that was handed to the worker.
    pub(crate) fn clean_up(self: &Arc<Self>, binding: Key) {
        let entry = Entry::of_function("the cleanup worker");
        let lane = self.lane(binding);
        let mut task = Task::default();
        let mut action = self.tell(lane, &mut task, Event::CleanupStarted { binding }, &entry);
        while let Some(event) = self.perform(action) {
            action = self.tell(lane, &mut task, event, &entry);
        }
    }

    /// Carries out actions until the call returns.
    #[expect(clippy::expect_used, reason = "the loop ends with a return")]
    fn carry_out(
        self: &Arc<Self>,
        lane: &Lane,
        task: &mut Task,
        first: Action,
        entry: &Entry,
    ) -> NTSTATUS {
        let mut action = first;
        loop {
            if let Action::Return(status) = action {
                self.note_return(entry, status);
                return status;
            }
            if let Action::Block { registration } = action {
                self.block(registration, entry);
            }
            let event = self.perform(action).expect("only a return has no outcome");
            action = self.tell(lane, task, event, entry);
        }
    }

    /// Tells a machine what happened, under its lock.
    fn tell(&self, lane: &Lane, task: &mut Task, event: Event, entry: &Entry) -> Action {
        self.tell_and(lane, task, event, entry, |_| ())
    }

    /// The same, and does something with the outcome before another thread can see it.
    fn tell_and(
        &self,
        lane: &Lane,
        task: &mut Task,
        event: Event,
        entry: &Entry,
        then: impl FnOnce(&Task),
    ) -> Action {
        // Record and ledger follow the order of the steps, so they are locked before the step.
        let (recording, checking) = (self.is_recording(), self.checks_memory());
        let mut books = (recording || checking).then(|| self.books());
        let mut machine = lane.machine();
        if let Some(books) = books.as_mut().filter(|_| recording) {
            self.note_callback(books, transcript::event(&machine, &event));
        }
        let subject = checking.then(|| Subject::of(&machine, &event));
        let action = self.reserving(&mut machine, |machine| machine.step(task, event));
        then(task);
        if let Some(books) = books.as_mut().filter(|_| recording) {
            self.note_callback(books, transcript::action(&machine, &action));
        }
        if machine.take_wake() {
            lane.wake();
        }
        let found = machine.has_findings();
        if books.is_none() && !found {
            return action;
        }
        let function = transcript::callback(&event).unwrap_or(entry.function);
        // Without them the machine's lock comes first, and is given back.
        let Some(mut books) = books else {
            let findings = machine.take_findings();
            drop(machine);
            self.file(findings, function);
            return action;
        };
        let reported = books.reports.len();
        if found {
            books.file(machine.take_findings(), function, self.policy.mode);
        }
        if let Some(subject) = subject {
            books.keep(
                &machine,
                subject,
                task,
                &event,
                &action,
                &self.policy,
                function,
            );
        }
        drop(machine);
        self.announce(books, reported);
        action
    }

    /// Takes a step in which a reservation of memory may fail.
    fn reserving(
        &self,
        machine: &mut Machine,
        step: impl FnOnce(&mut Machine) -> Action,
    ) -> Action {
        let Some(mut failure) = self.faults.reservations() else {
            return step(machine);
        };
        if let Some(skip) = *failure {
            machine.fail_reservation(skip);
        }
        let action = step(machine);
        *failure = machine.take_failure();
        action
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

fn register_name(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrRegisterClient",
        Role::Provider => "NmrRegisterProvider",
    }
}
