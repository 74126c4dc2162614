//! The lanes of a registrar: machines of their own, each under a lock of its own. So modules of
//! unrelated interfaces do not wait for each other, unless their interfaces happen to be in the same
//! lane.
//!
//! # Alternatives
//!
//! A lock for each interface would never be shared by two. It needs a map from interfaces to locks
//! that all threads read, which is one more word that all of them touch or one more structure that
//! is never freed, and some hundred bytes for each interface. With a fixed number of lanes there is
//! nothing to look up: the identifier's own bits name the lane, and so does every handle.

use nmr_sys::GUID;

use super::Shell;
use crate::machine::{self, Handle, Key, Machine};
use crate::policy::Policy;
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// One machine and its lock. It has cache lines of its own, two because processors fetch them in
/// pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Lane {
    machine: Mutex<Machine>,
    /// Signalled when a registration that a thread waits for is finished.
    pub(super) finished: Condvar,
}

impl Lane {
    /// All lanes of a registrar.
    pub(super) fn all(instance: u32, policy: &Policy) -> Box<[Self]> {
        let lanes = Machine::lanes(instance, policy).map(|machine| Self {
            machine: Mutex::new(machine),
            finished: Condvar::new(),
        });
        lanes.collect()
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shell {
    /// The lane of an interface.
    pub(super) fn lane_of(&self, npi: &GUID) -> &Lane {
        &self.lanes[machine::lane_of(npi)]
    }

    /// The lane of a registration or a binding.
    pub(super) fn lane(&self, key: Key) -> &Lane {
        &self.lanes[key.lane()]
    }

    /// The lane that a handle names; any, if it is none.
    pub(super) fn lane_named(&self, handle: Option<Handle>) -> &Lane {
        handle.map_or(&self.lanes[0], |handle| self.lane(handle.key))
    }

    /// The machine of a registration or a binding.
    pub(super) fn machine(&self, key: Key) -> MutexGuard<'_, Machine> {
        self.lane(key).machine()
    }
}
