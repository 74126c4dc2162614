//! Exercise: threads send requests to the devices of images, so that their modules call each other,
//! while something happens that detaches them. One call is held until the detach has met it.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nmr_host::{HeldCall, Registrar};

use super::host::Host;
use super::image::Image;
use super::user::{Handle, RequestError};
use crate::native::kernel::nt::{NtStatus, failed};
use crate::native::kernel::report::Stopped;
use crate::request::Request;

/// How much output a request has room for.
const OUTPUT: usize = 4096;
/// How long is waited for a call between modules that can be held, and then for the detach that is
/// to meet it: a driver may serve its requests one after the other.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long is waited for any call once all requests are sent.
const LAST_CHANCE: Duration = Duration::from_millis(200);
/// The pause between requests when all are sent and the detach still goes on.
const PAUSE: Duration = Duration::from_millis(1);

/// What makes the modules of images call each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exercise {
    /// The requests that make modules call each other.
    pub calls: Vec<Request>,
    /// How many threads send.
    pub threads: u32,
    /// How many requests each thread sends.
    pub rounds: u32,
    /// Where the choices begin: which request comes next, which call is held.
    pub seed: u64,
}

/// What an exercise led to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Exercised {
    /// How many requests ended with which status.
    pub sent: BTreeMap<NtStatus, u64>,
    /// The call that was held, if there was one.
    pub held: Option<HeldCall>,
    /// What the detach callback of the module that made it answered, if it was called meanwhile.
    pub answered: Option<NtStatus>,
}

impl Request {
    /// Sends it to the devices of some images, one after the other, until one answers with success.
    /// Returns the last answer: `None` if there is no device.
    pub fn send(&self, images: &[Image]) -> Result<Option<NtStatus>, Stopped> {
        let mut last = None;
        for handle in open(images)? {
            match self.send_to(&handle)? {
                Some(status) if failed(status) => last = Some(status),
                Some(status) => return Ok(Some(status)),
                None => {}
            }
        }
        Ok(last)
    }

    /// `None` if the device is gone.
    fn send_to(&self, handle: &Handle) -> Result<Option<NtStatus>, Stopped> {
        match handle.control(self.code, &self.input, OUTPUT) {
            Ok((status, _)) => Ok(Some(status)),
            Err(RequestError::Stopped(stopped)) => Err(stopped),
            Err(RequestError::Removed | RequestError::Refused(_)) => Ok(None),
        }
    }
}

/// Opens all devices that can be opened.
fn open(images: &[Image]) -> Result<Vec<Handle>, Stopped> {
    let mut handles = Vec::new();
    for interface in images.iter().flat_map(Image::devices) {
        match interface.open() {
            Ok(handle) => handles.push(handle),
            Err(RequestError::Stopped(stopped)) => return Err(stopped),
            Err(RequestError::Refused(_) | RequestError::Removed) => {}
        }
    }
    Ok(handles)
}

impl Exercise {
    /// Does something while threads send the requests to devices of these images: each request to the
    /// devices that answer it with success at first. If calls are [watched](Host::watch_calls), the
    /// job is not begun before one of them is held, which then goes on when the detach callback of its
    /// module has returned. After two seconds without a call, or without the callback, all goes on
    /// without.
    ///
    /// The host may be stopped meanwhile; then the outcome is what there was until then.
    pub fn during<T>(
        &self,
        host: &Host,
        images: &[Image],
        job: impl FnOnce() -> T,
    ) -> (T, Exercised) {
        let mut exercised = Exercised::default();
        let handles = open(images).unwrap_or_default();
        let targets = self.targets(&handles, &mut exercised);
        let mut random = fastrand::Rng::with_seed(self.seed);
        let load = Load {
            registrar: host.registrar(),
            rounds: self.rounds,
            targets,
            senders: AtomicUsize::new(self.threads as usize),
            has_ended: Mutex::new(false),
            bell: Condvar::new(),
            is_over: AtomicBool::new(false),
        };
        if load.targets.is_empty() {
            return (job(), exercised);
        }
        // After about half of the requests, if each makes a call.
        let half = u64::from(self.threads) * u64::from(self.rounds) / 2;
        load.registrar.hold_call(random.u64(..=half));
        let result = thread::scope(|scope| {
            let load = &load;
            let senders: Vec<_> = (0..self.threads)
                .map(|_| {
                    let random = random.fork();
                    scope.spawn(move || load.send(random))
                })
                .collect();
            exercised.held = load.wait_for_held_call();
            let guard = scope.spawn(|| load.let_go());
            let result = panic::catch_unwind(AssertUnwindSafe(job));
            exercised.answered = load.end();
            let late = guard.join().unwrap_or_default();
            exercised.answered = exercised.answered.or(late);
            for sender in senders {
                let sent: BTreeMap<NtStatus, u64> = sender.join().unwrap_or_default();
                for (status, count) in sent {
                    exercised.add(status, count);
                }
            }
            result
        });
        match result {
            Ok(result) => (result, exercised),
            Err(panic) => panic::resume_unwind(panic),
        }
    }

