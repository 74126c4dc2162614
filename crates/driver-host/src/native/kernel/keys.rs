//! The handles of registry keys that a driver has open.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::system::System;

/// Paths by handles.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<BTreeMap<usize, String>>);

impl Keys {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a key. Handles of the kernel have their top bit set.
    pub(crate) fn open(&self, system: &System, path: String) -> usize {
        let handle = 0xffff_ffff_8000_0000 | (system.next_handle() as usize) << 2;
        self.lock().insert(handle, path);
        handle
    }

    /// The path of an open key.
    pub(crate) fn get(&self, handle: usize) -> Option<String> {
        self.lock().get(&handle).cloned()
    }

    /// Closes a handle. Returns whether it was open.
    pub(crate) fn close(&self, handle: usize) -> bool {
        self.lock().remove(&handle).is_some()
    }

    /// The keys that are still open.
    pub(crate) fn left(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }
}
