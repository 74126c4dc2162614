//! Remove locks: `IoInitializeRemoveLock` and its family, which inline functions of the headers call. The lock counts one
//! more than its holders until it is removed.
// UNSAFETY: the lock is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use super::object::object;
use crate::native::kernel::call::misuse;
use crate::native::kernel::irql::check_level;
use crate::native::kernel::nt::{NtStatus, STATUS_DELETE_PENDING, STATUS_SUCCESS};
use crate::native::kernel::wait;

/// `IO_REMOVE_LOCK`, of which only this is used.
#[repr(C)]
pub(crate) struct RemoveLock {
    removed: AtomicU8,
    count: AtomicI32,
    _event: [u64; 3],
}

const _: () = assert!(size_of::<RemoveLock>() == SIZE as usize);

/// The size of a lock in free builds; that of checked builds is longer.
const SIZE: u32 = 0x20;

/// # Safety
///
/// `lock` is an `IO_REMOVE_LOCK`.
unsafe fn find<'a>(lock: *mut RemoveLock, size: u32) -> &'a RemoveLock {
    if size < SIZE {
        misuse(format!(
            "the size of the lock is {size:#x}, which is less than {SIZE:#x}"
        ));
    }
    // SAFETY: it is a lock, by this contract.
    unsafe { object(lock) }
}

/// Highest level: `PASSIVE_LEVEL`.
pub(crate) unsafe extern "win64" fn initialize(
    lock: *mut RemoveLock,
    _tag: u32,
    _minutes: u32,
    _high_watermark: u32,
    size: u32,
) {
    check_level(PASSIVE_LEVEL);
    // SAFETY: `lock` is an `IO_REMOVE_LOCK`; the driver guarantees it.
    let lock = unsafe { find(lock, size) };
    lock.removed.store(0, Ordering::Relaxed);
    lock.count.store(1, Ordering::Release);
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) unsafe extern "win64" fn acquire(
    lock: *mut RemoveLock,
    _tag: usize,
    _file: usize,
    _line: u32,
    size: u32,
) -> NtStatus {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `lock` is an `IO_REMOVE_LOCK`; the driver guarantees it.
    let lock = unsafe { find(lock, size) };
    lock.count.fetch_add(1, Ordering::AcqRel);
    if lock.removed.load(Ordering::Acquire) == 0 {
        return STATUS_SUCCESS;
    }
    give_back(lock);
    STATUS_DELETE_PENDING
}

fn give_back(lock: &RemoveLock) {
    if lock.count.fetch_sub(1, Ordering::AcqRel) < 1 {
        misuse("released more often than acquired");
    }
    wait::ring();
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) unsafe extern "win64" fn release(lock: *mut RemoveLock, _tag: usize, size: u32) {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `lock` is an `IO_REMOVE_LOCK`; the driver guarantees it.
    give_back(unsafe { find(lock, size) });
}

/// Highest level: `PASSIVE_LEVEL`. The caller has acquired the lock; waits until no other holder is left.
pub(crate) unsafe extern "win64" fn release_and_wait(
    lock: *mut RemoveLock,
    _tag: usize,
    size: u32,
) {
    check_level(PASSIVE_LEVEL);
    nmr_host::may_block();
    // SAFETY: `lock` is an `IO_REMOVE_LOCK`; the driver guarantees it.
    let lock = unsafe { find(lock, size) };
    if lock.removed.swap(1, Ordering::AcqRel) != 0 {
        misuse("the lock is removed already");
        return;
    }
    give_back(lock);
    give_back(lock);
    wait::block(None, || lock.count.load(Ordering::Acquire) <= 0);
}
