//! Objects in the memory of images.
// UNSAFETY: an object is an address that the image has given.
#![expect(unsafe_code)]

use std::hint::black_box;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use crate::native::kernel::call;

/// Lets a wait through by an object with this state, if it is signaled. A synchronization object lets one
/// thread through.
pub(super) fn take(state: &AtomicI32, synchronizes: bool) -> bool {
    let next = i32::from(!synchronizes);
    let taken = state.compare_exchange(1, next, Ordering::AcqRel, Ordering::Relaxed);
    taken.is_ok()
}

/// The object at an address that the calling image has given. Stops the host if it is not aligned as
/// an object of its kind is, and touches it, so that an address at which nothing is shows before the
/// caller has taken a lock.
///
/// # Safety
///
/// If the address is aligned and can be read, then an object is there for as long as the result is
/// used.
pub(super) unsafe fn object<'a, T>(address: *const T) -> &'a T {
    if !address.is_aligned() {
        let call = call::caller();
        let (name, alignment) = (call.name(), align_of::<T>());
        let what = format!("{name} got an object that is not aligned to {alignment} bytes,");
        call.stop(what, address.addr())
    }
    for place in [0, size_of::<T>() - 1] {
        let byte = address.cast::<u8>().wrapping_add(place);
        // Atomically, because other threads use the object.
        // SAFETY: a fault here is the image's, and is reported as such.
        let byte = unsafe { AtomicU8::from_ptr(byte.cast_mut()) };
        black_box(byte.load(Ordering::Relaxed));
    }
    // SAFETY: the object is there, as the caller requires of the image.
    unsafe { &*address }
}
