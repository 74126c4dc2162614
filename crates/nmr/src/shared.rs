//! [`Shared`]: a value with several owners.
// UNSAFETY: reference counting frees memory by hand.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::ops::Deref;
use core::ptr::NonNull;

use crate::boxed::try_box;
use crate::error::Result;
use crate::sync::{AtomicUsize, Ordering};

/// A value on the heap with several owners: what `Arc` is, except that [`Shared::new`] can fail.
///
/// A module uses it for what its bindings have in common. The last owner drops the value.
///
/// ```
/// # fn main() -> nmr::Result {
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use nmr::Shared;
///
/// let calls = Shared::new(AtomicU32::new(0))?;
/// let other = calls.clone();
/// other.fetch_add(1, Ordering::Relaxed);
/// assert_eq!(calls.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// The pointer is to a live `Counted<T>`, and this owner is one of those that it counts.
pub struct Shared<T>(NonNull<Counted<T>>);

/// A value and the number of its owners, which cannot overflow: that takes 2^64 of them.
struct Counted<T> {
    owners: AtomicUsize,
    value: T,
}

impl<T> Shared<T> {
    /// Moves a value to the heap. At most `DISPATCH_LEVEL`.
    ///
    /// Fails with [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES), and then
    /// drops the value.
    pub fn new(value: T) -> Result<Self> {
        let owners = AtomicUsize::new(1);
        let counted = try_box(Counted { owners, value })?;
        // INVARIANT: there is one owner, and it is counted.
        Ok(Self(NonNull::from(Box::leak(counted))))
    }

    /// Where the value is. The pointer may be used as long as there is an owner.
    pub(crate) fn as_ptr(&self) -> NonNull<T> {
        NonNull::from(&**self)
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: a reference needs a live value without an exclusive reference: it lives as long as
        // this owner, by the invariant, and its owners only share it.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        self.counted().owners.fetch_add(1, Ordering::Relaxed);
        // INVARIANT: the new owner is counted.
        Self(self.0)
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Every owner releases what it did with the value; the last one acquires it.
        if self.counted().owners.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: this was the last owner.
            unsafe { free(self.0) };
        }
    }
}

/// Frees a value. One piece of code for all owners of a type.
///
/// # Safety
///
/// * The value comes from [`Shared::new`], and has no owner any more.
#[inline(never)]
unsafe fn free<T>(value: NonNull<Counted<T>>) {
    // SAFETY: `new` leaked a box, and no other code uses the value: the caller's requirement.
    drop(unsafe { Box::from_raw(value.as_ptr()) });
}

// SAFETY: as for `Arc`: another thread may both use the value and be the one to drop it.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as for `Arc`: a shared owner can be cloned, and the clone sent.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

#[cfg(all(test, not(loom), not(shuttle)))]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::Shared;

    struct CountsDrops<'a>(&'a AtomicUsize);

    impl Drop for CountsDrops<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_owner_drops_the_value() {
        let drops = AtomicUsize::new(0);
        let first = Shared::new(CountsDrops(&drops)).unwrap();
        let second = first.clone();
        drop(first);
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        drop(second);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn owners_on_several_threads_drop_it_once() {
        let drops = AtomicUsize::new(0);
        let first = Shared::new(CountsDrops(&drops)).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                let owner = first.clone();
                scope.spawn(move || drop(owner.clone()));
            }
        });
        drop(first);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }
}
