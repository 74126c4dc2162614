//! Queries and settings of a registrar for tests and tools.

use nmr_machine::{Blocker, Handle, Identity, Leak, ModuleId, Role};

use super::Shell;
use crate::layout::InterfaceLayout;
use crate::record::{Note, Record};
use crate::report::Report;
use crate::sync::atomic::Ordering;

impl Shell {
    /// Whom a handle leads to.
    pub(crate) fn identify(&self, handle: Option<Handle>) -> Option<Identity> {
        handle.and_then(|handle| self.machine(handle.key()).identify(handle))
    }

    /// Returns `true` if a handle stands or stood for something.
    pub(crate) fn was_issued(&self, handle: Option<Handle>) -> bool {
        self.lane_named(handle).machine().was_issued(handle)
    }

    /// Why a wait for this registration would not return at once. Nothing if it was not deregistered:
    /// such a wait is refused.
    pub(crate) fn obstacles(&self, handle: Option<Handle>, role: Role) -> Vec<Blocker> {
        let machine = self.lane_named(handle).machine();
        if machine.is_stopping(handle, role) {
            machine.blockers_of_handle(handle, role)
        } else {
            Vec::new()
        }
    }

    /// Why the registration of a handle is not finished. Nothing if it is no handle of this role.
    pub(crate) fn blockers(&self, handle: Option<Handle>, role: Role) -> Vec<Blocker> {
        let machine = self.lane_named(handle).machine();
        machine.blockers_of_handle(handle, role)
    }

    /// How many registrations were not closed.
    pub(crate) fn registration_count(&self) -> usize {
        let lanes = self.lanes.iter();
        lanes.map(|lane| lane.machine().registration_count()).sum()
    }

    pub(crate) fn leaks(&self) -> Vec<Leak> {
        let lanes = self.lanes.iter();
        let mut leaks = Vec::new();
        for lane in lanes {
            leaks.extend(lane.machine().leaks());
        }
        leaks
    }

    pub(crate) fn fail_reservation(&self, skip: u64) {
        self.faults.fail_reservation(skip);
    }

    pub(crate) fn set_recording(&self, on: bool) {
        self.recording.store(on, Ordering::Relaxed);
        self.update_watched();
    }

    pub(crate) fn add_note(&self, note: Note) {
        if self.is_recording() {
            self.books().records.add(note);
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.books().records.since(0)
    }

    pub(crate) fn recorded(&self) -> u64 {
        self.books().records.len() as u64
    }

    pub(crate) fn records_since(&self, recorded: u64) -> Vec<Record> {
        let start = usize::try_from(recorded).unwrap_or(usize::MAX);
        self.books().records.since(start)
    }

    pub(crate) fn take_reports(&self) -> Vec<Report> {
        let mut books = self.books();
        books.known_lost = 0;
        let reports = std::mem::take(&mut books.reports);
        drop(books);
        reports.into_iter().collect()
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.books().reports.iter().cloned().collect()
    }

    /// How many reports there are, and how many were lost because memory ran out.
    pub(crate) fn report_counts(&self) -> (usize, u64) {
        let books = self.books();
        (books.reports.len(), books.reports.lost())
    }

    /// Reads one report, the oldest with index 0.
    pub(crate) fn with_report<T>(
        &self,
        index: usize,
        read: impl FnOnce(&Report) -> T,
    ) -> Option<T> {
        self.books().reports.get(index).map(read)
    }

    pub(crate) fn declare(&self, interface: InterfaceLayout) {
        let npi = interface.npi;
        let known = interface.interface();
        self.books().layouts.insert(npi, interface);
        self.lane_of(&npi).machine().declare(known);
    }

    pub(crate) fn name(&self, id: ModuleId, name: &str) {
        self.books().names.insert(id, name.to_owned());
    }
}
