//! A guard whose calls order no memory: who closes it does that for all, with a barrier on every
//! processor that runs a thread of the process. `docs/calls.md` says why `nmr` has none like it.
//!
//! Every thread has a slot with the number of its calls, which that thread alone writes. So a call begins
//! and ends with a plain store, and a look at the state of the guard. Neither is ordered before the
//! other by the processor. The closer announces itself, lets all processors take a barrier, and only
//! then says that the guard is closed: a thread that did not see the announcement has been seen by then.
//!
//! From then on every leaving thread adds up all slots, and one of the threads that find zero is the last.
//! The sum is never too small: calls no longer begin, so an addition that it misses was undone by the
//! same thread. This is also why a call cannot be cloned, and has to end on the thread that began it.
// UNSAFETY: a call of the system.
#![expect(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, compiler_fence, fence};

/// How many threads can have a slot.
pub const THREADS: usize = 8;

const OPEN: u8 = 0;
/// Calls do not begin. Those that have begun may not be seen yet.
const CLOSING: u8 = 1;
/// Calls do not begin, and those that have begun are seen.
const CLOSED: u8 = 2;

/// The guard.
#[derive(Default)]
pub struct Asymmetric {
    slots: [Slot; THREADS],
    state: AtomicU8,
    completed: AtomicBool,
}

/// The calls of one thread.
#[repr(align(128))]
#[derive(Default)]
struct Slot(AtomicUsize);

impl Slot {
    fn set(&self, change: impl Fn(usize) -> usize) {
        // This thread alone writes it.
        self.0.store(change(self.0.load(Relaxed)), Release);
        compiler_fence(SeqCst);
    }
}

impl Asymmetric {
    /// An open guard.
    #[must_use]
    pub fn new() -> Self {
        register();
        Self::default()
    }

    /// Begins a call of this thread, which has its number alone. If the guard is not open, says
    /// whether the attempt itself was the last that the closer had to wait for.
    pub fn enter(&self, thread: u32) -> Result<(), bool> {
        self.slot(thread).set(|calls| calls + 1);
        if self.state.load(Acquire) == OPEN {
            Ok(())
        } else {
            Err(self.turn_back(thread))
        }
    }

    #[cold]
    fn turn_back(&self, thread: u32) -> bool {
        self.leave(thread)
    }

    /// Ends a call. Whether it was the last.
    pub fn leave(&self, thread: u32) -> bool {
        self.slot(thread).set(|calls| calls - 1);
        self.state.load(Relaxed) != OPEN && self.is_last()
    }

    /// Lets no more calls begin. Returns `true` if there is none, and no other thread has found that.
    pub fn close(&self) -> bool {
        self.state.store(CLOSING, SeqCst);
        barrier();
        self.state.store(CLOSED, SeqCst);
        self.is_last()
    }

    #[cold]
    fn is_last(&self) -> bool {
        // Of two who leave at the same time, one sees what the other has stored. And either the
        // closer sees it, or it sees that the guard is closed.
        fence(SeqCst);
        self.state.load(Relaxed) == CLOSED
            && self.slots.iter().all(|slot| slot.0.load(Acquire) == 0)
            && !self.completed.swap(true, AcqRel)
    }

    fn slot(&self, thread: u32) -> &Slot {
        &self.slots[thread as usize % THREADS]
    }
}

/// Lets every processor that runs a thread of this process take a full barrier.
pub fn barrier() {
    membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

/// What the system wants to know once before the first barrier.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
}

fn membarrier(command: libc::c_int) {
    // SAFETY: the call must have these arguments: it has a command, flags and a processor.
    let status = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    assert_eq!(status, 0, "the system has no such barrier");
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::Asymmetric;

    #[test]
    fn a_call_in_progress_is_the_last() {
        let guard = Asymmetric::new();
        assert_eq!(guard.enter(0), Ok(()));
        assert_eq!(guard.enter(1), Ok(()));
        assert!(!guard.close());
        assert_eq!(guard.enter(2), Err(false));
        assert!(!guard.leave(0));
        assert!(guard.leave(1));
        assert_eq!(guard.enter(0), Err(false));
    }

    #[test]
    fn exactly_one_is_the_last() {
        for _ in 0..200 {
            let guard = Asymmetric::new();
            let last = AtomicU32::new(0);
            let tell = |is_last: bool| last.fetch_add(u32::from(is_last), Ordering::Relaxed);
            thread::scope(|scope| {
                for number in 0..3 {
                    let (guard, last, tell) = (&guard, &last, &tell);
                    scope.spawn(move || {
                        while guard.enter(number).map_err(tell).is_ok() {
                            assert_eq!(last.load(Ordering::Relaxed), 0, "it is closed");
                            tell(guard.leave(number));
                        }
                    });
                }
                tell(guard.close());
            });
            assert_eq!(last.into_inner(), 1);
        }
    }
}
