//! [`Module`]: what a driver implements.

use crate::detach::Detach;
use crate::dispatch::Serves;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::lent::Lent;
use crate::offer::Offer;
use crate::role::Role;

/// A network module: a [`Client<N>`](crate::Client) or a [`Provider<N>`](crate::Provider) of the
/// interface `N`. A type can be both, and of several interfaces.
///
/// The NMR calls the methods, on any thread, for several peers at once. Do not hold a lock across
/// [`Registration::new`](crate::Registration::new), or while a registration ends, that one of them
/// takes.
pub trait Module<R: Role>: Send + Sync + Sized + 'static {
    /// The module's part of one binding: the object that the peer calls. A type without state will
    /// do, and `()` if the interface has no functions for this role.
    ///
    /// It is dropped after both modules have detached: at most at `DISPATCH_LEVEL`, so its `Drop`
    /// must not wait and must not use paged memory.
    type Binding: Serves<R::Local>;

    /// Who the module is. Asked once, by [`Registration::new`](crate::Registration::new).
    fn identity(&self) -> Identity;

    /// What the interface has modules say about themselves. Asked once, by
    /// [`Registration::new`](crate::Registration::new). Peers read it as long as the module is
    /// registered.
    fn characteristics(&self) -> Option<Lent<'_, R::Characteristics>> {
        None
    }

    /// Decides whether to attach to a peer. `PASSIVE_LEVEL`.
    ///
    /// Returns the binding, or the reason for declining: [`Error::NO_INTERFACE`] if there is no
    /// better one. The NMR does not make the same offer again. A provider may decline what its
    /// client has accepted: then the client's binding is dropped, and `declined` called.
    ///
    /// The peer may call a client's binding as soon as this returns, and a provider's as soon as
    /// the attach is complete. Existing bindings are not affected, whatever this returns.
    ///
    /// Source: `ClientAttachProvider`, `ProviderAttachClient`.
    fn attach(&self, offer: Offer<'_, R>) -> Result<Self::Binding>;

    /// The attach succeeded. `PASSIVE_LEVEL`, on the thread of `attach`; may overlap `detaching`.
    ///
    /// A client can call its provider from here. A provider cannot call its client yet: the NMR
    /// asks it not to, before its attach callback has returned.
    fn attached(&self, binding: &Self::Binding) {
        let _ = binding;
    }

    /// An offer came to nothing, and not because this module declined it. `PASSIVE_LEVEL`, on the thread of
    /// `attach`.
    ///
    /// * The provider has declined, for this reason, an offer that this client accepted; the binding
    ///   was dropped. Not for providers. Source: the status of `NmrClientAttachProvider`.
    /// * The provider has accepted and given no functions, although the interface has some:
    ///   [`Error::NO_INTERFACE`]. The binding stays until one of the two leaves, and cannot be called; `attached`
    ///   is not called. Not for providers.
    /// * Memory ran out before the module was asked, or after it accepted:
    ///   [`Error::INSUFFICIENT_RESOURCES`]. The NMR does not repeat the offer.
    fn declined(&self, reason: Error) {
        let _ = reason;
    }

    /// The peer can no longer be called, and calls in progress should end soon. At most
    /// `DISPATCH_LEVEL`; must not wait.
    ///
    /// The detach is complete when all calls have ended and `detach` was dropped. A module that has
    /// nothing else to finish drops it here. The peer may call the binding until it has detached
    /// as well.
    ///
    /// Source: `ClientDetachProvider`, `ProviderDetachClient`.
    fn detaching(&self, binding: &Self::Binding, detach: Detach<R::Remote>) {
        let _ = binding;
        drop(detach);
    }

    /// A detach callback of a module of this type is about to answer that the detach is pending:
    /// calls are in progress, or the module has kept its [`Detach`]. For traces and counters; at
    /// most `DISPATCH_LEVEL`, and must not wait.
    ///
    /// The detach may be complete by now, and the binding and the module gone. So there is no
    /// `self`.
    ///
    /// Source: `STATUS_PENDING` of `ClientDetachProvider`, `ProviderDetachClient`.
    fn pended() {}

    /// A pending detach of a module of this type is about to complete. For traces and counters; at
    /// most `DISPATCH_LEVEL`, on the thread that ends the last call, and must not wait. It may
    /// come before its `pended`.
    ///
    /// Source: `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
    fn completed() {}
}