    /// Which device gets which request.
    fn targets<'a>(
        &'a self,
        handles: &'a [Handle],
        exercised: &mut Exercised,
    ) -> Vec<(&'a Handle, &'a Request)> {
        let mut targets = Vec::new();
        for request in &self.calls {
            for handle in handles {
                if let Ok(Some(status)) = request.send_to(handle) {
                    exercised.add(status, 1);
                    if !failed(status) {
                        targets.push((handle, request));
                    }
                }
            }
        }
        targets
    }
}

impl Exercised {
    fn add(&mut self, status: NtStatus, count: u64) {
        *self.sent.entry(status).or_default() += count;
    }
}

/// Threads that send requests.
struct Load<'a> {
    registrar: &'a Registrar,
    rounds: u32,
    targets: Vec<(&'a Handle, &'a Request)>,
    /// How many threads still have requests to send.
    senders: AtomicUsize,
    has_ended: Mutex<bool>,
    bell: Condvar,
    /// The same as `has_ended`, for threads that only check.
    is_over: AtomicBool,
}

impl Load<'_> {
    /// Sends requests until all are sent and the job has ended. Returns how they ended.
    fn send(&self, mut random: fastrand::Rng) -> BTreeMap<NtStatus, u64> {
        let mut ended = BTreeMap::new();
        let mut send = || {
            let (handle, request) = self.targets[random.usize(..self.targets.len())];
            let status = request.send_to(handle).ok().flatten();
            status.map(|status| *ended.entry(status).or_default() += 1)
        };
        let all = (0..self.rounds).try_for_each(|_| send());
        self.senders.fetch_sub(1, Ordering::Relaxed);
        while all.is_some() && !self.is_over.load(Ordering::Relaxed) && send().is_some() {
            thread::sleep(PAUSE);
        }
        ended
    }

    /// Waits until a call is held, as long as one may come.
    fn wait_for_held_call(&self) -> Option<HeldCall> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && self.senders.load(Ordering::Relaxed) > 0 {
            let held = self.registrar.wait_for_held_call(PAUSE);
            if held.is_some() {
                return held;
            }
        }
        // All are sent, and made fewer calls than there are requests: the next one will do.
        self.registrar.wait_for_held_call(PAUSE).or_else(|| {
            self.registrar.hold_call(0);
            self.registrar.wait_for_held_call(LAST_CHANCE)
        })
    }

    /// Lets the held call go on if the job takes long: it may be waiting for the call.
    fn let_go(&self) -> Option<NtStatus> {
        let has_ended = self
            .has_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let goes_on = |has_ended: &mut bool| !*has_ended;
        let waited = self.bell.wait_timeout_while(has_ended, PATIENCE, goes_on);
        let (has_ended, limit) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(has_ended);
        limit
            .timed_out()
            .then(|| self.registrar.release_call())
            .flatten()
    }

    /// The job has ended. Returns what the detach callback answered, if it was called.
    fn end(&self) -> Option<NtStatus> {
        let answered = self.registrar.release_call();
        self.is_over.store(true, Ordering::Relaxed);
        *self
            .has_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
        answered
    }
}
