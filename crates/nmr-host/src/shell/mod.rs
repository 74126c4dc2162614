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
mod telling;
mod waiting;
mod watching;
mod wrapping;

use std::any::Any;
use std::collections::HashMap;

use nmr_machine::{Action, Event, Handle, Key, LANES, Module, ModuleId};
use nmr_sys::{NPIID, NTSTATUS, STATUS_INSUFFICIENT_RESOURCES};

use crate::faults::Faults;
use crate::layout::InterfaceLayout;
use crate::memory::Ledger;
use crate::policy::{Policy, Verify};
use crate::records::{Brief, Records};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::transcript::Entry;
use crate::worker::Worker;
use crate::wrapped::Wrapped;
use completing::Completer;
use lane::Lane;
use past::Past;
pub(crate) use reporting::Listen;
use reporting::Listener;
use reports::Reports;
use telling::Conversation;

/// A registrar, shared by all threads that are inside it.
///
/// Who needs both takes the lock of the books before that of a lane.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) instance: u32,
    pub(crate) policy: Policy,
    pub(crate) faults: Faults,
    lanes: Box<[Lane; LANES]>,
    books: Mutex<Books>,
    recording: AtomicBool,
    /// Whether calls are watched.
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
    records: Records,
    reports: Reports,
    /// The number of lost reports that were announced.
    known_lost: u64,
    /// The threads that have completed a detach and have not left the code that did.
    completers: Vec<Completer>,
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
    #[inline(always)]
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
        let mut conversation = Conversation::new(self, self.lane_of(&module.npi), entry);
        let told = conversation.tell(|| Event::Register { module }, entry.function, publish);
        let status = conversation.carry_out(told);
        self.note_return(entry, status);
        status
    }

    /// Runs one of the functions that take a handle.
    #[inline(always)]
    pub(crate) fn call(
        self: &Arc<Self>,
        handle: Option<Handle>,
        event: impl Fn() -> Event<'static>,
        entry: &Entry,
    ) -> NTSTATUS {
        self.note_entry(entry);
        let mut conversation = Conversation::new(self, self.lane_named(handle), entry);
        let (machine, action) = conversation.tell(event, entry.function, |_| ());
        let status = if let Action::Return(status) = action {
            self.leave(machine);
            status
        } else {
            conversation.carry_out((machine, action))
        };
        self.note_return(entry, status);
        status
    }

    /// Refuses a call before anything happens.
    pub(crate) fn refuse(&self, entry: &Entry, status: NTSTATUS) -> NTSTATUS {
        self.note_entry(entry);
        self.note_return(entry, status);
        status
    }

    /// Runs a cleanup that was handed to the worker. It is no call of a module, so its end is not noted.
    pub(crate) fn run_cleanups(self: &Arc<Self>, binding: Key) {
        let entry = Entry::of_function("the cleanup worker");
        let mut conversation = Conversation::new(self, self.lane(binding), &entry);
        let begins = || Event::CleanupStarted { binding };
        let told = conversation.tell(begins, entry.function, |_| ());
        conversation.carry_out(told);
    }

    /// Returns `true` if calls are looked at: for rules that need it, or for a record.
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

    #[inline]
    fn note_entry(&self, entry: &Entry) {
        if self.is_watched() {
            self.record(|| entry.called());
        }
    }

    #[inline]
    fn note_return(&self, entry: &Entry, status: NTSTATUS) {
        if self.is_watched() {
            self.record(|| entry.returned(status));
        }
    }

    #[inline(never)]
    fn record(&self, record: impl FnOnce() -> Brief) {
        if self.is_recording() {
            let record = record();
            self.books().records.push(record);
        }
    }
}
