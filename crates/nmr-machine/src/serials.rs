//! The numbers of bindings, for people: 1, 2, 3 over all lanes.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

/// The numbers that a lane gives out.
#[derive(Debug)]
pub(crate) struct Serials {
    /// The last one that any lane has taken.
    taken: Arc<AtomicU64>,
    /// How many numbers it takes at once.
    block: u64,
    next: u64,
    end: u64,
}

impl Serials {
    pub(crate) fn new(taken: Arc<AtomicU64>, block: u64) -> Self {
        Self {
            taken,
            block,
            next: 1,
            end: 1,
        }
    }

    pub(crate) fn take(&mut self) -> u64 {
        if self.next == self.end {
            self.next = self.taken.fetch_add(self.block, Ordering::Relaxed) + 1;
            self.end = self.next + self.block;
        }
        let serial = self.next;
        self.next += 1;
        serial
    }
}

/// A copy gives out the same numbers as the original, each for itself: it is another world.
impl Clone for Serials {
    fn clone(&self) -> Self {
        Self {
            taken: Arc::new(AtomicU64::new(self.taken.load(Ordering::Relaxed))),
            ..*self
        }
    }
}
