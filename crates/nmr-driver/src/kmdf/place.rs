//! [`Place`]: where the driver is between `DriverEntry` and `EvtDriverUnload`.
// UNSAFETY: a static that several threads use, in turn.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;

use nmr::{Error, Result};

use crate::driver::Driver;

/// Where the driver is between `DriverEntry` and `EvtDriverUnload`.
///
/// A static, and not a context of the driver object. Both exist once each time the image is loaded;
/// the static needs no type information, no look-up, and no second story for its failure.
///
/// # Invariants
///
/// `DriverEntry` writes to the cell, then requests read it, then `EvtDriverUnload` empties it.
pub struct Place<T>(UnsafeCell<Option<T>>);

// SAFETY: Windows makes devices after `DriverEntry` has returned success, the framework ends their
// requests before it calls `EvtDriverUnload`, and that once. So a writer is alone, and each sees
// what was written before. They may be several threads: a driver is `Send` and `Sync`.
unsafe impl<T: Driver> Sync for Place<T> {}

impl<T: Driver> Place<T> {
    /// An empty place.
    #[must_use]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// Puts the driver here.
    ///
    /// # Safety
    ///
    /// * `DriverEntry` calls it.
    pub(super) unsafe fn put(&self, driver: T) {
        // SAFETY: the pointer is valid, and there is no other user, by the invariant.
        unsafe { self.0.get().write(Some(driver)) };
    }

    /// The driver, for a request. Fails with [`Error::DEVICE_NOT_READY`] if there is none, which no request sees.
    ///
    /// # Safety
    ///
    /// * A request of the driver is in progress as long as the result is used.
    pub(super) unsafe fn get(&self) -> Result<&T> {
        // SAFETY: no thread writes while there are requests, by the invariant.
        let driver = unsafe { &*self.0.get() };
        driver.as_ref().ok_or(Error::DEVICE_NOT_READY)
    }

    /// Takes the driver.
    ///
    /// # Safety
    ///
    /// * `EvtDriverUnload` calls it.
    pub(super) unsafe fn take(&self) -> Option<T> {
        // SAFETY: the pointer is valid, and there is no other user, by the invariant.
        unsafe { self.0.get().replace(None) }
    }
}
