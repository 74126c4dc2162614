//! Work of several threads at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Work;
use crate::processors::pin;

/// Work that several threads do at the same time, each that many times. The times are those of one
/// thread.
pub struct Threads<F> {
    numbers: Vec<u32>,
    work: F,
}

impl<F: Fn(u32, u64) + Sync> Threads<F> {
    /// So many threads, which call a function with their number and the times.
    pub fn new(count: u32, work: F) -> Self {
        Self {
            numbers: (0..count).collect(),
            work,
        }
    }
}

impl<F: Fn(u32, u64) + Sync> Work for Threads<F> {
    fn run(&mut self, times: u64) -> Duration {
        together(&self.numbers, |number| (self.work)(*number, times))
    }
}

/// Runs a function on a thread for each item, each pinned to a processor; they begin together. Returns how long it takes from the
/// first beginning to the last end, so a thread that is late counts.
///
/// # Panics
///
/// If one of them does.
pub fn together<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) -> Duration {
    let ready = AtomicUsize::new(0);
    let run = &|(thread, item): (usize, &T)| {
        pin(thread);
        ready.fetch_add(1, Ordering::AcqRel);
        // Sleeping would make one of them late.
        while ready.load(Ordering::Acquire) < items.len() {
            std::hint::spin_loop();
        }
        let start = Instant::now();
        work(item);
        (start, Instant::now())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .enumerate()
            .map(|numbered| scope.spawn(move || run(numbered)))
            .collect();
        let times = threads
            .into_iter()
            .map(|thread| thread.join().expect("it worked"));
        let (starts, ends): (Vec<_>, Vec<_>) = times.unzip();
        let (first, last) = (starts.into_iter().min(), ends.into_iter().max());
        first
            .zip(last)
            .map_or(Duration::ZERO, |(first, last)| last - first)
    })
}
