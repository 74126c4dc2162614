//! [`Gates`]: the gate of a link, and a gate for each processor if the link has them.
//!
//! Processors that call one peer at the same time take the word of its [`Gate`] from each other. With
//! shards each has a gate of its own, and the argument in `gate.rs` holds for each of them: after
//! it is closed, exactly one thread is its last. The main gate is there in any case: it counts the attach,
//! the detach callback, and calls that do not name a processor.
//!
//! # Exactly one thread completes the detach
//!
//! `close` counts the shards, all together, as one more call of the main gate. Then it writes down how many
//! there are, and closes each. The last of a shard counts it as finished. The one that finds that it was
//! the only one unfinished leaves the main gate on behalf of all, and may be its last.
//!
//! * A call leaves the shard that it entered, on whichever processor. So no shard counts less than is
//!   in progress, and a late thread has only its own shard to undo.
//!
//! # What keeps the words alive
//!
//! As in `gate.rs`. The last of a shard uses the memory once more, to count the shard as finished: until
//! then the main gate counts the shards, and the binding lives. After that it may be gone, unless the shard was the
//! last one: so no reference to the gates may exist then, and `finish_shard` takes a pointer.
//!
//! # Order of memory
//!
//! * The closer leaves each shard after it wrote how many there are. The last of the shard does not
//!   leave before, and so it acquires what was written.
//! * To count a shard as finished releases, and acquires what the others released. So the last of all
//!   comes after every call in every shard.
//! * The main gate stands for all: it is claimed first and released last. After its claim, the shards are
//!   vacant.
//!
//! # What is different
//!
//! The shards do not open or close in one step. While a peer attaches, a call may begin on one processor
//! when another is still turned back, and likewise while it detaches: before `attached` of a client,
//! and before `detaching`, which find all of them open, or closed.
//!
//! # Evidence
//!
//! The models at the foot of this file, with two shards, and the faults that `cargo xtask plant-faults gate`
//! plants in it:
//!
//! * one shard too few, or too many, that has to finish, or their number written too late;
//! * a `close` that does not count the shards, or close, or leave, or finish, them;
//! * the last of a shard as the last of all; a count of shards that does not acquire, or release;
//! * an access to the shards by one that has finished a shard and was not the last;
//! * a thread that is turned back as the last of a shard, and does not finish it;
//! * a call that leaves another shard than it entered;
//! * a `claim`, an `open` or a `release` of the main gate only; an attach that is counted in every shard;
//! * a main gate that is released before the shards.
// UNSAFETY: the memory of the gates may be freed by another thread while one leaves.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::ptr::NonNull;

use crate::boxed::try_array;
use crate::error::Result;
use crate::gate::{Gate, Released};
use crate::sync::{AtomicUsize, Ordering};

/// How many processors have a gate of their own. Those whose numbers have the same remainder share one.
#[cfg(not(all(loom, test)))]
pub(crate) const SHARDS: usize = 16;
#[cfg(all(loom, test))]
pub(crate) const SHARDS: usize = 2;

/// The gates of one link.
///
/// # Invariants
///
/// The main gate is claimed whenever a shard is.
#[repr(C)]
pub(crate) struct Gates {
    /// How many shards are not finished, once the closer has written it.
    unfinished: AtomicUsize,
    /// None, or [`SHARDS`].
    shards: Box<[Shard]>,
    /// Last, beside what a link has next: the peer that a call reads.
    pub(crate) main: Gate,
}

/// The gate of one processor. Nothing else is in its cache line, nor in the one beside it, which some
/// processors fetch with it; and that without an alignment, which allocators for drivers ignore.
#[repr(C)]
struct Shard {
    _before: [u8; 64 - size_of::<usize>()],
    gate: Gate,
    _after: [u8; 64],
}

// What is done once for a binding is not inlined: so both roles share the code.
impl Gates {
    /// One gate, which no binding uses.
    pub(crate) fn vacant() -> Self {
        Self {
            main: Gate::vacant(),
            unfinished: AtomicUsize::new(0),
            shards: Box::default(),
        }
    }

    /// A gate, and one for each processor.
    pub(crate) fn spread() -> Result<Self> {
        Ok(Self {
            shards: try_array::<Shard, SHARDS>(Shard::vacant)?,
            ..Self::vacant()
        })
    }

    fn shards(&self) -> impl Iterator<Item = &Gate> {
        self.shards.iter().map(|shard| &shard.gate)
    }

    #[cfg(all(loom, test))]
    pub(crate) fn shard(&self, processor: usize) -> &Gate {
        &self.shards[processor % SHARDS].gate
    }

    /// As [`Gate::claim`].
    #[inline(never)]
    pub(crate) fn claim(&self) -> bool {
        let claimed = self.main.claim();
        if claimed {
            self.each_shard(|gate| {
                // It is vacant, because the main gate was.
                gate.claim();
                // The attach is counted in the main gate.
                let _ = gate.leave();
            });
        }
        claimed
    }

