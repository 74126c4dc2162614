//! What a guarded call and the registrar cost, beside the same in C.
//!
//! Here is what is measured, as [`Work`] that can be done many times. The programs in `benches`
//! measure it.

use std::time::{Duration, Instant};

pub mod c;
pub mod callbacks;
pub mod calls;
pub mod document;
pub mod floor;
pub mod lives;
pub mod many;
pub mod pending;
pub mod raw;
pub mod setting;
pub mod together;

/// Something that can be done many times.
pub trait Work {
    /// Does it that many times, and returns how long that took.
    fn run(&mut self, times: u64) -> Duration;
}

/// A function of the number of times is work.
impl<F: FnMut(u64)> Work for F {
    fn run(&mut self, times: u64) -> Duration {
        let start = Instant::now();
        self(times);
        start.elapsed()
    }
}
