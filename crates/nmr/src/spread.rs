//! [`SpreadSlot`]: a slot for a peer that many processors call at the same time.

use core::marker::PhantomData;
use core::ops::Deref;

use crate::dispatch::{Dispatch, Remote};
use crate::error::Result;
use crate::link::{Link, ShardHold};
use crate::peer::Detached;
use crate::slot::Slot;

/// Returns on which processor the caller runs.
///
/// In a driver that is `KeGetCurrentProcessorNumberEx`, which this crate does not call because it
/// calls nothing but the NMR:
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

/// A [`Slot`] whose calls are counted for each processor, in 16 words: for a peer that many
/// processors call at the same time, each often. A plain `Slot` counts in one word, and is better for
/// everything else. The driver's counterpart in C is a cache-aware rundown reference.
///
/// A call costs what it costs with a `Slot`, plus [`Processor::number`], however many processors call.
/// The price: 2 kB of non-paged memory, a call of two words, and eight atomic operations for each of the 16
/// words from the attach to the cleanup. Processors whose numbers have the same remainder share a word.
///
/// A call that begins while the peer attaches or detaches may be turned back on one processor when it
/// is not yet, or no longer, on another. After [`Module::attached`](crate::Module::attached) of a client
/// all can call, and since [`Module::detaching`](crate::Module::detaching) none.
///
/// It dereferences to the `Slot`, for [`Offer::claim`](crate::Offer::claim) and
/// [`is_attached`](Slot::is_attached).
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
/// use nmr::{Processor, SpreadSlot};
///
/// struct Current;
/// # impl Processor for Current {
/// #     fn number() -> usize { 0 }
/// # }
///
/// struct Adder(SpreadSlot<ProviderDispatch, Current>);
///
/// # fn main() -> nmr::Result {
/// let adder = Adder(SpreadSlot::new()?);
/// assert!(!adder.0.is_attached());
/// assert!(adder.0.enter().is_err());
/// # Ok(())
/// # }
/// ```
pub struct SpreadSlot<D: Dispatch, P> {
    slot: Slot<D>,
    processor: PhantomData<fn() -> P>,
}

/// A call in progress that began with [`SpreadSlot::enter`]. Otherwise a [`Call`](crate::Call), with its
/// rules for locks and for the IRQL of its end.
#[must_use = "the peer can be called as long as the call lives"]
pub struct SpreadCall<D: Dispatch>(ShardHold<D>);

impl<D: Dispatch, P: Processor> SpreadSlot<D, P> {
    /// A vacant slot. At most `DISPATCH_LEVEL`.
    ///
    /// Fails with [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES).
    pub fn new() -> Result<Self> {
        Ok(Self {
            slot: Slot::spread()?,
            processor: PhantomData,
        })
    }

    /// Begins a call into the peer that is attached now. As [`Peer::enter`](crate::Peer::enter).
    pub fn enter(&self) -> Result<SpreadCall<D>, Detached> {
        Link::enter_shard(self.slot.link(), P::number()).map(SpreadCall)
    }
}

impl<D: Dispatch, P> Deref for SpreadSlot<D, P> {
    type Target = Slot<D>;

    fn deref(&self) -> &Slot<D> {
        &self.slot
    }
}

impl<D: Dispatch> Deref for SpreadCall<D> {
    type Target = Remote<D>;

    fn deref(&self) -> &Remote<D> {
        self.0.remote()
    }
}

/// A second call that is in progress as long as it lives, also when the peer is detaching already.
impl<D: Dispatch> Clone for SpreadCall<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[cfg(all(test, not(loom), not(shuttle)))]
mod tests {
    use super::SpreadCall;
    use crate::peer::Call;

    #[test]
    fn a_call_has_one_word_or_two() {
        assert_eq!(size_of::<Call<()>>(), size_of::<usize>());
        assert_eq!(size_of::<SpreadCall<()>>(), 2 * size_of::<usize>());
    }
}