    /// As [`Gate::open`].
    #[inline(never)]
    pub(crate) fn open(&self) {
        self.main.open();
        self.each_shard(Gate::open);
    }

    /// As [`Gate::close`].
    #[inline(never)]
    pub(crate) fn close(&self) {
        self.main.close();
        if !self.shards.is_empty() {
            self.close_shards();
        }
    }

    #[cold]
    #[inline(never)]
    fn close_shards(&self) {
        self.main.enter_again();
        self.unfinished.store(SHARDS, Ordering::Relaxed);
        for gate in self.shards() {
            gate.close();
            if gate.leave() == Released::Drained {
                // SAFETY: the shard was closed, and this thread is its last; the main gate counts the
                // detach callback, so that the gates outlive the call, and this is not the last of all.
                let _ = unsafe { Self::finish_shard(NonNull::from(self)) };
            }
        }
    }

    /// As [`Gate::release`].
    #[inline(never)]
    pub(crate) fn release(&self) {
        self.each_shard(Gate::release);
        self.main.release();
    }

    /// Does something with the gate of each processor, away from the path of links that have none.
    fn each_shard(&self, run: fn(&Gate)) {
        #[cold]
        #[inline(never)]
        fn each(shards: &[Shard], run: fn(&Gate)) {
            for shard in shards {
                run(&shard.gate);
            }
        }

        if !self.shards.is_empty() {
            each(&self.shards, run);
        }
    }

    /// Begins a call in the shard of a processor, or says what the caller has to do when it is not open.
    /// Gates without shards have none that is open.
    pub(crate) fn enter_shard(&self, processor: usize) -> Result<NonNull<Gate>, Released> {
        let Some(Shard { gate, .. }) = self.shards.get(processor % SHARDS) else {
            return Err(Released::Pending);
        };
        match gate.enter() {
            Ok(()) => Ok(NonNull::from(gate)),
            // SAFETY: this thread is the last of the shard; the caller owns the memory of the gates.
            Err(left) => Err(unsafe { Self::left_shard(NonNull::from(self), left) }),
        }
    }

    /// Ends a call that began with [`enter_shard`](Self::enter_shard), or its clone.
    ///
    /// # Safety
    ///
    /// * `shard` is a gate of `gates`, and counts a call of the caller, which does not use either
    ///   afterwards unless it is the last.
    pub(crate) unsafe fn leave_shard(gates: NonNull<Self>, shard: NonNull<Gate>) -> Released {
        // SAFETY: the gate is alive while it counts the call. Afterwards the reference may dangle, which
        // a `Gate` allows.
        let left = unsafe { shard.as_ref() }.leave();
        // SAFETY: `left` is the answer of the shard, which is counted as unfinished if it is `Last`.
        unsafe { Self::left_shard(gates, left) }
    }

    /// # Safety
    ///
    /// * `left` is the answer of a shard of `gates` to the caller. If it is `Last`, the gates are alive.
    unsafe fn left_shard(gates: NonNull<Self>, left: Released) -> Released {
        match left {
            Released::Pending => Released::Pending,
            // SAFETY: the requirements are those of this function.
            Released::Drained => unsafe { Self::finish_shard(gates) },
        }
    }

    /// Counts one shard as finished.
    ///
    /// # Safety
    ///
    /// * The caller is the last of a shard of `gates`, and does not use them afterwards unless the result is
    ///   to complete the detach.
    #[cold]
    #[inline(never)]
    unsafe fn finish_shard(gates: NonNull<Self>) -> Released {
        let gates = gates.as_ptr();
        // SAFETY: the gates are alive: the main gate counts the shards until the last one has finished.
        // The reference is to an atomic integer, which may be freed while it exists.
        let unfinished = unsafe { &(*gates).unfinished };
        if unfinished.fetch_sub(1, Ordering::AcqRel) != 1 {
            return Released::Pending;
        }
        // SAFETY: as above: it is this call that ends what the main gate counts.
        unsafe { &(*gates).main }.leave()
    }

    /// Tells loom that the memory is freed.
    #[cfg(all(loom, test))]
    pub(crate) fn free(&mut self) {
        self.main.free();
        self.unfinished.with_mut(|_| ());
        for shard in &mut self.shards {
            shard.gate.free();
        }
    }
}

impl Shard {
    fn vacant() -> Self {
        Self {
            _before: [0; _],
            gate: Gate::vacant(),
            _after: [0; _],
        }
    }
}

#[cfg(all(test, not(loom), not(shuttle)))]
mod tests {
    use core::mem::offset_of;
    use std::vec::Vec;

    use super::{Gates, Shard};

    #[test]
    fn a_word_is_alone_in_its_cache_line() {
        const LINE: usize = 64;
        let word = size_of::<usize>();
        let before = offset_of!(Shard, gate);
        let after = size_of::<Shard>() - before - word;
        // Wherever the line begins, it begins and ends inside the shard.
        assert!(before >= LINE - word && after >= LINE - word);
        assert_eq!(size_of::<Shard>(), 2 * LINE);
    }

