//! Queued spin locks in the stack: `KeAcquireInStackQueuedSpinLock`,
//! `KeReleaseInStackQueuedSpinLock`, and the pair for `DISPATCH_LEVEL`.
// UNSAFETY: a lock and its handle are in the memory of an image.
#![expect(unsafe_code)]

use super::object::object;
use super::spin;

/// `KLOCK_QUEUE_HANDLE`.
#[repr(C)]
pub(crate) struct Handle {
    next: usize,
    lock: *mut usize,
    before: u8,
}

const _: () = assert!(size_of::<Handle>() == 0x18);

pub(crate) unsafe extern "win64" fn acquire(lock: *mut usize, handle: *mut Handle) {
    // SAFETY: the driver passes a lock.
    let before = unsafe { spin::acquire(lock) };
    let value = Handle {
        next: 0,
        lock,
        before,
    };
    // SAFETY: the driver passes a handle.
    unsafe { handle.write(value) };
}

pub(crate) unsafe extern "win64" fn release(handle: *const Handle) {
    // SAFETY: the driver passes the handle that it acquired a lock with.
    let Handle { lock, before, .. } = *unsafe { object(handle) };
    // SAFETY: as above.
    unsafe { spin::release(lock, before) };
}
