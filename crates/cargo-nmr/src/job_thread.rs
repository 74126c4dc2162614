//! [`JobThread`]: a thread that runs one job after the other, so that a story decides what happens on which thread.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use nmr_host::{Registrar, ThreadNumber};

/// How long a job may take that has nothing to wait for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce() + Send>;

/// A thread. It ends when this is dropped and its last job is done.
pub(crate) struct JobThread {
    jobs: Sender<Job>,
    pub(crate) number: ThreadNumber,
}

/// The result of a job, when it is there.
pub(crate) struct Answer<T> {
    result: Receiver<T>,
    thread: ThreadNumber,
}

impl JobThread {
    /// Starts a thread whose modules register with this registrar, and waits until it has its
    /// number: so the numbers follow the order of the starts.
    pub(crate) fn start(registrar: &Arc<Registrar>) -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (tell, number) = mpsc::channel();
        let registrar = Arc::clone(registrar);
        thread::Builder::new().spawn(move || {
            let _entered = registrar.enter();
            let _ = tell.send(nmr_host::current_thread());
            for job in todo {
                job();
            }
        })?;
        let number = number.recv().map_err(io::Error::other)?;
        Ok(Self { jobs, number })
    }

    /// Gives the thread a job.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Answer<T> {
        let (tell, result) = mpsc::channel();
        // If the thread is gone, the answer says so.
        let _ = self.jobs.send(Box::new(move || {
            let _ = tell.send(job());
        }));
        Answer {
            result,
            thread: self.number,
        }
    }
}

impl<T> Answer<T> {
    /// Waits for the result. Fails if the thread is stuck or has panicked.
    pub(crate) fn wait(&self) -> Result<T, String> {
        self.wait_for(PATIENCE)?
            .ok_or_else(|| format!("{} is still busy after {PATIENCE:?}", self.thread))
    }

    /// Waits for the result for a time. `None` if it is not there yet.
    pub(crate) fn wait_for(&self, time: Duration) -> Result<Option<T>, String> {
        match self.result.recv_timeout(time) {
            Ok(result) => Ok(Some(result)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(format!("{} panicked", self.thread)),
        }
    }
}

#[cfg(test)]
mod tests {
    use nmr_host::Policy;

    use super::*;

    #[test]
    fn a_hand_does_its_jobs_in_order_on_one_thread() {
        let registrar = Arc::new(Registrar::new(Policy::default()));
        let thread = JobThread::start(&registrar).unwrap();
        let first = thread.ask(nmr_host::current_thread);
        let second = thread.ask(|| 2);
        assert_eq!(second.wait(), Ok(2));
        assert_eq!(first.wait(), Ok(thread.number));
    }

    #[test]
    fn a_job_that_panics_is_told() {
        let registrar = Arc::new(Registrar::new(Policy::default()));
        let thread = JobThread::start(&registrar).unwrap();
        let answer = thread.ask(|| -> u32 { panic!("as the test wants it") });
        assert_eq!(answer.wait(), Err(format!("{} panicked", thread.number)));
    }
}
