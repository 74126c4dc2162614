//! [`Spread`]: a gate for each processor.
//!
//! Processors that call one peer at the same time take the word of its [`Gate`] from each other. Here
//! each has a gate of its own, a shard, and the argument in `gate.rs` holds for each of them: after
//! it is closed, exactly one thread is its last.
//!
//! # Exactly one thread completes the detach
//!
//! `close` writes down how many shards there are, and then closes each. The last of a shard counts it
//! as finished. The one that finds that it was the only one unfinished is the last of all.
//!
//! * The attach and the detach callback are counted in the first shard. So that one does not finish
//!   before the callback has closed them all.
//! * A call leaves the shard that it entered, on whichever processor. So no shard knows less than is
//!   in progress, and a late thread has only its own shard to undo.
//!
//! # What keeps the words alive
//!
//! As in `gate.rs`. The last of a shard uses the memory once more, to count the shard as finished: until
//! it has done so, nobody is the last of all.
//!
//! # Order of memory
//!
//! * The closer leaves each shard after it wrote how many there are. The last of the shard does not
//!   leave before, and so it acquires what was written.
//! * To count a shard as finished releases, and acquires what the others released. So the last of all
//!   comes after every call in every shard.
//! * The first shard stands for all: it is claimed first and released last. Whoever has claimed it finds
//!   the others released.
//!
//! # What is different
//!
//! The shards do not open or close in one step. While a peer attaches, a call may begin on one processor
//! when another is still turned back, and likewise while it detaches: before `attached` of a client,
//! and before `detaching`, which find all of them open, or closed.
//!
//! # Evidence
//!
//! The models at the foot of this file, with two shards, and the faults that `scripts/seeded-faults.sh`
//! plants in it:
//!
//! * one shard too few, or too many, that has to finish, or their number written too late;
//! * a `close` that does not close, or leave, or finish, the others;
//! * the last of a shard as the last of all; a count of shards that does not acquire, or release;
//! * a thread that is turned back as the last of a shard, and does not say so;
//! * a call that leaves another shard than it entered; a second call in another shard than the first;
//! * a `claim`, an `open` or a `release` of the first shard only; an attach that is counted in every one;
//! * a first shard that is released before the others.

use alloc::boxed::Box;
use core::marker::PhantomData;

use crate::boxed::try_array;
use crate::counting::Admit;
use crate::error::Result;
use crate::gate::{Gate, Left};
use crate::sync::{AtomicUsize, Ordering};

/// Tells on which processor the caller runs.
///
/// In a driver that is `KeGetCurrentProcessorNumberEx`, which this crate does not call because it
/// knows of nothing but the NMR:
///
/// ```
/// # use std::ptr;
/// # #[expect(non_snake_case)]
/// # unsafe extern "efiapi" fn KeGetCurrentProcessorNumberEx(_: *mut ()) -> u32 { 0 }
/// struct Current;
///
/// impl nmr::Processor for Current {
///     fn number() -> usize {
///         // SAFETY: the pointer may be null.
///         unsafe { KeGetCurrentProcessorNumberEx(ptr::null_mut()) as usize }
///     }
/// }
/// ```
pub trait Processor: 'static {
    /// A number for the processor. It is a hint: a wrong or an old one costs time and nothing else.
    /// Any IRQL up to `DISPATCH_LEVEL`; must not wait.
    fn number() -> usize;
}

/// Counts the calls into one peer for each processor, in `SHARDS` words: for a peer that many
/// processors call at the same time, each often. [`Gate`] is the other way, and the better one for
/// everything else.
///
/// A call costs what it costs with a gate, plus [`Processor::number`], however many processors call.
/// What it takes for that: `SHARDS` times 128 bytes of memory for each peer, a `Call` of two words, and
/// for each shard eight atomic operations from the attach to the cleanup. Processors whose numbers have the same remainder share a shard.
///
/// A call that begins while the peer attaches or detaches may be turned back on one processor when it
/// is not yet, or no longer, on another. After [`Module::attached`](crate::Module::attached) of a client
/// all can call, and since [`Module::detaching`](crate::Module::detaching) none.
///
/// ```
/// # use nmr_host as _;
/// # nmr::dispatch! {
/// #     /// What the provider does.
/// #     pub trait Calls in struct ProviderDispatch {
/// #         /// Adds a value.
/// #         fn add(&self, value: u32) -> u32;
/// #     }
/// # }
/// use nmr::{Processor, Slot, Spread};
///
/// struct Current;
/// # impl Processor for Current {
/// #     fn number() -> usize { 0 }
/// # }
///
/// // The role of the module that has it is `Client<N, Spread<Current>>`.
/// struct Adder(Slot<ProviderDispatch, Spread<Current>>);
///
/// # fn main() -> nmr::Result {
/// let adder = Adder(Slot::spread()?);
/// assert!(!adder.0.is_attached());
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// The first shard is claimed whenever another is.
pub struct Spread<P, const SHARDS: usize = 16> {
    shards: Box<[Shard; SHARDS]>,
    /// How many shards are not finished, once the closer has written it.
    unfinished: AtomicUsize,
    processor: PhantomData<fn() -> P>,
}

