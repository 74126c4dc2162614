//! On which processor a thread runs.
// UNSAFETY: foreign functions.
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

/// Pins this thread to one of the processors that it may use; threads with other numbers are pinned to others, as
/// long as there are enough. A thread that it starts is pinned to the same, until it calls this itself.
#[cfg(target_os = "linux")]
pub fn pin(thread: usize) {
    use std::sync::OnceLock;

    /// The processors of this process. The first thread that is pinned has asked for them before.
    static USABLE: OnceLock<Vec<usize>> = OnceLock::new();
    let usable = USABLE.get_or_init(usable);
    let processor = usable[thread % usable.len()];
    // SAFETY: a zeroed set is an empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the processor is one that the system has named, so it is in the range of a set.
    unsafe { libc::CPU_SET(processor, &mut set) };
    // SAFETY: the set is initialized, and of the size that is given.
    let pinned = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    assert_eq!(
        pinned, 0,
        "the processor was usable when this program began"
    );
}

/// The processors that this thread may use.
#[cfg(target_os = "linux")]
fn usable() -> Vec<usize> {
    // SAFETY: a zeroed set is an empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is a place for one, of the size that is given.
    let asked = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    assert_eq!(asked, 0, "a thread may ask for its own processors");
    let all = 0..8 * size_of_val(&set);
    // SAFETY: the numbers are in the range of a set.
    all.filter(|&processor| unsafe { libc::CPU_ISSET(processor, &set) })
        .collect()
}

/// Elsewhere threads run where the system puts them.
#[cfg(not(target_os = "linux"))]
pub fn pin(_thread: usize) {}

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
