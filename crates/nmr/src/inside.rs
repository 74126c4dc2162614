//! Debug builds: a registration that ends inside one of its own callbacks.
//!
//! It would wait for the callback, which waits for it: a hang without a word. Which callbacks a thread is inside
//! takes an answer to which thread it is, and that is the system's: [`identify_threads`] sets it. Release
//! builds contain none of this.
// UNSAFETY: a pointer to a function in a static.
#![expect(unsafe_code)]

use core::mem;
use core::ptr;
// Not the atomics of `sync.rs`: this decides nothing in this crate.
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// How many callbacks can be watched at the same time. More are not.
const PLACES: usize = 64;

/// A callback that is running: in which thread, and of which module. 0 for none.
struct Place {
    thread: AtomicUsize,
    module: AtomicUsize,
}

static RUNNING: [Place; PLACES] = [const {
    Place {
        thread: AtomicUsize::new(0),
        module: AtomicUsize::new(0),
    }
}; PLACES];

/// A `fn() -> usize`, or null.
static CURRENT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Lets debug builds stop with a message, rather than hang, when a registration ends inside one of its own
/// attach, detach or cleanup callbacks. Release builds ignore it.
///
/// The function returns a number for the thread that it runs on, or 0 if there is none, at any IRQL up to
/// `DISPATCH_LEVEL`. In a driver that is `PsGetCurrentThreadId`, and `nmr_driver::driver!` makes this
/// call. The embedded registrar finds such a registration without it.
///
/// Not found: a registration that ends in a function of its dispatch table, or while the thread holds a
/// [`Call`](crate::Call) of one of its bindings. It waits for itself, too.
pub fn identify_threads(current: fn() -> usize) {
    CURRENT.store(current as *mut (), Ordering::Release);
}

fn thread() -> Option<usize> {
    if !cfg!(debug_assertions) {
        return None;
    }
    let current = CURRENT.load(Ordering::Acquire);
    // SAFETY: it is null, which is `None`, or was stored from a function of this type.
    let current: Option<fn() -> usize> = unsafe { mem::transmute(current) };
    current
        .map(|current| current())
        .filter(|&thread| thread != 0)
}

/// A callback that is running. Dropping it ends it.
pub(crate) struct Visit(Option<&'static Place>);

/// A callback of a module begins.
pub(crate) fn begin<M>(module: *const M) -> Visit {
    Visit(thread().and_then(|thread| {
        let place = RUNNING.iter().find(|place| {
            place
                .thread
                .compare_exchange(0, thread, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        })?;
        place.module.store(module.addr(), Ordering::Relaxed);
        Some(place)
    }))
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            place.module.store(0, Ordering::Relaxed);
            place.thread.store(0, Ordering::Relaxed);
        }
    }
}

/// The registration of a module ends on this thread.
///
/// # Panics
///
/// If the thread is inside a callback of the module.
pub(crate) fn refuse_own_end<M>(module: *const M) {
    let Some(thread) = thread() else { return };
    let is_inside = |place: &Place| {
        place.thread.load(Ordering::Relaxed) == thread
            && place.module.load(Ordering::Relaxed) == module.addr()
    };
    assert!(
        !RUNNING.iter().any(is_inside),
        "a registration ends inside one of its own callbacks, and would wait for itself forever"
    );
}
