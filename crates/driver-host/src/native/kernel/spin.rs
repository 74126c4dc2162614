//! Spin locks: the lock holds the number of the thread that owns it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nmr_host::locks;

/// What a lock holds while this thread owns it.
fn me() -> usize {
    nmr_host::current_thread().0 as usize + 1
}

/// Acquires a lock. Returns `false` if this thread owns it already.
pub(crate) fn lock(lock: &AtomicUsize) -> bool {
    let address = lock.as_ptr().addr();
    locks::acquiring(address);
    while let Err(owner) = lock.compare_exchange_weak(0, me(), Ordering::Acquire, Ordering::Relaxed)
    {
        if owner == me() {
            return false;
        }
        thread::yield_now();
    }
    locks::acquired(address);
    true
}

/// Releases a lock. Returns `false` if this thread does not own it.
pub(crate) fn unlock(lock: &AtomicUsize) -> bool {
    locks::released(lock.as_ptr().addr());
    let released = lock.compare_exchange(me(), 0, Ordering::Release, Ordering::Relaxed);
    released.is_ok()
}

/// Returns `true` if this thread owns a lock.
pub(crate) fn is_owned(lock: &AtomicUsize) -> bool {
    lock.load(Ordering::Relaxed) == me()
}
