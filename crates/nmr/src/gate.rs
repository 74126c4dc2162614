//! The gate: who may call the peer, and who completes the detach.
//!
//! This is the only concurrent algorithm of the crate. It is one word of four flags and a count of
//! the calls in progress. `enter` adds one call, `leave` takes one away, each with one operation
//! that cannot fail and does not wait. The attach and the detach callback count as calls too.
//!
//! ```text
//! vacant ──claim──▶ claimed ──open──▶ open ──close──▶ closing ──(no call left)──▶ finished ──release──▶ vacant
//! ```
//!
//! # Exactly one thread completes the detach
//!
//! It is the one whose `leave` brings the count to zero for the first time after `close`, and
//! `leave` tells it so by answering [`Left::Last`].
//!
//! * `close` counts the detach callback in the same step that closes the gate. So the count does
//!   not reach zero before the callback leaves, and somebody is left to reach it.
//! * A thread that enters a closing gate has to leave it again, and may bring the count back to
//!   zero. If it found the count at zero it is late, and sets `FINISHED` before it leaves. If it
//!   found the count above zero, it cannot know whether it is late. But if it is, then another has
//!   found the count at zero since, and sets the flag before it leaves.
//!
//! # What keeps the word alive
//!
//! * A thread that enters borrows a `Peer` or a `Slot` until it is done, and that owns the memory.
//! * A thread that leaves owns nothing. It uses the memory once, while it is still counted, unless
//!   it is the last: then the NMR waits for its completion and keeps the binding, which owns the
//!   memory.
//!
//! # Order of memory
//!
//! Entering acquires what `open` released, so a call sees the peer that the attach wrote. Leaving
//! releases, and the last to leave acquires, so whatever the calls did comes before the completion.
//! In the same way a `claim` comes after everything that happened before the `release`.
//!
//! # Evidence
//!
//! The models at the foot of this file run under loom, which tries every interleaving. A model that
//! cannot fail proves nothing, so `scripts/seeded-faults.sh` plants one fault at a time in this file
//! and requires that a model notices. The faults are:
//!
//! * a relaxed `open`, `enter`, `claim` or `release`; a `leave` that does not acquire, or release;
//! * an `enter` that looks first and adds later, or ignores `CLOSING`, or `SHUT`;
//! * a late thread that does not set `FINISHED`, one in time that does, a `leave` that ignores it;
//! * every leaver as the last; a `close` or an `enter_again` that does not count;
//! * a `claim` that does not wait, takes what is taken, or keeps an old `FINISHED`;
//! * a `release` that overwrites the count, or does not shut; a new gate that is not shut.

use crate::sync::{AtomicUsize, Ordering, spin_loop};

/// A binding uses the gate.
const CLAIMED: usize = 1;
/// Calls may not begin yet. Two flags rather than one say that the gate is not open, so that a look at
/// both is one instruction.
const SHUT: usize = 1 << 1;
/// No more calls may begin.
const CLOSING: usize = 1 << 2;
/// The count has been at zero since the gate closed: somebody else completes the detach.
const FINISHED: usize = 1 << 3;
/// All flags.
const FLAGS: usize = CLAIMED | SHUT | CLOSING | FINISHED;
/// One call. The bits from here on are the count, which cannot overflow: that takes 2^60 calls.
const CALL: usize = 1 << 4;

/// Counts the calls into one peer in one word: the default, and what most modules need.
pub struct Gate(AtomicUsize);

/// What a thread has to do after it has left.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// Nothing. It must not use the connection any more.
    Done,
    /// Complete the detach.
    Last,
}

impl Gate {
    /// A gate that no binding uses.
    pub(crate) fn vacant() -> Self {
        Self(AtomicUsize::new(SHUT))
    }

