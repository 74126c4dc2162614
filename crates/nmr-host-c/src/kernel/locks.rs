//! Spin locks, push locks and fast mutexes. Each is reported to the registrar, for its rules about locks.
// UNSAFETY: exported functions.
#![expect(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use registrar::{locks, may_block};

use super::level::{self, APC_LEVEL, DISPATCH_LEVEL};
use super::waiting;

/// The word of a lock: 0 if it is free, how many share it, or this if a thread has it alone.
const ALONE: usize = usize::MAX;

fn take_alone(lock: &AtomicUsize) -> bool {
    let taken = lock.compare_exchange(0, ALONE, Ordering::Acquire, Ordering::Relaxed);
    taken.is_ok()
}

fn take_shared(lock: &AtomicUsize) -> bool {
    let taken = lock.fetch_update(Ordering::Acquire, Ordering::Relaxed, |word| {
        (word != ALONE).then(|| word + 1)
    });
    taken.is_ok()
}

fn give_back(lock: &AtomicUsize) {
    locks::released(ptr::from_ref(lock).addr());
    let given = lock.fetch_update(Ordering::Release, Ordering::Relaxed, |word| match word {
        ALONE => Some(0),
        0 => None,
        shared => Some(shared - 1),
    });
    if given.is_err() {
        super::debug::stop("a lock is released that no thread holds");
    }
}

/// Takes a lock, and reports it to the registrar before and after.
fn acquire(lock: &AtomicUsize, wait: impl FnOnce()) {
    let address = ptr::from_ref(lock).addr();
    locks::acquiring(address);
    wait();
    locks::acquired(address);
}

fn spin(lock: &AtomicUsize, take: fn(&AtomicUsize) -> bool) {
    acquire(lock, || {
        while !take(lock) {
            thread::yield_now();
        }
    });
}

fn block(lock: &AtomicUsize, take: fn(&AtomicUsize) -> bool) {
    may_block();
    acquire(lock, || {
        waiting::until(None, || take(lock));
    });
}

#[unsafe(export_name = "nmr_kernel_KeAcquireSpinLockRaiseToDpc")]
extern "efiapi" fn acquire_spin_lock(lock: &AtomicUsize) -> u8 {
    let old = level::set(DISPATCH_LEVEL);
    spin(lock, take_alone);
    old
}

#[unsafe(export_name = "nmr_kernel_KeReleaseSpinLock")]
extern "efiapi" fn release_spin_lock(lock: &AtomicUsize, old: u8) {
    give_back(lock);
    level::set(old);
}

#[unsafe(export_name = "nmr_kernel_KeAcquireSpinLockAtDpcLevel")]
extern "efiapi" fn acquire_spin_lock_at_dpc_level(lock: &AtomicUsize) {
    spin(lock, take_alone);
}

#[unsafe(export_name = "nmr_kernel_KeReleaseSpinLockFromDpcLevel")]
extern "efiapi" fn release_spin_lock_from_dpc_level(lock: &AtomicUsize) {
    give_back(lock);
}

#[unsafe(export_name = "nmr_kernel_ExAcquireSpinLockShared")]
extern "efiapi" fn acquire_spin_lock_shared(lock: &AtomicUsize) -> u8 {
    let old = level::set(DISPATCH_LEVEL);
    spin(lock, take_shared);
    old
}

#[unsafe(export_name = "nmr_kernel_ExAcquirePushLockExclusive")]
extern "efiapi" fn acquire_push_lock(lock: &AtomicUsize) {
    block(lock, take_alone);
}

#[unsafe(export_name = "nmr_kernel_ExAcquirePushLockShared")]
extern "efiapi" fn acquire_push_lock_shared(lock: &AtomicUsize) {
    block(lock, take_shared);
}

#[unsafe(export_name = "nmr_kernel_ExReleasePushLock")]
extern "efiapi" fn release_push_lock(lock: &AtomicUsize) {
    give_back(lock);
    waiting::changed();
}

/// `FAST_MUTEX`.
#[repr(C)]
struct FastMutex {
    lock: AtomicUsize,
    /// The level of its owner before.
    old: AtomicUsize,
}

#[unsafe(export_name = "nmr_kernel_ExAcquireFastMutex")]
extern "efiapi" fn acquire_fast_mutex(mutex: &FastMutex) {
    block(&mutex.lock, take_alone);
    let old = level::set(APC_LEVEL);
    mutex.old.store(usize::from(old), Ordering::Relaxed);
}

#[unsafe(export_name = "nmr_kernel_ExReleaseFastMutex")]
extern "efiapi" fn release_fast_mutex(mutex: &FastMutex) {
    let old = mutex.old.load(Ordering::Relaxed);
    give_back(&mutex.lock);
    level::set(u8::try_from(old).unwrap_or_default());
    waiting::changed();
}
