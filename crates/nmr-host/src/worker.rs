//! The thread that runs cleanups where the policy wants them off the completing thread.

use std::collections::VecDeque;
use std::mem;

use nmr_machine::Key;

use crate::stderr;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak, thread};

/// Whose cleanups the worker runs.
pub(crate) trait CleanUp: Send + Sync + 'static {
    /// Runs the cleanups of a binding.
    fn clean_up(self: &Arc<Self>, binding: Key);
}

/// The worker of a registrar. Its thread starts with the first cleanup and ends with the registrar.
///
/// Where the system has no thread left, or no memory for the queue, the thread that completes last
/// runs the cleanups itself, as under `cleanup=inline`.
#[derive(Debug, Default)]
pub(crate) struct Worker(Arc<Queue>);

/// What the thread shares with its registrar.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// The bindings that are still to be cleaned up.
    bindings: VecDeque<Key>,
    has_thread: bool,
    /// Whether the registrar is gone.
    is_over: bool,
}

impl Worker {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// Lets the worker run the cleanups of a binding.
    pub(crate) fn hand_over<S: CleanUp>(&self, shell: &Arc<S>, binding: Key) {
        let mut state = self.lock();
        if state.bindings.try_reserve(1).is_err() {
            drop(state);
            return shell.clean_up(binding);
        }
        state.bindings.push_back(binding);
        self.run(shell, state);
    }

    /// Goes on with what was handed over, if a fork has taken the thread away.
    pub(crate) fn resume<S: CleanUp>(&self, shell: &Arc<S>) {
        let state = self.lock();
        if !state.has_thread && !state.bindings.is_empty() {
            self.run(shell, state);
        }
    }

    /// This process is the child of a fork: it has the queue, and not the thread.
    pub(crate) fn lose_thread(&self) {
        self.lock().has_thread = false;
    }

    fn run<S: CleanUp>(&self, shell: &Arc<S>, mut state: MutexGuard<'_, State>) {
        if state.has_thread {
            drop(state);
            return self.0.changed.notify_one();
        }
        let (queue, own) = (Arc::clone(&self.0), Arc::downgrade(shell));
        let thread = thread::Builder::new().name("nmr-host cleanup".to_owned());
        let started = thread.spawn(move || queue.work(&own));
        state.has_thread = started.is_ok();
        if let Err(error) = started {
            let bindings = mem::take(&mut state.bindings);
            drop(state);
            stderr::line(format_args!(
                "no thread for cleanups, which run on the completing thread: {error}"
            ));
            for binding in bindings {
                shell.clean_up(binding);
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.lock().is_over = true;
        self.0.changed.notify_one();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, shell: &Weak<impl CleanUp>) {
        while let Some(binding) = self.next() {
            let Some(shell) = shell.upgrade() else { break };
            shell.clean_up(binding);
        }
    }

    /// Waits for a binding. `None` if the registrar is gone.
    fn next(&self) -> Option<Key> {
        let mut state = self.lock();
        while !state.is_over {
            if let Some(binding) = state.bindings.pop_front() {
                return Some(binding);
            }
            let changed = self.changed.wait(state);
            state = changed.unwrap_or_else(PoisonError::into_inner);
        }
        None
    }
}