    /// Takes a vacant gate for a binding and counts its attach, which must leave. False if a
    /// binding has it already.
    ///
    /// Waits for threads that found the gate shut and are about to leave it: a few instructions.
    pub(crate) fn claim(&self) -> bool {
        let mut state = self.0.load(Ordering::Relaxed);
        while state & CLAIMED == 0 {
            let idle = state & FLAGS;
            match self.0.compare_exchange_weak(
                idle,
                CLAIMED | SHUT | CALL,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
            spin_loop();
        }
        false
    }

    /// Lets calls begin. The caller is the attach, which is counted.
    pub(crate) fn open(&self) {
        self.0.fetch_and(!SHUT, Ordering::Release);
    }

    /// Begins a call, or says what the caller has to do when the gate is not open.
    pub(crate) fn enter(&self) -> Result<(), Left> {
        let before = self.0.fetch_add(CALL, Ordering::Acquire);
        if before & (SHUT | CLOSING) == 0 {
            Ok(())
        } else {
            Err(self.turn_back(before))
        }
    }

    /// Leaves a gate that was entered in the state `before`, when it was not open.
    #[cold]
    fn turn_back(&self, before: usize) -> Left {
        let late = before & CLOSING != 0 && before < CALL;
        if late {
            self.0.fetch_or(FINISHED, Ordering::Relaxed);
        }
        self.leave()
    }

    /// Counts one more call. The caller is counted already.
    pub(crate) fn enter_again(&self) {
        self.0.fetch_add(CALL, Ordering::Relaxed);
    }

    /// Ends a call, or the attach, or the detach callback.
    pub(crate) fn leave(&self) -> Left {
        let before = self.0.fetch_sub(CALL, Ordering::AcqRel);
        if before & CLOSING == 0 {
            Left::Done
        } else {
            Self::left_closing(before)
        }
    }

    /// What one has to do who left a closing gate in the state `before`.
    #[cold]
    fn left_closing(before: usize) -> Left {
        if before & !(CLAIMED | SHUT) == CALL | CLOSING {
            Left::Last
        } else {
            Left::Done
        }
    }

    /// Lets no more calls begin, and counts the detach callback, which must leave.
    pub(crate) fn close(&self) {
        self.0.fetch_add(CLOSING | CALL, Ordering::Relaxed);
    }

    /// Makes the gate vacant, after the detach is complete or the attach has failed and left.
    pub(crate) fn release(&self) {
        self.0.fetch_or(SHUT, Ordering::Relaxed);
        self.0.fetch_and(SHUT | !FLAGS, Ordering::Release);
    }

    /// Whether a call could have begun a moment ago.
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (SHUT | CLOSING) == 0
    }
}

#[cfg(all(loom, test))]
mod models {
    use super::{Gate, Left};
    use crate::models::{self, explore, join};

    type Connection = models::Connection<Gate>;

    #[test]
    fn a_call_sees_what_the_attach_wrote() {
        explore("a_call_sees_what_the_attach_wrote", || {
            let it = Connection::attaching();
            let threads = [it.spawn(Connection::call), it.spawn(Connection::call)];
            it.attach(());
            join(threads);
            assert_eq!(it.completions(), 0);
        });
    }

    #[test]
    fn calls_and_a_detach_complete_once() {
        explore("calls_and_a_detach_complete_once", || {
            let it = Connection::attached();
            let threads = [it.spawn(Connection::call), it.spawn(Connection::call)];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_detach_during_the_attach_completes_once() {
        explore("a_detach_during_the_attach_completes_once", || {
            let it = Connection::attaching();
            let threads = [it.spawn(|it| it.attach(())), it.spawn(Connection::call)];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn late_threads_complete_nothing() {
        explore("late_threads_complete_nothing", || {
            let it = Connection::attached();
            it.gate.close();
            assert_eq!(it.gate.leave(), Left::Last);
            let threads = [it.spawn(Connection::call), it.spawn(Connection::call)];
            it.call();
            join(threads);
            assert_eq!(it.completions(), 0);
        });
    }

    #[test]
    fn a_call_in_two_places_ends_twice() {
        explore("a_call_in_two_places_ends_twice", || {
            let it = Connection::attached();
            assert!(it.gate.enter().is_ok());
            it.gate.enter_again();
            let threads = [
                it.spawn(|it| it.rest_of_call(())),
                it.spawn(|it| it.rest_of_call(())),
            ];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_vacant_gate_can_be_claimed_again() {
        explore("a_vacant_gate_can_be_claimed_again", || {
            let it = Connection::attached();
            let call = it.spawn(Connection::call);
            let claim = it.spawn(Connection::attach_and_detach);
            it.detach();
            join([call]);
            let claimed = claim.join().unwrap();
            assert_eq!(it.completions(), 1 + claimed);
        });
    }

    #[test]
    fn a_failed_attach_leaves_a_vacant_gate() {
        explore("a_failed_attach_leaves_a_vacant_gate", || {
            let it = Connection::attaching();
            let call = it.spawn(Connection::call);
            it.fail_to_attach(());
            assert_eq!(it.attach_and_detach(), 1);
            join([call]);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn nobody_calls_before_the_first_attach() {
        explore("nobody_calls_before_the_first_attach", || {
            let it = Connection::vacant();
            let call = it.spawn(Connection::call);
            assert_eq!(it.attach_and_detach(), 1);
            join([call]);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn one_of_two_claims_succeeds() {
        explore("one_of_two_claims_succeeds", || {
            let it = Connection::vacant();
            let other = it.spawn(|it| it.gate.claim());
            assert_ne!(it.gate.claim(), other.join().unwrap());
        });
    }
}
