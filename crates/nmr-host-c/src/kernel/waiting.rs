//! Waits of threads, all in one place: for a condition over the words of the modules' objects.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

static LOT: Mutex<()> = Mutex::new(());
static CHANGED: Condvar = Condvar::new();

/// Waits until `ready` returns `true`, or the deadline is over. Returns what `ready` returned last. It
/// is called again after each [`changed`].
pub(super) fn until(deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
    let mut lot = LOT.lock().unwrap_or_else(PoisonError::into_inner);
    while !ready() {
        lot = match deadline {
            None => CHANGED.wait(lot).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                let woken = CHANGED.wait_timeout(lot, left);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
    true
}

/// Says that a word was changed that a thread may wait for.
pub(super) fn changed() {
    drop(LOT.lock().unwrap_or_else(PoisonError::into_inner));
    CHANGED.notify_all();
}
