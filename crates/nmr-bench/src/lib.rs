//! Benchmarks of a guarded call and of the registrar, beside the same in C.
//!
//! Here is what is measured, as [`Work`] that can be done many times. The programs in `benches`
//! measure it.

use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
pub mod asymmetric;
pub mod c;
pub mod callbacks;
pub mod calls;
pub mod document;
pub mod floor;
pub mod guards;
pub mod lives;
pub mod many;
pub mod pending;
pub mod processors;
pub mod raw;
pub mod setting;
pub mod statistics;
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

/// Work that is made anew after a while, because it leaves something behind: a record grows.
pub struct Renewed<W> {
    prepare: fn() -> W,
    work: W,
    left: u64,
}

/// How often renewed work is done before it is made anew.
const LIFETIME: u64 = 10_000;

impl<W> Renewed<W> {
    /// Work that a function prepares.
    pub fn new(prepare: fn() -> W) -> Self {
        Self {
            prepare,
            work: prepare(),
            left: LIFETIME,
        }
    }
}

impl<W: Work> Work for Renewed<W> {
    fn run(&mut self, mut times: u64) -> Duration {
        let mut spent = Duration::ZERO;
        while times > 0 {
            if self.left == 0 {
                self.work = (self.prepare)();
                self.left = LIFETIME;
            }
            let now = times.min(self.left);
            spent += self.work.run(now);
            self.left -= now;
            times -= now;
        }
        spent
    }
}
