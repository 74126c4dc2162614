//! Work of several threads at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Runs a function on a thread for each item; they begin together. Returns how long the slowest took.
///
/// # Panics
///
/// If one of them does.
pub fn together<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) -> Duration {
    let ready = AtomicUsize::new(0);
    let run = |item| {
        ready.fetch_add(1, Ordering::AcqRel);
        // Sleeping would make one of them late.
        while ready.load(Ordering::Acquire) < items.len() {
            std::hint::spin_loop();
        }
        let start = Instant::now();
        work(item);
        start.elapsed()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(|| run(item))).collect();
        let times = threads
            .into_iter()
            .map(|thread| thread.join().expect("it worked"));
        times.max().unwrap_or_default()
    })
}
