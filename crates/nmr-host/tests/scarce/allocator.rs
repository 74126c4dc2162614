//! An allocator of which a thread can run out.
// UNSAFETY: an allocator that fails on demand.
#![expect(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

/// The system's allocator, of which a thread can run out.
struct Scarce;

thread_local! {
    /// How many allocations this thread may still make.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

#[global_allocator]
static SCARCE: Scarce = Scarce;

// SAFETY: what it gives comes from the system's allocator.
unsafe impl GlobalAlloc for Scarce {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(left) = LEFT.get().checked_sub(1) else {
            return ptr::null_mut();
        };
        LEFT.set(left);
        // SAFETY: the requirements are those of this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the requirements are those of this function.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Runs something with so many allocations.
pub(crate) fn with_memory<T>(allocations: usize, run: impl FnOnce() -> T) -> T {
    LEFT.set(allocations);
    let result = run();
    LEFT.set(usize::MAX);
    result
}
