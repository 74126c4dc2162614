//! [`KernelSpinLock`], on functions of the kernel.
// UNSAFETY: functions of the kernel.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;

use nmr::SpinLock;

// The Microsoft convention, as in nmr-sys. Inline as in `event.rs`.
unsafe extern "efiapi" {
    fn KeAcquireSpinLockRaiseToDpc(lock: *mut usize) -> u8;
    fn KeReleaseSpinLock(lock: *mut usize, irql: u8);
}

/// A `KSPIN_LOCK`, for [`nmr::Locked`]. It has to be in non-paged memory, as all that the driver's allocator
/// gives is.
pub struct KernelSpinLock(UnsafeCell<usize>);

// SAFETY: only functions of the kernel access it, which may be called from any processor.
unsafe impl Sync for KernelSpinLock {}

// SAFETY: a spin lock of the kernel excludes the other processors and, at `DISPATCH_LEVEL`, the other threads
// of its own, and orders memory.
unsafe impl SpinLock for KernelSpinLock {
    /// The `KIRQL` before.
    type Saved = u8;

    /// `KeInitializeSpinLock` is an inline function that writes zero.
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    #[inline]
    unsafe fn acquire(&self) -> u8 {
        // SAFETY: the lock is initialized and stays while it is borrowed.
        unsafe { KeAcquireSpinLockRaiseToDpc(self.0.get()) }
    }

    #[inline]
    unsafe fn release(&self, saved: u8) {
        // SAFETY: this thread has the lock and the level is that before it: the requirements of this function.
        unsafe { KeReleaseSpinLock(self.0.get(), saved) };
    }
}
