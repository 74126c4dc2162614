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
//! `leave` returns [`Released::Drained`].
//!
//! * `close` counts the detach callback in the same step that closes the gate. So the count does
//!   not reach zero before the callback leaves, and a call is left to reach it.
//! * A thread that enters a closing gate has to leave it again, and may bring the count back to
//!   zero. If it found the count at zero it is late, and sets `FINISHED` before it leaves. If it
//!   found the count above zero, it cannot know whether it is late. But if it is, then another has
//!   found the count at zero since, and sets the flag before it leaves.
//!
//! # Who waits for whom
//!
//! A call never waits. Two steps wait for refused threads, because a thread that raised the count of a gate that is
//! not open has to lower it first:
//!
//! * a detach completes when the count reaches zero;
//! * `claim` waits for zero, or the `FINISHED` of a late thread could end up in the next binding.
//!
//! So a refused thread must not raise the count again and again: both would starve beside threads that try. Hence `enter`
//! loads the word before it adds to it. Once the gate is not open, each thread adds at most once, if
//! its load came before the change; then it is refused by the load, and does not write. An attempt that
//! fails costs a load from the thread's own cache.
//!
//! The load costs a call three instructions, and some processors a few nanoseconds right after another locked operation
//! (`docs/performance.md`). Without it an attach took seconds beside eight threads on two
//! processors, and so did a detach. A `claim` that does not wait would need the number of the binding
//! in the word, and then the late thread a compare-and-swap loop; a detach would still wait.
//!
//! # What keeps the word alive
//!
//! * A thread that enters borrows a `Peer` or a `Slot` until it is done, and that owns the memory.
//! * A thread that leaves owns nothing. It uses the memory once, while it is still counted, unless
//!   it is the last: then the NMR waits for its completion and keeps the binding, which owns the
//!   memory. So a leaver comes with a reference to the word and to nothing else: the word is an
//!   `UnsafeCell`, whose memory may be freed while a reference to it exists.
//!
//! # Order of memory
//!
//! Entering acquires what `open` released, so a call sees the peer that the attach wrote. Leaving
//! releases, and the last to leave acquires, so whatever the calls did comes before the completion.
//! In the same way a `claim` comes after everything that happened before the `release`.
//!
//! # Evidence
//!
//! The models at the foot of this file run under loom, which tries every interleaving, and frees the word
//! when the last owner goes: an access that may come after that fails the model. Two models count how
//! often threads that try are in the way of a claim, or of a detach. A model that
//! cannot fail proves nothing, so `cargo xtask plant-faults gate` plants one fault at a time in this file
//! and requires that a model notices. The faults are:
//!
//! * a relaxed `open`, `enter`, `claim` or `release`; a `leave` that does not acquire, or release;
//! * an `enter` that loads and does not add, adds without a load, or ignores `CLOSING`, or `SHUT`;
//! * a `leave` that looks at the word again, after it was the last use, or before it knows that it is the last;
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
/// The count has been at zero since the gate closed: another thread completes the detach.
const FINISHED: usize = 1 << 3;
/// All flags.
const FLAGS: usize = CLAIMED | SHUT | CLOSING | FINISHED;
/// One call. The bits from here on are the count, which cannot overflow: that takes 2^60 calls.
const CALL: usize = 1 << 4;

/// Counts the calls into one peer in one word.
///
/// # Invariants
///
/// It is an `UnsafeCell` and nothing else, so that the reference of a leaver may outlive the memory.
pub(crate) struct Gate(AtomicUsize);

/// What a thread has to do after it has left: after it has released its hold on the gate.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Released {
    /// Nothing: others are counted, or another thread completes the detach. It must not use the connection any more.
    Pending,
    /// Complete the detach: no call is left.
    Drained,
}

impl Gate {
    /// A gate that no binding uses.
    pub(crate) fn vacant() -> Self {
        Self(AtomicUsize::new(SHUT))
    }

    /// Takes a vacant gate for a binding and counts its attach, which must leave. False if a
    /// binding has it already.
    ///
    /// Waits for the threads that found the gate shut after they had added to it, and are about to leave
    /// it: a few instructions of each, once.
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

    /// Begins a call, or says what the caller has to do when the gate is not open. A refused thread does not
    /// write to it, unless it was open a moment ago.
    pub(crate) fn enter(&self) -> Result<(), Released> {
        if !self.is_open() {
            return Err(Released::Pending);
        }
        let before = self.0.fetch_add(CALL, Ordering::Acquire);
        if before & (SHUT | CLOSING) == 0 {
            Ok(())
        } else {
            Err(self.turn_back(before))
        }
    }

