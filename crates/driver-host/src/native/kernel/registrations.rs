//! NMR registrations of a driver.

use std::sync::{Mutex, PoisonError};

use nmr_host::{ModuleLabel, Role};

/// The registrations that an image has not closed.
#[derive(Debug, Default)]
pub(crate) struct Registrations(Mutex<Vec<(usize, ModuleLabel)>>);

impl Registrations {
    pub(crate) fn add(&self, handle: usize, module: ModuleLabel) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((handle, module));
    }

    pub(crate) fn remove(&self, handle: usize) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(open, _)| *open != handle);
    }

    /// The registered module of this role, if there is just one.
    pub(crate) fn only(&self, role: Role) -> Option<ModuleLabel> {
        let open = self.open();
        let mut found = open.into_iter().filter(|module| module.role == role);
        found.next().filter(|_| found.next().is_none())
    }

    /// The modules that are still registered.
    pub(crate) fn open(&self) -> Vec<ModuleLabel> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().map(|(_, module)| *module).collect()
    }
}
