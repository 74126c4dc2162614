//! What tests and tools read of a registrar, and what they set.

use super::Shell;
use crate::interface::Interface;
use crate::machine::{Blocker, Handle, Identity, Leak};
use crate::module::{ModuleId, Role};
use crate::record::{Note, Record};
use crate::report::Report;
use crate::sync::atomic::Ordering;

impl Shell {
    /// Whom a handle leads to.
    pub(crate) fn identify(&self, handle: Option<Handle>) -> Option<Identity> {
        handle.and_then(|handle| self.lock().machine.identify(handle))
    }

    /// Whether a handle stands or stood for something.
    pub(crate) fn was_issued(&self, handle: Option<Handle>) -> bool {
        self.lock().machine.was_issued(handle)
    }

    /// Why a wait for this registration would not return at once. Nothing if it was not deregistered:
    /// such a wait is refused.
    pub(crate) fn obstacles(&self, handle: Option<Handle>, role: Role) -> Vec<Blocker> {
        let state = self.lock();
        if state.machine.is_stopping(handle, role) {
            state.machine.blockers_of_handle(handle, role)
        } else {
            Vec::new()
        }
    }

    /// Why the registration of a handle is not finished. Nothing if it is no handle of this role.
    pub(crate) fn blockers(&self, handle: Option<Handle>, role: Role) -> Vec<Blocker> {
        self.lock().machine.blockers_of_handle(handle, role)
    }

    pub(crate) fn leaks(&self) -> Vec<Leak> {
        self.lock().machine.leaks()
    }

    pub(crate) fn fail_reservation(&self, skip: u64) {
        self.lock().machine.fail_reservation(skip);
    }

    pub(crate) fn set_recording(&self, on: bool) {
        self.recording.store(on, Ordering::Relaxed);
    }

    pub(crate) fn add_note(&self, note: Note) {
        if self.recording.load(Ordering::Relaxed) {
            self.lock().note(note);
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    pub(crate) fn recorded(&self) -> u64 {
        self.lock().records.len() as u64
    }

    pub(crate) fn records_since(&self, recorded: u64) -> Vec<Record> {
        let state = self.lock();
        let start = usize::try_from(recorded).unwrap_or(usize::MAX);
        state.records.get(start..).unwrap_or_default().to_vec()
    }

    pub(crate) fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut self.lock().reports)
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.lock().reports.clone()
    }

    pub(crate) fn declare(&self, interface: Interface) {
        self.lock().machine.declare(interface);
    }

    pub(crate) fn name(&self, id: ModuleId, name: &str) {
        self.lock().names.insert(id, name.to_owned());
    }
}