    #[test]
    fn the_words_are_as_far_apart_as_the_shards() {
        let gates = Gates::spread().unwrap();
        let words: Vec<_> = gates.shards().map(|gate| &raw const *gate).collect();
        for pair in words.windows(2) {
            assert_eq!(pair[1].addr() - pair[0].addr(), size_of::<Shard>());
        }
    }
}

#[cfg(all(loom, test))]
mod models {
    use super::Gates;
    use crate::gate::Released;
    use crate::models::{self, Connection, Hold, Memory};

    /// There are so many words that all interleavings take minutes.
    fn explore(name: &str, model: fn()) {
        models::explore_with(name, Some(3), model);
    }

    fn gates() -> Gates {
        Gates::spread().unwrap()
    }

    #[test]
    fn a_call_in_any_shard_sees_what_the_attach_wrote() {
        explore("a_call_in_any_shard_sees_what_the_attach_wrote", || {
            let it = Connection::attaching(gates());
            it.spawn(|it| it.call_on(0));
            it.spawn(|it| it.call_on(1));
            it.attach();
            assert_eq!(it.completions(), 0);
        });
    }

    #[test]
    fn calls_in_two_shards_and_a_detach_complete_once() {
        explore("calls_in_two_shards_and_a_detach_complete_once", || {
            let it = Connection::attached(gates());
            it.spawn(|it| it.call_on(0));
            it.spawn(|it| it.call_on(1));
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn calls_in_one_shard_and_a_detach_complete_once() {
        explore("calls_in_one_shard_and_a_detach_complete_once", || {
            let it = Connection::attached(gates());
            it.spawn(|it| it.call_on(1));
            it.spawn(|it| it.call_on(1));
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn calls_in_a_shard_and_the_main_gate_complete_once() {
        explore("calls_in_a_shard_and_the_main_gate_complete_once", || {
            let it = Connection::attached(gates());
            it.spawn(|it| it.call_on(1));
            it.spawn(Memory::call);
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    /// What the threads leave is freed as soon as the detach is complete: they own nothing of it.
    #[test]
    fn calls_that_end_in_one_shard_leave_memory_that_may_be_freed() {
        explore(
            "calls_that_end_in_one_shard_leave_memory_that_may_be_freed",
            || {
                let it = Connection::attached(gates());
                it.abandon();
                let holds = [it.hold_on(0), it.hold_on(0)];
                holds
                    .into_iter()
                    .for_each(|hold| it.spawn(move |it| it.end(hold)));
                it.detach();
                assert_eq!(it.completions(), 1);
            },
        );
    }

    #[test]
    fn calls_that_end_in_two_shards_leave_memory_that_may_be_freed() {
        explore(
            "calls_that_end_in_two_shards_leave_memory_that_may_be_freed",
            || {
                let it = Connection::attached(gates());
                it.abandon();
                let holds = [it.hold_on(0), it.hold_on(1)];
                holds
                    .into_iter()
                    .for_each(|hold| it.spawn(move |it| it.end(hold)));
                it.detach();
                assert_eq!(it.completions(), 1);
            },
        );
    }

    #[test]
    fn a_detach_during_the_attach_completes_once() {
        explore("a_detach_during_the_attach_completes_once", || {
            let it = Connection::attaching(gates());
            it.spawn(Memory::attach);
            it.spawn(|it| it.call_on(1));
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn all_shards_open_and_close() {
        explore("all_shards_open_and_close", || {
            let it = Connection::attached(gates());
            let holds = [it.hold_on(0), it.hold_on(1)];
            it.gates().close();
            assert!(
                it.gates()
                    .enter_shard(0)
                    .is_err_and(|left| left == Released::Pending)
            );
            assert!(
                it.gates()
                    .enter_shard(1)
                    .is_err_and(|left| left == Released::Pending)
            );
            it.end(Hold::Main);
            assert_eq!(it.completions(), 0);
            it.end(holds[0]);
            assert_eq!(it.completions(), 0);
            it.end(holds[1]);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_call_that_moves_ends_where_it_began() {
        explore("a_call_that_moves_ends_where_it_began", || {
            let it = Connection::attached(gates());
            let hold = it.hold_on(1);
            it.spawn(move |it| it.end(hold));
            it.spawn(|it| it.call_on(0));
            it.detach();
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_vacant_slot_can_be_claimed_again() {
        explore("a_vacant_slot_can_be_claimed_again", || {
            let it = Connection::attached(gates());
            it.spawn(|it| it.call_on(1));
            it.spawn(Memory::attach_and_detach);
            it.detach();
            assert_eq!(it.completions(), it.attaches());
        });
    }

    #[test]
    fn a_failed_attach_leaves_a_vacant_slot() {
        explore("a_failed_attach_leaves_a_vacant_slot", || {
            let it = Connection::attaching(gates());
            it.spawn(|it| it.call_on(1));
            it.fail_to_attach();
            it.attach_and_detach();
            assert_eq!(it.completions(), 1);
        });
    }
}
