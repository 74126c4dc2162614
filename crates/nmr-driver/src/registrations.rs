//! Registration with the kernel when a driver begins and ends. `driver!` does both; a driver with an entry
//! point of its own calls these functions.
// UNSAFETY: a function of the kernel.
#![cfg_attr(debug_assertions, expect(unsafe_code))]

use crate::bug_check::bug_check;

// The Microsoft convention, as in nmr-sys.
#[cfg(debug_assertions)]
unsafe extern "efiapi" {
    fn PsGetCurrentThreadId() -> usize;
}

/// `DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS`.
const DRIVER_UNLOADED_WITH_OPERATIONS: u32 = 0xCE;

/// The last thing that a driver's unload routine does, and its `DriverEntry` before it fails: stops the system if
/// a module of this image is still registered, because its registration was forgotten, or is kept in a static.
/// The NMR would call into memory that is gone.
///
/// The bug check is `DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS` (0xCE); its first parameter is the
/// number of registrations that were left. `PASSIVE_LEVEL`, when no other thread registers any more.
#[inline]
pub fn require_no_registrations() {
    let left = nmr::registrations();
    if left != 0 {
        bug_check(DRIVER_UNLOADED_WITH_OPERATIONS, [left, 0, 0, 0]);
    }
}

/// The first thing that a `DriverEntry` does: lets a debug build stop when a registration ends inside one of
/// its own callbacks, as [`nmr::identify_threads`] says. A release build does nothing.
#[inline]
pub fn identify_threads() {
    #[cfg(debug_assertions)]
    nmr::identify_threads(|| {
        // SAFETY: it has no requirements.
        unsafe { PsGetCurrentThreadId() }
    });
}
