//! Guarded calls by several threads into one peer.

use std::hint::black_box;

use nmr::{Processor, Slot, SpreadSlot};

use crate::Work;
use crate::calls::{CounterDispatch, Lives, Pair, SlotPair, guarded};
use crate::processors::Current;
use crate::together::Threads;

/// Calls that are counted in one word.
#[must_use]
pub fn gate(threads: u32) -> Box<dyn Work> {
    let peer = Pair::leak().peer();
    Box::new(Threads::new(threads, move |thread, times| {
        guarded(peer, thread, times);
    }))
}

/// The same in a slot, which is looked at first.
#[must_use]
pub fn slot(threads: u32) -> Box<dyn Work> {
    let pair = SlotPair::<Slot<CounterDispatch>>::leak();
    Box::new(Threads::new(threads, move |thread, times| {
        pair.guarded(thread, times);
    }))
}

/// Calls that are counted for each processor.
#[must_use]
pub fn spread(threads: u32) -> Box<dyn Work> {
    let pair = SlotPair::<SpreadSlot<CounterDispatch, Current>>::leak();
    Box::new(Threads::new(threads, move |thread, times| {
        pair.guarded(thread, times);
    }))
}

/// Calls that store into the slot of the thread.
#[cfg(target_os = "linux")]
#[must_use]
pub fn asymmetric(threads: u32) -> Box<dyn Work> {
    use crate::calls::Counter;

    let guard: &'static _ = Box::leak(Box::new(crate::asymmetric::Asymmetric::new()));
    let peer = Pair::leak().peer();
    Box::new(Threads::new(threads, move |thread, times| {
        // It stays attached, so that the call itself is bare.
        let peer = peer.enter().expect("they are attached");
        let mut sum = 0_u32;
        for _ in 0..times {
            if guard.enter(thread).is_ok() {
                sum = sum.wrapping_add(peer.add(thread));
                assert!(!guard.leave(thread), "it is never closed");
            }
        }
        black_box(sum);
    }))
}

/// The question for the processor alone.
#[must_use]
pub fn number(threads: u32) -> Box<dyn Work> {
    Box::new(Threads::new(threads, |_, times| {
        for _ in 0..times {
            black_box(Current::number());
        }
    }))
}

/// A client that attaches to the one provider and leaves.
#[must_use]
pub fn life() -> Box<dyn Work> {
    let lives = Lives::new();
    Box::new(move |times| (0..times).for_each(|_| lives.one::<Slot<_>>()))
}

/// The same with a word for each processor: what they cost at both ends.
#[must_use]
pub fn spread_life() -> Box<dyn Work> {
    let lives = Lives::new();
    Box::new(move |times| (0..times).for_each(|_| lives.one::<SpreadSlot<_, Current>>()))
}