/// The gate of one processor. Nothing else is in its cache line, nor in the one beside it, which some
/// processors fetch with it; and that without an alignment, which allocators for drivers ignore.
#[repr(C)]
struct Shard {
    _before: [u8; 64 - size_of::<usize>()],
    gate: Gate,
    _after: [u8; 64],
}

/// The shard in which one is counted: a number below that of the shards.
#[derive(Clone, Copy)]
pub struct Pass(usize);

/// The shard of the attach and of the detach callback.
const FIRST: Pass = Pass(0);

impl<P, const SHARDS: usize> Spread<P, SHARDS> {
    fn gate(&self, Pass(shard): Pass) -> &Gate {
        const {
            assert!(
                SHARDS.is_power_of_two(),
                "the number of shards is a power of two"
            );
        }
        // The remainder is the number itself, and spares the check of the index.
        &self.shards[shard % SHARDS].gate
    }

    fn first(&self) -> &Gate {
        self.gate(FIRST)
    }

    fn others(&self) -> impl Iterator<Item = &Gate> {
        self.shards.iter().skip(1).map(|shard| &shard.gate)
    }

    /// What the caller of `leave` has to do in the end.
    fn finish_if(&self, last_of_shard: Left) -> Left {
        match last_of_shard {
            Left::Done => Left::Done,
            Left::Last => self.finish_shard(),
        }
    }

    /// Counts one shard as finished.
    #[cold]
    fn finish_shard(&self) -> Left {
        if self.unfinished.fetch_sub(1, Ordering::AcqRel) == 1 {
            Left::Last
        } else {
            Left::Done
        }
    }
}

impl<P: Processor, const SHARDS: usize> Admit for Spread<P, SHARDS> {
    type Pass = Pass;

    fn vacant() -> Result<Self> {
        Ok(Self {
            shards: try_array(Shard::vacant)?,
            unfinished: AtomicUsize::new(0),
            processor: PhantomData,
        })
    }

    fn claim(&self) -> Option<Pass> {
        self.first().claim().then(|| {
            for gate in self.others() {
                // It is vacant, because the first is.
                gate.claim();
                // The attach is counted in the first.
                let _ = gate.leave();
            }
            FIRST
        })
    }

    fn open(&self) {
        self.first().open();
        self.others().for_each(Gate::open);
    }

    fn enter(&self) -> Result<Pass, Left> {
        let pass = Pass(P::number() % SHARDS);
        match self.gate(pass).enter() {
            Ok(()) => Ok(pass),
            Err(left) => Err(self.finish_if(left)),
        }
    }

    fn enter_again(&self, pass: Pass) {
        self.gate(pass).enter_again();
    }

    fn leave(&self, pass: Pass) -> Left {
        self.finish_if(self.gate(pass).leave())
    }

    fn close(&self) -> Pass {
        self.unfinished.store(SHARDS, Ordering::Relaxed);
        self.first().close();
        for gate in self.others() {
            gate.close();
            // Not the last of all: the first shard is not finished.
            let _ = self.finish_if(gate.leave());
        }
        FIRST
    }

    fn release(&self) {
        self.others().for_each(Gate::release);
        self.first().release();
    }

    fn is_open(&self) -> bool {
        self.first().is_open()
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

    use super::{Processor, Shard, Spread};
    use crate::counting::Admit;
    use crate::peer::Call;

    struct Only;

    impl Processor for Only {
        fn number() -> usize {
            0
        }
    }

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
        let spread = Spread::<Only, 4>::vacant().unwrap();
        let words = spread.shards.each_ref().map(|shard| &raw const shard.gate);
        for pair in words.windows(2) {
            assert_eq!(pair[1].addr() - pair[0].addr(), size_of::<Shard>());
        }
    }

    #[test]
    fn a_call_has_one_word_or_two() {
        assert_eq!(size_of::<Call<()>>(), size_of::<usize>());
        assert_eq!(size_of::<Call<(), Spread<Only>>>(), 2 * size_of::<usize>());
    }
}

#[cfg(all(loom, test))]
mod models {
    use std::cell::Cell;
    use std::thread_local;

    use super::{FIRST, Pass, Processor, Spread};
    use crate::counting::Admit;
    use crate::gate::Left;
    use crate::models::{self, explore, join};

    type Connection = models::Connection<Spread<Current, 2>>;

    thread_local! {
        /// All of loom's threads see it: each sets it before it looks, and loom does not switch between.
        static NUMBER: Cell<usize> = const { Cell::new(0) };
    }

