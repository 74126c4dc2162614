//! The reader of images on any bytes, within limits of memory and processor time.
#![no_main]

#[path = "../../crates/driver-host/tests/common/reading.rs"]
mod reading;

use std::time::Duration;

/// How much processor time the reading of a file of this size may take, with AddressSanitizer: many
/// times of what it takes.
fn allowed(size: usize) -> Duration {
    Duration::from_millis(20) + Duration::from_micros(2) * u32::try_from(size).unwrap_or(u32::MAX)
}

/// The processor time that this thread has taken, which does not depend on other programs.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes a time.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let before = processor_time();
    reading::read(bytes);
    let (used, allowed) = (processor_time() - before, allowed(bytes.len()));
    assert!(used <= allowed, "{} bytes took {used:?}, of {allowed:?}", bytes.len());
});
