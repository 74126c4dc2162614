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

use std::hint::spin_loop;
use std::time::Duration;

use nmr_machine::{Handle, Key, LANES, Machine};
use nmr_sys::GUID;

use super::Shell;
use crate::policy::Policy;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// One machine and its lock. It has cache lines of its own, two because processors fetch them in
/// pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Lane {
    machine: Mutex<Machine>,
    /// How often a registration has finished that a thread waits for. It changes under the lock.
    ends: AtomicUsize,
    /// How many threads sleep until that changes. It changes under the lock, too.
    sleepers: AtomicUsize,
    /// Signaled when it changes and a thread sleeps.
    changed: Condvar,
}

/// How often a thread looks before it sleeps. The other end of a wait is often a thread that completes a
/// detach just now, and to sleep and be woken takes longer than that. Shuttle has no time to wait for.
const LOOKS: u32 = if cfg!(shuttle) { 0 } else { 100 };

impl Lane {
    /// All lanes of a registrar.
    pub(super) fn all(instance: u32, policy: &Policy) -> Box<[Self; LANES]> {
        let machines = Machine::lanes(instance, &policy.of_machine());
        Box::new(machines.map(|machine| Self {
            machine: Mutex::new(machine),
            ends: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            changed: Condvar::new(),
        }))
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A registration that a thread waits for has finished. The caller holds the lock.
    pub(super) fn wake(&self) {
        self.ends.fetch_add(1, Ordering::Release);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            self.changed.notify_all();
        }
    }

    /// Waits until a registration may have finished, or the limit is over. Returns the machine, and
    /// whether the limit was reached.
    pub(super) fn wait<'a>(
        &'a self,
        machine: MutexGuard<'a, Machine>,
        limit: Option<Duration>,
    ) -> (MutexGuard<'a, Machine>, bool) {
        let ends = self.ends.load(Ordering::Relaxed);
        drop(machine);
        let has_changed = || self.ends.load(Ordering::Acquire) != ends;
        let changed = (0..LOOKS).any(|_| {
            spin_loop();
            has_changed()
        });
        let machine = self.machine();
        if changed || has_changed() {
            return (machine, false);
        }
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        let woken = self.sleep(machine, limit);
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
        woken
    }

    fn sleep<'a>(
        &self,
        machine: MutexGuard<'a, Machine>,
        limit: Option<Duration>,
    ) -> (MutexGuard<'a, Machine>, bool) {
        let Some(limit) = limit else {
            let machine = self.changed.wait(machine);
            return (machine.unwrap_or_else(PoisonError::into_inner), false);
        };
        let waited = self.changed.wait_timeout(machine, limit);
        let (machine, result) = waited.unwrap_or_else(PoisonError::into_inner);
        (machine, result.timed_out())
    }
}

impl Shell {
    /// The lane of an interface.
    pub(super) fn lane_of(&self, npi: &GUID) -> &Lane {
        self.lane_at(nmr_machine::lane_of(npi))
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below LANES")]
    fn lane_at(&self, number: usize) -> &Lane {
        &self.lanes[number % LANES]
    }

    /// The lane of a registration or a binding.
    pub(super) fn lane(&self, key: Key) -> &Lane {
        self.lane_at(key.lane())
    }

    /// The lane that a handle names; any, if it is none.
    pub(super) fn lane_named(&self, handle: Option<Handle>) -> &Lane {
        handle.map_or(self.lane_at(0), |handle| self.lane(handle.key()))
    }

    /// The machine of a registration or a binding.
    pub(super) fn machine(&self, key: Key) -> MutexGuard<'_, Machine> {
        self.lane(key).machine()
    }
}
