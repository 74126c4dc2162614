//! Allocation that can fail. `Box::new` cannot: when memory runs out, it stops the system.
// UNSAFETY: the allocator is called directly, because the fallible `Box` is not stable.
#![expect(unsafe_code)]

use alloc::alloc::{Layout, alloc};
use alloc::boxed::Box;
use core::ptr::NonNull;

use crate::error::{Error, Result};

/// The alignment that every kernel allocator gives. Those for drivers ignore a greater one.
const POOL_ALIGNMENT: usize = 16;

/// Moves a value to the heap. On failure the value is dropped.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>> {
    let place = allocate::<T>().ok_or(Error::INSUFFICIENT_RESOURCES)?;
    // SAFETY: a write needs valid and aligned memory: `place` was just allocated for a `T`.
    unsafe { place.write(value) };
    // SAFETY: a box needs an initialized value in memory of the global allocator, with the layout
    // of its type, and have no other user: all of that was established above.
    Ok(unsafe { Box::from_raw(place.as_ptr()) })
}

/// Puts an array on the heap, value by value: the stack of a driver is small.
pub(crate) fn try_array<T, const N: usize>(make: fn() -> T) -> Result<Box<[T; N]>> {
    let place = allocate::<[T; N]>().ok_or(Error::INSUFFICIENT_RESOURCES)?;
    for index in 0..N {
        // SAFETY: the element must be inside the memory, which is for `N` of them.
        let element = unsafe { place.cast::<T>().add(index) };
        // SAFETY: a write needs valid and aligned memory: `place` was just allocated for the array.
        unsafe { element.write(make()) };
    }
    // SAFETY: as above. Every element was written.
    Ok(unsafe { Box::from_raw(place.as_ptr()) })
}

/// Memory for one `T`.
fn allocate<T>() -> Option<NonNull<T>> {
    const {
        assert!(size_of::<T>() > 0, "nothing to allocate");
        assert!(
            align_of::<T>() <= POOL_ALIGNMENT,
            "pool memory is only aligned to 16 bytes"
        );
    }
    // SAFETY: the size must not be zero, which was asserted.
    let memory = unsafe { alloc(Layout::new::<T>()) };
    NonNull::new(memory.cast())
}
