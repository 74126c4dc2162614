//! Spin locks: the lock holds the number of the thread that owns it, so that a thread that waits
//! for itself is reported.
// UNSAFETY: a lock is a word in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_host::irql::{self, DISPATCH_LEVEL};

use super::bugcheck;
use super::object::object;
use crate::native::kernel::call::misuse;
use crate::native::kernel::irql as levels;
use crate::native::kernel::spin as kernel_spin;

/// # Safety
///
/// `lock` is a spin lock.
unsafe fn word<'a>(lock: *mut usize) -> &'a AtomicUsize {
    // SAFETY: a spin lock is a word that is only used as one.
    unsafe { object(lock.cast::<AtomicUsize>()) }
}

pub(crate) unsafe extern "win64" fn initialize(lock: *mut usize) {
    // SAFETY: the lock is valid; the driver guarantees it.
    unsafe { word(lock) }.store(0, Ordering::Release);
}

pub(crate) unsafe extern "win64" fn acquire(lock: *mut usize) -> u8 {
    let level = irql::current();
    if level > DISPATCH_LEVEL {
        misuse(format!("acquired at {level}"));
    }
    let before = levels::raise(DISPATCH_LEVEL.max(level));
    // SAFETY: the lock is valid; the driver guarantees it.
    self::lock(unsafe { word(lock) });
    before.0
}

pub(crate) unsafe extern "win64" fn acquire_at_dispatch(lock: *mut usize) {
    if irql::current() < DISPATCH_LEVEL {
        misuse(format!("acquired at {}", irql::current()));
    }
    // SAFETY: the lock is valid; the driver guarantees it.
    self::lock(unsafe { word(lock) });
}

pub(crate) unsafe extern "win64" fn release(lock: *mut usize, before: u8) {
    // SAFETY: the lock is valid; the driver guarantees it.
    unlock(unsafe { word(lock) });
    levels::lower(irql::Irql(before));
}

pub(crate) unsafe extern "win64" fn release_at_dispatch(lock: *mut usize) {
    // SAFETY: the lock is valid; the driver guarantees it.
    unlock(unsafe { word(lock) });
}

const SPIN_LOCK_ALREADY_OWNED: u32 = 0x0f;
const SPIN_LOCK_NOT_OWNED: u32 = 0x10;

/// Acquires a lock, for which this thread must not wait if it has it.
pub(super) fn lock(word: &AtomicUsize) {
    if !kernel_spin::lock(word) {
        let address = word.as_ptr().addr() as u64;
        bugcheck::stop(SPIN_LOCK_ALREADY_OWNED, [address, 0, 0, 0]);
    }
}

/// Releases a lock that this thread must have.
pub(super) fn unlock(word: &AtomicUsize) {
    if !kernel_spin::unlock(word) {
        let address = word.as_ptr().addr() as u64;
        bugcheck::stop(SPIN_LOCK_NOT_OWNED, [address, 0, 0, 0]);
    }
}
