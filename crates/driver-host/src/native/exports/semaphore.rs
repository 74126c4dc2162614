//! Semaphores: `KeInitializeSemaphore`, `KeReleaseSemaphore`, `KeReadStateSemaphore`. Each [wait](super::waiting)
//! that ends takes one of their count.
//!
//! Levels are those of the pages of these names in Microsoft's reference of `wdm.h`.
// UNSAFETY: a semaphore is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use super::object::object;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::exception::Exception;
use crate::native::kernel::irql::check_level;
use crate::native::kernel::wait;

/// What an object that can be waited for has for its type if it is a semaphore.
pub(super) const SEMAPHORE: u8 = 5;

/// `KSEMAPHORE`.
#[repr(C)]
pub(crate) struct Semaphore {
    kind: AtomicU8,
    _header: [u8; 3],
    count: AtomicI32,
    _waits: [usize; 2],
    limit: AtomicI32,
}

const _: () = assert!(size_of::<Semaphore>() == 0x20);

impl Semaphore {
    /// Returns `true` if a wait would end.
    pub(super) fn is_signaled(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Takes one of the count, if there is one.
    pub(super) fn take(&self) -> bool {
        let less = |count: i32| (count > 0).then(|| count - 1);
        let taken = self
            .count
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, less);
        taken.is_ok()
    }
}

/// At `PASSIVE_LEVEL`.
pub(crate) unsafe extern "win64" fn initialize(
    semaphore: *const Semaphore,
    count: i32,
    limit: i32,
) {
    check_level(PASSIVE_LEVEL);
    // SAFETY: `semaphore` points to memory for a semaphore; the driver guarantees it.
    let semaphore = unsafe { object(semaphore) };
    if count < 0 || limit < count.max(1) {
        misuse(format!("the count is {count} and the limit {limit}"));
    }
    semaphore.kind.store(SEMAPHORE, Ordering::Relaxed);
    semaphore.limit.store(limit, Ordering::Relaxed);
    semaphore.count.store(count, Ordering::Release);
}

/// `STATUS_SEMAPHORE_LIMIT_EXCEEDED`.
const LIMIT_EXCEEDED: u32 = 0xc000_0047;

/// Highest level: `DISPATCH_LEVEL`. Returns the count before.
pub(crate) unsafe extern "win64" fn release(
    semaphore: *const Semaphore,
    _increment: i32,
    adjustment: i32,
    _wait: u8,
) -> i32 {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `semaphore` points to a semaphore; the driver guarantees it.
    let own = unsafe { object(semaphore) };
    let limit = own.limit.load(Ordering::Relaxed);
    let more = |count: i32| {
        let sum = count.checked_add(adjustment);
        sum.filter(|&sum| sum > count && sum <= limit)
    };
    let released = wait::locked(|| {
        own.count
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, more)
    });
    released.unwrap_or_else(|count| {
        let what = "STATUS_SEMAPHORE_LIMIT_EXCEEDED";
        call::raise(what, Exception::new(LIMIT_EXCEEDED), Some(semaphore.addr()));
        count
    })
}

/// At any level. Returns the count.
pub(crate) unsafe extern "win64" fn read(semaphore: *const Semaphore) -> i32 {
    // SAFETY: `semaphore` points to a semaphore; the driver guarantees it.
    unsafe { object(semaphore) }.count.load(Ordering::Acquire)
}
