//! [`Offer`]: what an attach callback decides about.
// UNSAFETY: reads what the peer registered.
#![expect(unsafe_code)]

use core::cell::Cell;
use core::marker::PhantomData;

use nmr_sys::NPI_REGISTRATION_INSTANCE;

use crate::dispatch::Dispatch;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::link::{Claim, Link};
use crate::module::Module;
use crate::peer::Peer;
use crate::peers::Peers;
use crate::role::Role;
use crate::slot::Slot;
use crate::view::{Versioned, View};

/// The claim of a binding in the role `R`.
type ClaimOf<R> = Claim<<R as Role>::Remote>;

/// A module of the same interface to which [`Module::attach`] may attach.
///
/// What it says about the peer is what the peer says about itself. The module that accepts takes the
/// connection with [`peer`](Self::peer) or [`claim`](Self::claim), unless it never calls its peer.
///
/// # Invariants
///
/// The instance is the peer's, and what it points to is null or valid as long as the offer.
pub struct Offer<'a, R: Role> {
    instance: &'a NPI_REGISTRATION_INSTANCE,
    claim: &'a Cell<Option<ClaimOf<R>>>,
    role: PhantomData<R>,
}

impl<'a, R: Role> Offer<'a, R> {
    /// Who the peer is. `None` if it names no module, as some modules do not, or one of an unknown
    /// kind.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        // SAFETY: the module identifier must be null or valid, which is the invariant.
        unsafe { Identity::of(self.instance) }
    }

    /// What the peer says about itself in the terms of the interface. `None` if it says nothing.
    ///
    /// It is on loan for the duration of the attach: copy what is needed later.
    #[must_use]
    pub fn characteristics(&self) -> Option<&'a R::RemoteCharacteristics> {
        // SAFETY: the pointer must be null or to a value that outlives `'a`: the interface promises
        // the type (`Npi`), and the invariant the rest.
        unsafe { self.characteristics_ptr().as_ref() }
    }

    /// All that the peer says about itself, if later versions have more than the part that the
    /// [`Npi`](crate::Npi) declares. `None` if it says nothing, or less than that.
    ///
    /// On loan as [`characteristics`](Self::characteristics).
    #[must_use]
    pub fn view<T>(&self) -> Option<View<'a, T>>
    where
        T: Versioned<Base = R::RemoteCharacteristics>,
    {
        // SAFETY: the pointer must be null or to a `T` that outlives `'a`: `Versioned` promises that
        // the base is the beginning of one, and the invariant the rest.
        unsafe { View::new(self.characteristics_ptr().cast()) }
    }

    fn characteristics_ptr(&self) -> *const R::RemoteCharacteristics {
        self.instance.NpiSpecificCharacteristics.cast()
    }

    /// The connection to the peer, which opens when the attach is complete.
    ///
    /// Fails with [`Error::INSUFFICIENT_RESOURCES`].
    pub fn peer(self) -> Result<Peer<R::Remote>> {
        let link = Link::vacant()?;
        self.claim.set(Link::claim(&link));
        Ok(Peer::new(link))
    }

    /// Puts the connection to the peer into the slot, where it opens when the attach is complete.
    /// If the module declines after all, or the peer does, the slot is vacant again.
    ///
    /// Fails with [`Error::NO_INTERFACE`] if another binding has the slot, so that `?` declines the
    /// offer.
    pub fn claim(self, slot: &Slot<R::Remote>) -> Result {
        let claim = slot.claim().ok_or(Error::NO_INTERFACE)?;
        self.claim.set(Some(claim));
        Ok(())
    }

    /// Adds the connection to the peer to a set, in which it is from the end of the attach to the begin of
    /// the detach.
    ///
    /// Fails with [`Error::INSUFFICIENT_RESOURCES`].
    pub fn join(self, peers: &Peers<R::Remote>) -> Result {
        self.claim.set(Some(peers.claim()?));
        Ok(())
    }

    /// Lets a module decide. Returns its binding and the connection it took, or a new one.
    ///
    /// # Safety
    ///
    /// * What the instance points to is null or valid during the call. It is an instance of a peer
    ///   of this interface.
    pub(crate) unsafe fn decide<M: Module<R>>(
        module: &M,
        instance: &NPI_REGISTRATION_INSTANCE,
    ) -> Result<(M::Binding, ClaimOf<R>)> {
        let claim = Cell::new(None);
        // INVARIANT: the caller promises it.
        let binding = module.attach(Offer {
            instance,
            claim: &claim,
            role: PhantomData,
        })?;
        let claim = claim.take().map_or_else(unused, Ok);
        let claim = claim.inspect_err(|&error| module.declined(error))?;
        Ok((binding, claim))
    }
}

/// A connection that the module does not use. The detach needs it all the same.
fn unused<D: Dispatch>() -> Result<Claim<D>> {
    let link = Link::vacant()?;
    Link::claim(&link).ok_or(Error::NO_INTERFACE)
}
