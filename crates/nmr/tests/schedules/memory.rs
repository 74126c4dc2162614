//! Freed memory is overwritten, so that a use after it does not find what was there.
// UNSAFETY: an allocator.
#![expect(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};

struct Overwriting;

#[global_allocator]
static ALLOCATOR: Overwriting = Overwriting;

// SAFETY: it is the system's allocator; a block that is being freed may be written.
unsafe impl GlobalAlloc for Overwriting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        for offset in 0..layout.size() {
            // SAFETY: the offset is inside the block.
            let byte = unsafe { memory.add(offset) };
            // SAFETY: the block is valid for writes until it is freed. Volatile, because otherwise
            // the compiler leaves out a dead store.
            unsafe { byte.write_volatile(0xdd) };
        }
        // SAFETY: the caller promises the same.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// A word that only a live object has.
pub(crate) struct Alive(u64);

const LIVE: u64 = 0x616c_6976_655f_6f62;

impl Alive {
    pub(crate) fn new() -> Self {
        Self(LIVE)
    }

    pub(crate) fn check(&self) {
        assert_eq!(self.0, LIVE, "an object is used after it was dropped");
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.check();
        // SAFETY: the word is valid for writes. Volatile, as above.
        unsafe { (&raw mut self.0).write_volatile(0) };
    }
}
