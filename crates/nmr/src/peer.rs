//! [`Peer`] and [`Call`]: how a module calls the module it is attached to.
// UNSAFETY: a call is the proof that the peer may be used.
#![expect(unsafe_code)]

use core::fmt;
use core::ops::Deref;

use crate::dispatch::{Dispatch, Remote};
use crate::error::Error;
use crate::link::{Hold, Link};
use crate::shared::Shared;

/// The other module of a binding.
///
/// [`Offer::peer`](crate::Offer::peer) gives it. It can be cloned, sent and kept anywhere: it says
/// nothing about whether the peer is attached and never delays a detach. After the detach it stays
/// detached for good, also when the same module attaches again.
pub struct Peer<D: Dispatch>(Shared<Link<D>>);

/// A call in progress.
///
/// While it lives the peer stays attached, so it can be called through the [`Remote`] that this
/// dereferences to: once, or many times for a batch.
///
/// A call is owned and has no lifetime. It can be stored with a pending request, sent to the thread
/// that finishes it, and be cloned for a second one. When the peer is detaching, dropping the last
/// call completes the detach. At most `DISPATCH_LEVEL`.
///
/// # Locks
///
/// To drop a call may run code of both modules: [`Module::completed`](crate::Module::completed), and the drop of both
/// [bindings](crate::Module::Binding), the peer's as well. So drop it without a lock that one of them takes, and
/// take it out of a collection under the collection's lock, to drop it when the lock is released. The same holds for
/// [`Peer::enter`], [`Slot::enter`](crate::Slot::enter) and [`Detach`](crate::Detach).
///
/// # During a detach
///
/// A call that began before the detach goes on, and covers what is called through it until it is dropped: in
/// [`Module::detaching`](crate::Module::detaching), too, where a module may complete or cancel through its calls what
/// is pending. To begin new work through it is against the rules of the NMR, which this crate cannot see.
///
/// A call that is never dropped, forgotten, or kept in its own binding makes the detach wait
/// forever, and with it the end of both registrations.
///
/// Source: "Programming Considerations" for the NMR: a module tracks its calls, and completes the
/// detach when the last one returns.
///
/// # Invariants
///
/// The hold entered the open gate, or is a clone of one that did.
#[must_use = "the peer can be called as long as the call lives"]
pub struct Call<D: Dispatch>(Hold<D>);

/// The peer is not attached: not yet, or not any more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Detached;

impl<D: Dispatch> Peer<D> {
    pub(crate) fn new(link: Shared<Link<D>>) -> Self {
        Self(link)
    }

    pub(crate) fn link(&self) -> &Shared<Link<D>> {
        &self.0
    }

    /// Begins a call. Any IRQL up to `DISPATCH_LEVEL`; never waits and never allocates.
    ///
    /// Fails before the attach is complete and after the detach has begun.
    ///
    /// # Locks
    ///
    /// An attempt that overlaps the detach may complete it. So no lock may be held that the
    /// [bindings](crate::Module::Binding) of both modules take when they are dropped, as for the drop of a [`Call`].
    pub fn enter(&self) -> Result<Call<D>, Detached> {
        // INVARIANT: `Link::enter` enters the open gate.
        Link::enter(&self.0).map(Call)
    }

    /// Returns `true` if the peer was attached a moment ago. Only [`enter`](Self::enter) can be relied on.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.0.is_open()
    }
}

impl<D: Dispatch> Clone for Peer<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Dispatch> Deref for Call<D> {
    type Target = Remote<D>;

    fn deref(&self) -> &Remote<D> {
        // SAFETY: the hold must have entered the open gate: it has, by the invariant.
        unsafe { self.0.remote() }
    }
}

/// A second call that is in progress as long as it lives, also when the peer is detaching already.
impl<D: Dispatch> Clone for Call<D> {
    fn clone(&self) -> Self {
        // INVARIANT: it is a clone.
        Self(self.0.clone())
    }
}

impl fmt::Display for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer is not attached")
    }
}

impl core::error::Error for Detached {}

/// [`Error::DEVICE_NOT_READY`], as for [`Missing::Absent`](crate::Missing::Absent). It is not
/// [`Error::NO_INTERFACE`], with which a module declines an offer.
impl From<Detached> for Error {
    fn from(_: Detached) -> Self {
        Self::DEVICE_NOT_READY
    }
}