    struct Current;

    impl Processor for Current {
        fn number() -> usize {
            NUMBER.get()
        }
    }

    impl Connection {
        fn enter_on(&self, processor: usize) -> Result<Pass, Left> {
            NUMBER.set(processor);
            self.gate.enter()
        }

        fn call_on(&self, processor: usize) {
            NUMBER.set(processor);
            self.call();
        }

        /// The end of a call, wherever it began.
        fn end_on(&self, processor: usize, pass: Pass) {
            NUMBER.set(processor);
            self.rest_of_call(pass);
        }
    }

    #[test]
    fn a_call_in_any_shard_sees_what_the_attach_wrote() {
        explore("a_call_in_any_shard_sees_what_the_attach_wrote", || {
            let it = Connection::attaching();
            let threads = [it.spawn(|it| it.call_on(0)), it.spawn(|it| it.call_on(1))];
            it.attach(FIRST);
            join(threads);
            assert_eq!(it.completions(), 0);
        });
    }

    #[test]
    fn calls_in_two_shards_and_a_detach_complete_once() {
        explore("calls_in_two_shards_and_a_detach_complete_once", || {
            let it = Connection::attached();
            let threads = [it.spawn(|it| it.call_on(0)), it.spawn(|it| it.call_on(1))];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn calls_in_one_shard_and_a_detach_complete_once() {
        explore("calls_in_one_shard_and_a_detach_complete_once", || {
            let it = Connection::attached();
            let threads = [it.spawn(|it| it.call_on(1)), it.spawn(|it| it.call_on(1))];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_detach_during_the_attach_completes_once() {
        explore("a_detach_during_the_attach_completes_once", || {
            let it = Connection::attaching();
            let threads = [
                it.spawn(|it| it.attach(FIRST)),
                it.spawn(|it| it.call_on(1)),
            ];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn all_shards_open_and_close() {
        explore("all_shards_open_and_close", || {
            let it = Connection::attached();
            let passes = [it.enter_on(0), it.enter_on(1)].map(|pass| pass.ok().unwrap());
            let pass = it.gate.close();
            assert!(it.enter_on(0).is_err_and(|left| left == Left::Done));
            assert!(it.enter_on(1).is_err_and(|left| left == Left::Done));
            it.rest_of_call(pass);
            assert_eq!(it.completions(), 0);
            it.end_on(0, passes[0]);
            assert_eq!(it.completions(), 0);
            it.end_on(1, passes[1]);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn late_threads_complete_nothing() {
        explore("late_threads_complete_nothing", || {
            let it = Connection::attached();
            let pass = it.gate.close();
            assert_eq!(it.gate.leave(pass), Left::Last);
            let threads = [it.spawn(|it| it.call_on(1)), it.spawn(|it| it.call_on(1))];
            it.call_on(0);
            join(threads);
            assert_eq!(it.completions(), 0);
        });
    }

    #[test]
    fn a_call_that_moves_ends_where_it_began() {
        explore("a_call_that_moves_ends_where_it_began", || {
            let it = Connection::attached();
            let pass = it.enter_on(1).ok().unwrap();
            let threads = [
                it.spawn(move |it| it.end_on(0, pass)),
                it.spawn(|it| it.call_on(0)),
            ];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_call_in_two_places_ends_twice() {
        explore("a_call_in_two_places_ends_twice", || {
            let it = Connection::attached();
            let pass = it.enter_on(1).ok().unwrap();
            it.gate.enter_again(pass);
            let threads = [
                it.spawn(move |it| it.end_on(0, pass)),
                it.spawn(move |it| it.end_on(1, pass)),
            ];
            it.detach();
            join(threads);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn a_vacant_spread_can_be_claimed_again() {
        explore("a_vacant_spread_can_be_claimed_again", || {
            let it = Connection::attached();
            let call = it.spawn(|it| it.call_on(1));
            let claim = it.spawn(Connection::attach_and_detach);
            it.detach();
            join([call]);
            let claimed = claim.join().unwrap();
            assert_eq!(it.completions(), 1 + claimed);
        });
    }

    #[test]
    fn a_failed_attach_leaves_a_vacant_spread() {
        explore("a_failed_attach_leaves_a_vacant_spread", || {
            let it = Connection::attaching();
            let call = it.spawn(|it| it.call_on(1));
            it.fail_to_attach(FIRST);
            assert_eq!(it.attach_and_detach(), 1);
            join([call]);
            assert_eq!(it.completions(), 1);
        });
    }

    #[test]
    fn one_of_two_claims_succeeds() {
        explore("one_of_two_claims_succeeds", || {
            let it = Connection::vacant();
            let other = it.spawn(|it| it.gate.claim().is_some());
            assert_ne!(it.gate.claim().is_some(), other.join().unwrap());
        });
    }
}
