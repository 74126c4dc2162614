//! [`HostSpinLock`]: the spin lock of threads of an ordinary process.
// UNSAFETY: implements the trait that promises exclusion.
#![expect(unsafe_code)]

use nmr_sys::SpinLock;

use crate::irql::{self, DISPATCH_LEVEL, Irql};
use crate::locks;
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use crate::thread::{self, ThreadNumber};

/// A lock for [`nmr::Locked`](https://docs.rs/nmr), where a driver has a `KSPIN_LOCK`.
///
/// It raises the thread to `DISPATCH_LEVEL`, and the registrar takes note of it for the rules of locks (V-15,
/// V-27, V-81). A thread that takes it twice panics, where a driver would spin forever.
#[derive(Debug, Default)]
pub struct HostSpinLock {
    owner: Mutex<Option<ThreadNumber>>,
    released: Condvar,
}

impl HostSpinLock {
    fn owner(&self) -> MutexGuard<'_, Option<ThreadNumber>> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

// SAFETY: `acquire` returns when there is no owner, and makes the thread the owner in the same step, under a
// mutex, which also orders what comes before a release and after an acquire.
unsafe impl SpinLock for HostSpinLock {
    type Saved = Irql;

    fn new() -> Self {
        Self::default()
    }

    unsafe fn acquire(&self) -> Irql {
        let saved = irql::current();
        let thread = thread::current();
        assert!(
            *self.owner() != Some(thread),
            "a thread takes a spin lock that it has: on Windows it would spin forever"
        );
        locks::acquiring(self.address());
        let mut owner = self.owner();
        while owner.is_some() {
            owner = self
                .released
                .wait(owner)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *owner = Some(thread);
        drop(owner);
        locks::acquired(self.address());
        irql::set(DISPATCH_LEVEL.max(saved));
        saved
    }

    unsafe fn release(&self, saved: Irql) {
        irql::set(saved);
        locks::released(self.address());
        *self.owner() = None;
        self.released.notify_one();
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::thread;

    use nmr_sys::SpinLock;

    use super::HostSpinLock;
    use crate::irql::{self, DISPATCH_LEVEL, PASSIVE_LEVEL};

    #[test]
    fn it_raises_and_restores_the_level() {
        let lock = HostSpinLock::new();
        // SAFETY: it is released below.
        let saved = unsafe { lock.acquire() };
        assert_eq!(irql::current(), DISPATCH_LEVEL);
        // SAFETY: this thread has the lock.
        unsafe { lock.release(saved) };
        assert_eq!(irql::current(), PASSIVE_LEVEL);
    }

    #[test]
    #[should_panic(expected = "spin lock that it has")]
    fn a_thread_that_takes_it_twice_is_stopped() {
        let lock = HostSpinLock::new();
        // SAFETY: nothing is taken after it.
        let _ = unsafe { lock.acquire() };
        // SAFETY: it does not return.
        let _ = unsafe { lock.acquire() };
    }

    #[test]
    fn one_thread_at_a_time_has_it() {
        struct Shared(HostSpinLock, std::cell::UnsafeCell<u32>);
        // SAFETY: the cell is only used under the lock.
        unsafe impl Sync for Shared {}

        let shared = Shared(HostSpinLock::new(), 0.into());
        thread::scope(|scope| {
            for _ in 0..2 {
                let shared = &shared;
                scope.spawn(move || {
                    for _ in 0..1000 {
                        // SAFETY: it is released below.
                        let saved = unsafe { shared.0.acquire() };
                        // SAFETY: this thread has the lock.
                        unsafe { *shared.1.get() += 1 };
                        // SAFETY: as above.
                        unsafe { shared.0.release(saved) };
                    }
                });
            }
        });
        assert_eq!(shared.1.into_inner(), 2000);
    }
}
