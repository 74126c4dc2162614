//! [`Slot`]: the one peer that a module uses.

use crate::dispatch::Dispatch;
use crate::error::Result;
use crate::link::{Claim, Link};
use crate::peer::{Call, Detached, Peer};
use crate::shared::Shared;

/// The one peer that a module uses, whichever it is at the moment.
///
/// The module makes the slot before it registers and keeps it. Its `attach` puts an offer into it
/// with [`Offer::claim`](crate::Offer::claim), which fails while the slot is taken: so a second
/// peer is declined, and the first is not disturbed. After the cleanup of the binding the slot is
/// vacant, and the next offer can take it: a provider may go away and come back. An offer that comes
/// before that cleanup is declined, and the NMR does not make it again. [`Awaited`](crate::Awaited) is a
/// slot that threads can wait for.
///
/// ```
/// # use nmr_host as _;
/// use nmr::Slot;
///
/// nmr::dispatch! {
///     /// What the provider does.
///     pub trait Calls in struct ProviderDispatch {
///         /// Adds a value.
///         fn add(&self, value: u32) -> u32;
///     }
/// }
///
/// # fn main() -> nmr::Result {
/// let provider = Slot::<ProviderDispatch>::new()?;
/// assert!(!provider.is_attached());
/// assert!(provider.enter().is_err());
/// # Ok(())
/// # }
/// ```
pub struct Slot<D: Dispatch>(Peer<D>);

impl<D: Dispatch> Slot<D> {
    /// A vacant slot. At most `DISPATCH_LEVEL`.
    ///
    /// Fails with [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES).
    pub fn new() -> Result<Self> {
        Link::vacant().map(Peer::new).map(Self)
    }

    /// A slot with a gate for each processor.
    pub(crate) fn spread() -> Result<Self> {
        Link::spread().map(Peer::new).map(Self)
    }

    /// Begins a call into the peer that is attached now. As [`Peer::enter`].
    ///
    /// # Locks
    ///
    /// As [`Peer::enter`]: an attempt that overlaps a detach may complete it, and drop the bindings of both modules.
    pub fn enter(&self) -> Result<Call<D>, Detached> {
        self.0.enter()
    }

    /// Returns `true` if a peer was attached a moment ago. As [`Peer::is_attached`].
    ///
    /// Offers of modules that are registered already are made before
    /// [`Registration::new`](crate::Registration::new) returns. So a client that needs its provider
    /// to be there can ask here, right after.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.0.is_attached()
    }

    pub(crate) fn link(&self) -> &Shared<Link<D>> {
        self.0.link()
    }

    /// Takes the slot for a binding. `None` if another has it.
    pub(crate) fn claim(&self) -> Option<Claim<D>> {
        Link::claim(self.link())
    }
}