    /// Leaves a gate that was entered in the state `before`, when it was not open.
    #[cold]
    fn turn_back(&self, before: usize) -> Released {
        #[cfg(all(loom, test))]
        crate::models::count_refusal();
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
    pub(crate) fn leave(&self) -> Released {
        let before = self.0.fetch_sub(CALL, Ordering::AcqRel);
        if before & CLOSING == 0 {
            Released::Pending
        } else {
            Self::left_closing(before)
        }
    }

    /// What one has to do who left a closing gate in the state `before`.
    #[cold]
    fn left_closing(before: usize) -> Released {
        if before & !(CLAIMED | SHUT) == CALL | CLOSING {
            Released::Drained
        } else {
            Released::Pending
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

    /// Returns `true` if a call could have begun a moment ago.
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (SHUT | CLOSING) == 0
    }

    /// Tells loom that the memory is freed: no access may come later, and all before must be ordered.
    #[cfg(all(loom, test))]
    pub(crate) fn free(&mut self) {
        self.0.with_mut(|_| ());
    }
}

#[cfg(all(loom, test))]
mod models {
    use crate::gates::Gates;
    use crate::models::{Connection, Memory, explore, explore_with, refusals, spins};

    #[test]
    fn a_call_sees_what_the_attach_wrote() {
        explore("a_call_sees_what_the_attach_wrote", || {
            let it = Connection::attaching(Gates::vacant());
            it.spawn(Memory::call);
            it.spawn(Memory::call);
            it.attach();
            assert_eq!(it.completions(), 0);
        });
    }

    #[test]
    fn calls_and_a_detach_complete_once() {
        explore_with("calls_and_a_detach_complete_once", Some(4), || {
            let it = Connection::attached(Gates::vacant());
            it.spawn(Memory::call);
            it.spawn(Memory::call);
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    /// The word is freed as soon as the detach is complete: a thread that ends a call owns nothing of it.
    #[test]
    fn calls_that_end_leave_memory_that_may_be_freed() {
        explore("calls_that_end_leave_memory_that_may_be_freed", || {
            let it = Connection::attached(Gates::vacant());
            it.abandon();
            let holds = [it.hold(), it.hold()];
            holds
                .into_iter()
                .for_each(|hold| it.spawn(move |it| it.rest_of_call(hold)));
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_detach_during_the_attach_completes_once() {
        explore("a_detach_during_the_attach_completes_once", || {
            let it = Connection::attaching(Gates::vacant());
            it.spawn(Memory::attach);
            it.spawn(Memory::call);
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    /// As the one above, where the attach is the last and frees the word.
    #[test]
    fn an_attach_that_ends_leaves_memory_that_may_be_freed() {
        explore(
            "an_attach_that_ends_leaves_memory_that_may_be_freed",
            || {
                let it = Connection::attaching(Gates::vacant());
                it.abandon();
                it.spawn(Memory::attach);
                it.detach();
                assert_eq!(it.completions(), 1);
            },
        );
    }

    #[test]
    fn a_call_in_two_places_ends_twice() {
        explore("a_call_in_two_places_ends_twice", || {
            let it = Connection::attached(Gates::vacant());
            it.abandon();
            let hold = it.hold();
            it.gates().main.enter_again();
            it.spawn(move |it| it.rest_of_call(hold));
            it.spawn(move |it| it.rest_of_call(hold));
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_vacant_gate_can_be_claimed_again() {
        explore_with("a_vacant_gate_can_be_claimed_again", Some(4), || {
            let it = Connection::attached(Gates::vacant());
            it.spawn(Memory::call);
            it.spawn(Memory::attach_and_detach);
            it.detach();
            assert_eq!(it.completions(), it.attaches());
        });
    }

    #[test]
    fn a_failed_attach_leaves_a_vacant_gate() {
        explore("a_failed_attach_leaves_a_vacant_gate", || {
            let it = Connection::attaching(Gates::vacant());
            it.spawn(Memory::call);
            it.fail_to_attach();
            it.attach_and_detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn no_call_begins_before_the_first_attach() {
        explore("no_call_begins_before_the_first_attach", || {
            let it = Connection::vacant(Gates::vacant());
            it.spawn(Memory::call);
            it.attach_and_detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn one_of_two_claims_succeeds() {
        explore("one_of_two_claims_succeeds", || {
            let it = Connection::vacant(Gates::vacant());
            it.spawn(Memory::attach_and_keep);
            it.attach_and_keep();
            assert_eq!(it.attaches(), 1);
        });
    }

    /// However often others are refused: a claim does not even look twice.
    #[test]
    fn refusals_do_not_delay_a_claim() {
        fn tries(memory: &Memory) {
            (0..2).for_each(|_| memory.call());
        }

        explore_with("refusals_do_not_delay_a_claim", Some(3), || {
            let it = Connection::vacant(Gates::vacant());
            it.spawn(tries);
            it.spawn(tries);
            assert!(it.claim());
            assert_eq!(spins(), 0);
            it.fail_to_attach();
        });
    }

    /// A thread that looked when the gate was open adds once after it closes, however often it tries.
    #[test]
    fn each_thread_is_in_the_way_of_a_detach_once() {
        fn tries(memory: &Memory) {
            (0..2).for_each(|_| memory.call());
        }

        explore_with(
            "each_thread_is_in_the_way_of_a_detach_once",
            Some(3),
            || {
                let it = Connection::attached(Gates::vacant());
                it.spawn(tries);
                it.spawn(tries);
                it.detach();
                assert_eq!(it.completions(), 1);
                assert!(refusals() <= 2, "two threads add {} times", refusals());
            },
        );
    }
}
