//! On which processor a thread runs.
// UNSAFETY: a foreign function.
#![cfg_attr(target_os = "linux", expect(unsafe_code))]

use nmr::Processor;

/// What the system says: as good as `KeGetCurrentProcessorNumberEx` in a driver.
pub struct Current;

#[cfg(target_os = "linux")]
impl Processor for Current {
    fn number() -> usize {
        // SAFETY: it has no requirements.
        let number = unsafe { libc::sched_getcpu() };
        usize::try_from(number).unwrap_or_default()
    }
}

/// The number of the thread, where asking the system is slow or unknown.
#[cfg(not(target_os = "linux"))]
impl Processor for Current {
    fn number() -> usize {
        use std::sync::atomic::{AtomicUsize, Ordering};

        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        NUMBER.with(|number| *number)
    }
}
