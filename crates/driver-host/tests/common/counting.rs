//! An allocator that counts what each thread has, so that a test can limit it.
// UNSAFETY: an allocator.
#![expect(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static COUNT: Cell<Count> = const { Cell::new(Count { now: 0, most: 0, total: 0 }) };
}

#[derive(Clone, Copy)]
struct Count {
    now: usize,
    most: usize,
    total: usize,
}

/// The memory that a piece of work took, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// The most that it had at once.
    pub(crate) most: usize,
    /// All that it asked for, one after the other.
    pub(crate) total: usize,
}

/// Does a piece of work, and measures its memory on this thread.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, Memory) {
    let before = COUNT.get().now;
    COUNT.set(Count {
        now: before,
        most: before,
        total: 0,
    });
    let result = work();
    let Count { most, total, .. } = COUNT.get();
    let most = most - before;
    (result, Memory { most, total })
}

fn take(size: usize) {
    let mut count = COUNT.get();
    count.now += size;
    count.most = count.most.max(count.now);
    count.total += size;
    COUNT.set(count);
}

fn give_back(size: usize) {
    let mut count = COUNT.get();
    // What another thread has taken may be given back here.
    count.now = count.now.saturating_sub(size);
    COUNT.set(count);
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: the caller's contract is the system's.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the content is copied.
        take(size);
        give_back(layout.size());
        // SAFETY: the caller's contract is the system's.
        unsafe { System.realloc(block, layout, size) }
    }
}
