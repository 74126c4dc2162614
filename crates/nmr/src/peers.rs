//! [`Peers`]: the peers of a module that calls all of them.
// UNSAFETY: a list whose entries are added by several threads.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::iter::successors;
use core::ptr;

use crate::boxed::try_box;
use crate::dispatch::Dispatch;
use crate::error::Result;
use crate::link::Claim;
use crate::peer::Call;
use crate::slot::Slot;
use crate::sync::{AtomicPtr, Ordering};

/// A set of peers that bindings join and leave by themselves: for a module that calls each of its peers, as a
/// provider does that notifies its clients.
///
/// The module makes the set before it registers. Its `attach` joins with [`Offer::join`](crate::Offer::join).
/// The binding is in the set from the end of the attach to the begin of the detach.
///
/// There is no lock. To call every peer is to go through a list of [`Slot`]s, which grows by one when more
/// bindings join than ever before, and keeps the memory, about 100 bytes of non-paged pool for each, until
/// the set is dropped.
///
/// ```
/// # use nmr_host as _;
/// # use nmr::{Guid, Identity, Module, Npi, Offer, Provider, Result};
/// use nmr::Peers;
///
/// nmr::dispatch! {
///     /// What a client hears.
///     pub trait Hears in struct ClientDispatch {
///         /// There is news.
///         fn news(&self, number: u32);
///     }
/// }
/// # struct NewsNpi;
/// # unsafe impl Npi for NewsNpi {
/// #     const ID: Guid = Guid::from_u128(0xc2e1f8a0_54f4_4b7e_8a55_0b7d4f6d1f31);
/// #     type ClientDispatch = ClientDispatch;
/// #     type ProviderDispatch = ();
/// #     type ClientCharacteristics = ();
/// #     type ProviderCharacteristics = ();
/// # }
///
/// struct Publisher(Peers<ClientDispatch>);
///
/// impl Publisher {
///     fn publish(&self, number: u32) {
///         for client in self.0.enter() {
///             client.news(number);
///         }
///     }
/// }
///
/// impl Module<Provider<NewsNpi>> for Publisher {
///     type Binding = ();
/// #   fn identity(&self) -> Identity {
/// #       Identity::new(Guid::from_u128(0x2c4c3e2b_77d7_4d58_9f7b_2f4f0c1f3a07))
/// #   }
///
///     fn attach(&self, offer: Offer<'_, Provider<NewsNpi>>) -> Result<()> {
///         offer.join(&self.0)
///     }
/// }
/// # Publisher(Peers::new()).publish(1);
/// ```
///
/// # Invariants
///
/// The pointer is null or to a leaked entry, as is the `next` of each. Entries are only added, at the front.
pub struct Peers<D: Dispatch> {
    first: AtomicPtr<Entry<D>>,
}

struct Entry<D: Dispatch> {
    slot: Slot<D>,
    next: *mut Entry<D>,
}

impl<D: Dispatch> Peers<D> {
    /// An empty set. Any IRQL.
    #[must_use]
    pub fn new() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Begins a call into each peer that is attached, one after the other: each when the iterator reaches it.
    /// Any IRQL up to `DISPATCH_LEVEL`; never waits and never allocates.
    ///
    /// A peer that attaches meanwhile may be left out. Drop a call before the next one, or keep them: as the
    /// loop likes. See [`Call`] for the locks that must not be held when one is dropped, or the iterator asked
    /// for the next.
    pub fn enter(&self) -> impl Iterator<Item = Call<D>> + '_ {
        self.slots().filter_map(|slot| slot.enter().ok())
    }

    /// Takes a slot for a binding: a vacant one, or a new one.
    pub(crate) fn claim(&self) -> Result<Claim<D>> {
        if let Some(claim) = self.slots().find_map(Slot::claim) {
            return Ok(claim);
        }
        let slot = Slot::new()?;
        let claim = slot.claim();
        let next = ptr::null_mut();
        self.add(Box::leak(try_box(Entry { slot, next })?));
        // The slot was vacant and is new: there was no other claim.
        claim.ok_or(crate::error::Error::INSUFFICIENT_RESOURCES)
    }

    fn add(&self, entry: &'static mut Entry<D>) {
        entry.next = self.first.load(Ordering::Relaxed);
        let at = ptr::from_mut(entry);
        while let Err(first) = self.first.compare_exchange_weak(
            // SAFETY: the entry is alive, and no other thread has its address before the exchange.
            unsafe { (*at).next },
            at,
            Ordering::Release,
            Ordering::Relaxed,
        ) {
            // SAFETY: as above.
            unsafe { (*at).next = first };
        }
    }

    fn slots(&self) -> impl Iterator<Item = &Slot<D>> {
        // SAFETY: an entry is alive and only shared as long as `self`, and was written before its address: the
        // invariant, and the order of `add` and of this load.
        let first = unsafe { self.first.load(Ordering::Acquire).as_ref() };
        // SAFETY: as above.
        let entries = successors(first, |entry| unsafe { entry.next.as_ref() });
        entries.map(|entry| &entry.slot)
    }
}

impl<D: Dispatch> Default for Peers<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Dispatch> Drop for Peers<D> {
    fn drop(&mut self) {
        let mut next = self.first.load(Ordering::Acquire);
        while !next.is_null() {
            // SAFETY: the entry comes from a leaked box, and `self` is its only owner and gone: the invariant.
            let entry = unsafe { Box::from_raw(next) };
            next = entry.next;
        }
    }
}

// SAFETY: the entries are slots, which are `Send` and `Sync`, and addresses that do not change.
unsafe impl<D: Dispatch> Send for Peers<D> {}
// SAFETY: as for `Send`.
unsafe impl<D: Dispatch> Sync for Peers<D> {}
