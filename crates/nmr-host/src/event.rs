//! [`NotificationEvent`]: what threads of an ordinary process wait for.

use std::time::{Duration, Instant};

use nmr_sys::{Event, NTSTATUS};

use crate::sync::{Condvar, Mutex, PoisonError};
use crate::visit::may_block;

/// An event for the waits of the safe layer, where a driver has a `KEVENT`.
///
/// A wait at `DISPATCH_LEVEL` inside a detach or cleanup callback is reported (V-52).
#[derive(Debug, Default)]
pub struct NotificationEvent {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Event for NotificationEvent {
    /// None is never.
    type Deadline = Option<Instant>;

    fn new() -> Result<Self, NTSTATUS> {
        Ok(Self::default())
    }

    fn set(&self) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn reset(&self) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    fn deadline(limit: Duration) -> Self::Deadline {
        Instant::now().checked_add(limit)
    }

    fn wait(&self, deadline: Option<Self::Deadline>) -> bool {
        may_block();
        let deadline = deadline.flatten();
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        while !*set {
            let Some(deadline) = deadline else {
                set = self
                    .changed
                    .wait(set)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = self.changed.wait_timeout(set, left);
            set = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        *set
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn it_stays_set_until_it_is_reset() {
        let event = NotificationEvent::new().unwrap();
        let now = NotificationEvent::deadline(Duration::ZERO);
        assert!(!event.wait(Some(now)));
        event.set();
        assert!(event.wait(Some(now)));
        assert!(event.wait(None));
        event.reset();
        assert!(!event.wait(Some(now)));
    }

    #[test]
    fn it_lets_everyone_through() {
        let event = NotificationEvent::new().unwrap();
        let far = NotificationEvent::deadline(Duration::MAX);
        thread::scope(|scope| {
            let event = &event;
            let waits = [None, Some(far)].map(|limit| scope.spawn(move || event.wait(limit)));
            event.set();
            assert!(waits.into_iter().all(|wait| wait.join().unwrap()));
        });
    }
}
