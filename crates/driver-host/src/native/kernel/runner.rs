//! The threads that run code of images. A thread that waits for one of them is woken by its result or by
//! the stop of the host, after which the thread never comes back.

use std::iter;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::frames;
use super::linux_calls;
use super::report::{Fault, Stopped};
use super::stack::SignalStack;
use super::system::System;

type Job = Box<dyn FnOnce() + Send>;
type Outcome<T> = Arc<Mutex<Option<thread::Result<T>>>>;

/// The threads of a host.
#[derive(Debug)]
pub(crate) struct Runners {
    state: Mutex<State>,
    /// Rings when a job is done and when the host stops.
    bell: Condvar,
    patience: Option<Duration>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Arc<Sender<Job>>>,
    stopped: Option<Stopped>,
}

impl Runners {
    pub(crate) fn new(patience: Option<Duration>) -> Self {
        Self {
            state: Mutex::default(),
            bell: Condvar::new(),
            patience,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everyone who waits gets this report.
    pub(crate) fn stop(&self, stopped: &Stopped) {
        self.lock().stopped.get_or_insert_with(|| stopped.clone());
        self.bell.notify_all();
    }

    /// Why the host is stopped, if it is.
    pub(crate) fn stopped(&self) -> Option<Stopped> {
        self.lock().stopped.clone()
    }

    /// A job is done: its runner is free, and a thread may be waiting.
    fn done(&self, runner: Arc<Sender<Job>>) {
        self.lock().idle.push(runner);
        self.bell.notify_all();
    }

    /// Waits for a job.
    fn wait<T>(&self, outcome: &Outcome<T>) -> Result<thread::Result<T>, Unfinished> {
        let take = || {
            outcome
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        };
        let mut state = self.lock();
        loop {
            if let Some(result) = take() {
                return Ok(result);
            }
            if let Some(stopped) = &state.stopped {
                return Err(Unfinished::Stopped(stopped.clone()));
            }
            let Some(patience) = self.patience else {
                state = self
                    .bell
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.bell.wait_timeout(state, patience);
            let (again, limit) = waited.unwrap_or_else(PoisonError::into_inner);
            state = again;
            if limit.timed_out() && state.stopped.is_none() {
                return take().ok_or(Unfinished::Late);
            }
        }
    }
}

/// Why a wait ended without a result.
enum Unfinished {
    Stopped(Stopped),
    Late,
}

/// Runs a job on a thread of a host that has entered its registrar, and waits for it. A panic of
/// the job goes on in the caller. If the job is late, the host is stopped, and `late` may say more.
pub(crate) fn run<T: Send + 'static>(
    system: &Arc<System>,
    image: &str,
    what: &str,
    job: impl FnOnce() -> T + Send + 'static,
    late: impl FnOnce(),
) -> Result<T, Stopped> {
    if let Some(stopped) = system.runners.stopped() {
        return Err(stopped);
    }
    let outcome = start(system, job);
    match system.runners.wait(&outcome) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(panic)) => panic::resume_unwind(panic),
        Err(Unfinished::Stopped(stopped)) => Err(stopped),
        Err(Unfinished::Late) => {
            let left = system.registrar.leaks();
            let left = left.iter().map(ToString::to_string);
            let what: Vec<_> = iter::once(what.to_owned()).chain(left).collect();
            let what = what.join("; ");
            let stopped = system.mark_stopped(image, Fault::Hang { what });
            late();
            Err(stopped)
        }
    }
}

/// Starts a job without waiting.
pub(crate) fn start<T: Send + 'static>(
    system: &Arc<System>,
    job: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    let outcome: Outcome<T> = Arc::default();
    let runner = system.runners.lock().idle.pop().unwrap_or_else(spawn);
    let job: Job = {
        let (system, runner, outcome) = (
            Arc::clone(system),
            Arc::clone(&runner),
            Arc::clone(&outcome),
        );
        Box::new(move || {
            let entered = system.registrar.enter();
            let step = frames::job(&system);
            let result = panic::catch_unwind(AssertUnwindSafe(job));
            drop(step);
            drop(entered);
            *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            system.runners.done(runner);
        })
    };
    runner
        .send(job)
        .expect("a runner lives as long as it has a sender");
    outcome
}

fn spawn() -> Arc<Sender<Job>> {
    let (sender, jobs): (_, Receiver<Job>) = mpsc::channel();
    let work = move || {
        let _signals = SignalStack::new();
        linux_calls::refuse();
        for job in jobs {
            job();
        }
    };
    thread::Builder::new()
        .name("driver-host".to_owned())
        .spawn(work)
        .expect("the system can start a thread");
    Arc::new(sender)
}
