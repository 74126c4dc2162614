//! Holding calls: what makes it certain, not lucky, that a detach finds calls in progress.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A place where calls can be held, and let go one after the other.
#[derive(Default)]
pub(crate) struct Pause {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether calls that come here are held.
    holding: bool,
    /// How many calls have been held so far.
    held: usize,
    /// How many of them may go on: the first.
    released: usize,
}

impl Pause {
    /// From now on, holds the calls that come here.
    pub(crate) fn hold(&self) {
        self.lock().holding = true;
    }

    /// A call comes here, and stays while it is held.
    pub(crate) fn pass(&self) {
        let mut state = self.lock();
        if !state.holding {
            return;
        }
        let place = state.held;
        state.held += 1;
        self.changed.notify_all();
        while state.released <= place {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until this many calls have been held. Fails if they do not come in time.
    pub(crate) fn wait_for(&self, calls: usize, time: Duration) -> Result<(), String> {
        let state = self.lock();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| state.held < calls)
            .unwrap_or_else(PoisonError::into_inner);
        if state.held < calls {
            return Err(format!("call {calls} did not arrive within {time:?}"));
        }
        Ok(())
    }

    /// Lets the call go on that has been here longest.
    pub(crate) fn release_one(&self) {
        self.lock().released += 1;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn calls_pass_until_they_are_held() {
        let pause = Pause::default();
        pause.pass();
        assert_eq!(pause.lock().held, 0);
    }

    #[test]
    fn held_calls_go_on_one_by_one() {
        let pause = Arc::new(Pause::default());
        pause.hold();
        let call = |number| {
            let held = Arc::clone(&pause);
            let thread = thread::spawn(move || held.pass());
            pause.wait_for(number, Duration::from_secs(10)).unwrap();
            thread
        };
        let (first, second) = (call(1), call(2));
        pause.release_one();
        first.join().unwrap();
        assert!(!second.is_finished());
        pause.release_one();
        second.join().unwrap();
    }

    #[test]
    fn a_call_that_does_not_come_is_told() {
        let error = Pause::default().wait_for(1, Duration::from_millis(1));
        assert_eq!(error, Err("call 1 did not arrive within 1ms".to_owned()));
    }
}
