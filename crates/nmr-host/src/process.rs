//! The shared registrar and its process: it continues in a child, and ends a process whose
//! environment has a policy that does not parse.
//!
//! # What a child has
//!
//! A fork copies the registrar as it is and only one thread, the one that forks. Before the fork that
//! thread takes every lock of the shared registrar, and gives it back afterwards in both processes; so
//! no lock of the child belongs to a thread that it does not have, and the registrar is between two
//! steps. The child has the registrations, bindings and reports of its parent, as memory of its own. The
//! threads of the registrar start anew when they are needed.
//!
//! What does not go on is a callback that another thread was inside: it never returns in the child, and
//! a wait for its registration does not end. The child must not count on modules that were in use by
//! other threads; the policy `watchdog-ms` reports such a wait.
//!
//! # Alternatives
//!
//! * To refuse every call of a child, with a report: that takes a look at each call, and ends the test
//!   runners that fork for each test after they have set the policy.
//! * To make a new, empty registrar in the child: then the handles that the child has from its parent
//!   are stale, and what its modules do with them is reported, although it is right.
//! * To do the same for the registrars that a Rust program makes for itself: they are as many as the
//!   program likes, and their locks have no order. No user has asked for it.
#![cfg_attr(
    all(target_os = "linux", not(any(miri, shuttle))),
    // UNSAFETY: registers handlers with the C library.
    expect(unsafe_code)
)]
#![cfg_attr(
    not(all(target_os = "linux", not(any(miri, shuttle)))),
    allow(dead_code, reason = "elsewhere the registrar does not hear of forks")
)]

use std::any::Any;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::OnceLock;

use crate::memory;

/// The exit code of a process whose environment has no policy that can be meant.
const BAD_USAGE: i32 = 2;

/// The locks of the shared registrar while this thread forks.
type Held = ManuallyDrop<Option<Box<dyn Any>>>;

thread_local! {
    // It has nothing to drop, so that a thread which is ending can fork, too.
    static HELD: RefCell<Held> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Takes the locks of the shared registrar, which are given back when the result is dropped.
type Lock = fn() -> Box<dyn Any>;

/// That, and the function that informs the registrar that it is in a child and has lost its threads.
static HANDLERS: OnceLock<(Lock, fn())> = OnceLock::new();

/// Lets the shared registrar go on in children.
#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
pub(crate) fn watch_forks(lock: Lock, lose_threads: fn()) {
    HANDLERS.get_or_init(|| (lock, lose_threads));
    // SAFETY: the handlers stay where they are as long as this library, which registers something in
    // each thread that it cannot take back, and so is never unloaded.
    unsafe { libc::pthread_atfork(Some(prepare), Some(release), Some(begin_child)) };
}

#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
pub(crate) fn watch_forks(lock: Lock, lose_threads: fn()) {
    HANDLERS.get_or_init(|| (lock, lose_threads));
}

/// Takes the locks.
extern "C" fn prepare() {
    let held = HANDLERS.get().map(|(lock, _)| lock());
    HELD.with_borrow_mut(|place| **place = held);
}

/// Gives them back.
extern "C" fn release() {
    drop(HELD.with_borrow_mut(|place| place.take()));
}

extern "C" fn begin_child() {
    release();
    if let Some((_, lose_threads)) = HANDLERS.get() {
        lose_threads();
    }
    memory::quarantine::lose_thread();
}

/// Ends the process with [`BAD_USAGE`]. Functions that the program has left for its exit do not run:
/// they might use the registrar, which there cannot be.
#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
pub(crate) fn exit() -> ! {
    // SAFETY: `_exit` has no condition.
    unsafe { libc::_exit(BAD_USAGE) }
}

#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
pub(crate) fn exit() -> ! {
    std::process::abort()
}
