//! [`SpinLock`]: the lock for data that several IRQLs share.
// UNSAFETY: the lock gives exclusive access, which its implementation has to promise.
#![expect(unsafe_code)]

/// A spin lock of the system: it raises its owner to `DISPATCH_LEVEL`, and excludes all other threads and
/// processors.
///
/// The safe layer needs it for `nmr::Locked`. In a driver the crate `nmr-driver` has it: a `KSPIN_LOCK`.
/// The embedded registrar `nmr-host` has one for programs.
///
/// Source: `KeInitializeSpinLock`, `KeAcquireSpinLock`, `KeReleaseSpinLock`.
///
/// # Safety
///
/// * From the return of an `acquire` to the `release` that follows it, no other `acquire` of the same lock
///   returns.
/// * Whatever comes before a `release` happens before what comes after the next `acquire`.
pub unsafe trait SpinLock: Send + Sync + Sized + 'static {
    /// What the owner gives back: the level that it had.
    type Saved: Copy;

    /// A lock that is free. Any IRQL. It may be moved while it is free.
    fn new() -> Self;

    /// Takes the lock. At most `DISPATCH_LEVEL`; returns at `DISPATCH_LEVEL`. A thread that has the lock must
    /// not take it again.
    ///
    /// # Safety
    ///
    /// * The thread gives the lock back with `release`, before the locks that it took earlier.
    unsafe fn acquire(&self) -> Self::Saved;

    /// Gives the lock back, and lowers the thread to the level that it had.
    ///
    /// # Safety
    ///
    /// * This thread has the lock; `saved` is what `acquire` returned.
    /// * Locks that it took later have been given back.
    unsafe fn release(&self, saved: Self::Saved);
}
