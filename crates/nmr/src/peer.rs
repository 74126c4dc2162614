//! [`Peer`] and [`Call`]: how a module calls the module it is attached to.
// UNSAFETY: a call is the proof that the peer may be used.
#![expect(unsafe_code)]

use core::fmt;
use core::ops::Deref;

use crate::counting::Counting;
use crate::dispatch::{Dispatch, Remote};
use crate::error::Error;
use crate::gate::Gate;
use crate::link::{Hold, Link};
use crate::shared::Shared;

/// The other module of a binding.
///
/// [`Offer::peer`](crate::Offer::peer) gives it. It can be cloned, sent and kept anywhere: it says
/// nothing about whether the peer is attached and never delays a detach. After the detach it stays
/// detached for good, also when the same module attaches again.
pub struct Peer<D: Dispatch, G: Counting = Gate>(Shared<Link<D, G>>);

/// A call in progress.
///
/// While it lives the peer stays attached, so it can be called through the [`Remote`] that this
/// dereferences to: once, or many times for a batch.
///
/// A call is owned and has no lifetime. It can be stored with a pending request, sent to the thread
/// that finishes it, and be cloned for a second one. When the peer is detaching, dropping the last
/// call completes the detach; the cleanup of both modules may run inside that drop. At most
/// `DISPATCH_LEVEL`.
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
pub struct Call<D: Dispatch, G: Counting = Gate>(Hold<D, G>);

/// The peer is not attached: not yet, or not any more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Detached;

impl<D: Dispatch, G: Counting> Peer<D, G> {
    pub(crate) fn new(link: Shared<Link<D, G>>) -> Self {
        Self(link)
    }

    pub(crate) fn link(&self) -> &Shared<Link<D, G>> {
        &self.0
    }

    /// Begins a call. Any IRQL up to `DISPATCH_LEVEL`; never waits and never allocates.
    ///
    /// Fails before the attach is complete and after the detach has begun. An attempt that overlaps
    /// the detach may complete it, so the cleanup of both modules may run inside this call.
    pub fn enter(&self) -> Result<Call<D, G>, Detached> {
        // INVARIANT: `Link::enter` enters the open gate.
        Link::enter(&self.0).map(Call)
    }

    /// Whether the peer was attached a moment ago. Only [`enter`](Self::enter) can be relied on.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.0.is_open()
    }
}

impl<D: Dispatch, G: Counting> Clone for Peer<D, G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Dispatch, G: Counting> Deref for Call<D, G> {
    type Target = Remote<D>;

    fn deref(&self) -> &Remote<D> {
        // SAFETY: the hold must have entered the open gate: it has, by the invariant.
        unsafe { self.0.remote() }
    }
}

/// A second call that is in progress as long as it lives, also when the peer is detaching already.
impl<D: Dispatch, G: Counting> Clone for Call<D, G> {
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

/// [`Error::NO_INTERFACE`], so that `?` can pass it on.
impl From<Detached> for Error {
    fn from(_: Detached) -> Self {
        Self::NO_INTERFACE
    }
}
