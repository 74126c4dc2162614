//! The stack of a thread's activities for a host: its job, the entry point or callback of an image that it runs,
//! and the import that it is in. The innermost comes last. The handler of faults reads it when it finds no image at the
//! instruction.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use super::call::Call;
use super::system::System;

/// A step.
#[derive(Clone, Debug)]
enum Frame {
    /// Into a job of a host.
    Job(Weak<System>),
    /// Into an image, which has this address, and what for.
    Entered { image: usize, what: Box<str> },
    /// Out of an image, through an import.
    Called(Call),
}

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// The thread begins a job of a host. Dropping the result ends it.
pub(crate) fn job(system: &Arc<System>) -> Job {
    let system = Arc::downgrade(system);
    FRAMES.with_borrow_mut(|frames| frames.push(Frame::Job(system)));
    Job
}

/// A job in progress on this thread.
pub(crate) struct Job;

impl Drop for Job {
    fn drop(&mut self) {
        // After a panic there are steps that have not come back.
        FRAMES.with_borrow_mut(Vec::clear);
    }
}

/// The host whose job this thread has.
pub(crate) fn host() -> Option<Arc<System>> {
    FRAMES.with(|frames| match frames.try_borrow().ok()?.first()? {
        Frame::Job(system) => system.upgrade(),
        Frame::Entered { .. } | Frame::Called(_) => None,
    })
}

/// The thread goes into the image that has this address.
pub(crate) fn enter(image: usize, what: &str) {
    let what = what.into();
    FRAMES.with_borrow_mut(|frames| frames.push(Frame::Entered { image, what }));
}

/// The thread is back.
pub(crate) fn leave() {
    FRAMES.with_borrow_mut(Vec::pop);
}

/// The thread goes through an import.
pub(crate) fn call(call: Call) {
    FRAMES.with_borrow_mut(|frames| frames.push(Frame::Called(call)));
}

/// The thread returns through the import.
pub(crate) fn end_call() -> Option<Call> {
    match FRAMES.with_borrow_mut(Vec::pop) {
        Some(Frame::Called(call)) => Some(call),
        Some(Frame::Job(_) | Frame::Entered { .. }) | None => None,
    }
}

/// Returns `true` if the thread is in a call of the function that its job has sent it into, and in nothing else.
pub(crate) fn is_outermost_call() -> bool {
    FRAMES.with_borrow(|frames| {
        matches!(
            frames[..],
            [Frame::Job(_), Frame::Entered { .. }, Frame::Called(_)]
        )
    })
}

/// The call that the thread is in, if it is in one.
pub(crate) fn innermost_call() -> Option<Call> {
    FRAMES.with(|frames| match frames.try_borrow().ok()?.last()? {
        Frame::Called(call) => Some(call.clone()),
        Frame::Job(_) | Frame::Entered { .. } => None,
    })
}

/// Where the thread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Innermost {
    /// In the image that has this address, or in what that has called without an import.
    Image(usize),
    /// In a function of this crate that the image with this address has called.
    Host { image: usize, runs_modules: bool },
    /// In a job of a host, and in modules that the registrar runs there.
    Job,
    /// Elsewhere.
    Nowhere,
}

/// Where the thread is. A handler of signals may ask: nothing is allocated.
pub(crate) fn innermost() -> Innermost {
    let find = || {
        FRAMES.with(|frames| match frames.try_borrow().ok()?.last()? {
            Frame::Job(_) => Some(Innermost::Job),
            Frame::Entered { image, .. } => Some(Innermost::Image(*image)),
            Frame::Called(call) => Some(Innermost::Host {
                image: call.image.address(),
                runs_modules: call.runs_modules(),
            }),
        })
    };
    find().unwrap_or(Innermost::Nowhere)
}

/// What this thread was sent into an image for, and the import that it has called from there.
pub(crate) fn entered() -> Option<(String, Option<Call>)> {
    FRAMES.with(|frames| {
        let frames = frames.try_borrow().ok()?;
        let place = frames
            .iter()
            .rposition(|frame| matches!(frame, Frame::Entered { .. }))?;
        let Frame::Entered { what, .. } = &frames[place] else {
            return None;
        };
        let call = match frames.get(place + 1) {
            Some(Frame::Called(call)) => Some(call.clone()),
            _ => None,
        };
        Some((what.to_string(), call))
    })
}
