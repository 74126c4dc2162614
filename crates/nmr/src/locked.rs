//! [`Locked`]: data behind a spin lock.
// UNSAFETY: the lock decides who may change the data.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;

use nmr_sys::SpinLock;

/// Data that a module's methods and threads share at any IRQL up to `DISPATCH_LEVEL`, behind a spin lock of
/// the system: `nmr_driver::KernelSpinLock` in a driver, `nmr_host::HostSpinLock` in a program.
///
/// ```
/// use nmr::Locked;
/// use nmr_host::HostSpinLock;
///
/// let requests: Locked<Vec<u32>, HostSpinLock> = Locked::new(vec![1, 2]);
/// let taken = requests.with(core::mem::take);
/// assert_eq!(taken, [1, 2]);
/// assert!(requests.with(|requests| requests.is_empty()));
/// ```
///
/// # Locks
///
/// What runs under a spin lock is short, calls no peer, allocates at most from non-paged pool, and does not drop a
/// [`Call`](crate::Call): take it out, as above, and drop it when [`with`](Self::with) has returned. To take
/// the lock again inside is a deadlock, which the host's lock stops with a message.
///
/// Source: "Introduction to Spin Locks" of the Windows driver documentation.
pub struct Locked<T, L> {
    lock: L,
    data: UnsafeCell<T>,
}

/// The lock is taken. Dropping it gives the lock back, also when the owner unwinds.
struct Owner<'a, L: SpinLock> {
    lock: &'a L,
    saved: L::Saved,
}

impl<T, L: SpinLock> Locked<T, L> {
    /// Puts data behind a lock. Any IRQL; allocates nothing.
    pub fn new(data: T) -> Self {
        Self {
            lock: L::new(),
            data: UnsafeCell::new(data),
        }
    }

    /// Runs something with the data, at `DISPATCH_LEVEL`. The caller is at most at `DISPATCH_LEVEL`, and is back
    /// at its own level afterwards.
    pub fn with<R>(&self, run: impl FnOnce(&mut T) -> R) -> R {
        let _owner = Owner {
            lock: &self.lock,
            // SAFETY: the owner gives it back when this function ends, in which calls of it are nested.
            saved: unsafe { self.lock.acquire() },
        };
        // SAFETY: the lock excludes every other reference to the data until the owner is dropped.
        run(unsafe { &mut *self.data.get() })
    }

    /// The data, when no other thread can use them any more.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<L: SpinLock> Drop for Owner<'_, L> {
    fn drop(&mut self) {
        // SAFETY: this thread took the lock. Locks that it took later have been given back, which is what taking
        // them required.
        unsafe { self.lock.release(self.saved) };
    }
}

// SAFETY: the lock lets one thread at a time use the data, which may be another thread's: they are `Send`.
unsafe impl<T: Send, L: SpinLock> Sync for Locked<T, L> {}
