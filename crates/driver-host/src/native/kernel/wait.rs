//! Waiting, and the clock for it. All waits of the process share one bell: drivers under test wait
//! seldom.

use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// When the time of interrupts begins.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

static LOCK: Mutex<()> = Mutex::new(());
static BELL: Condvar = Condvar::new();

/// Blocks until something is true or the time is over. Whatever makes it true [rings](ring).
pub(crate) fn block(limit: Option<Duration>, ready: impl Fn() -> bool) -> bool {
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if ready() {
            return true;
        }
        lock = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => BELL.wait(lock).unwrap_or_else(PoisonError::into_inner),
            Some(Duration::ZERO) => return false,
            Some(left) => {
                BELL.wait_timeout(lock, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
    }
}

/// Changes something while no [blocked](block) thread checks its condition, and wakes them to check again.
pub(crate) fn locked<T>(change: impl FnOnce() -> T) -> T {
    let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let result = change();
    BELL.notify_all();
    result
}

/// Wakes all [blocked](block) threads, to check their conditions again.
pub(crate) fn ring() {
    let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    BELL.notify_all();
}

/// The time of day, in steps of 100 nanoseconds since the year 1601.
pub(crate) fn system_time() -> u64 {
    const UNIX: u64 = 116_444_736_000_000_000;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_nanos() / 100;
    UNIX + u64::try_from(since).unwrap_or(u64::MAX - UNIX)
}

/// Windows counts in steps of 100 nanoseconds: from now if negative, else from the year 1601.
pub(crate) fn duration(time: i64) -> Duration {
    let steps = if time <= 0 {
        time.unsigned_abs()
    } else {
        time.unsigned_abs().saturating_sub(system_time())
    };
    // A century is as good as for ever, and can be added to the present.
    Duration::from_nanos(steps.saturating_mul(100)).min(Duration::from_hours(24 * 36_525))
}

/// The time since the start, in steps of 100 nanoseconds.
pub(crate) fn interrupt_time() -> u64 {
    u64::try_from(START.elapsed().as_nanos() / 100).unwrap_or(u64::MAX)
}
