//! [`Watched`]: a module of the driver, whose events are counted and written to ETW.
//!
//! The module itself knows nothing of that: the wrapper sees each offer, each detach and each call
//! from the peer pass by. Whether a detach had to wait is known to `nmr` alone, which says so
//! through `Module::pended` and `Module::completed`.

use core::marker::PhantomData;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

use exnpi::{ClientCalls, ProviderCalls};
use exnpi_control::status;
use nmr::{Detach, Error, Identity, Lent, Module, Offer, Result, Serves, Shared};

use crate::tally::{self, Side};
use crate::trace;

/// A module, which others may use as well.
pub struct Watched<M>(pub(crate) Shared<M>);

/// Its part of a binding.
pub struct WatchedBinding<R: Side, B> {
    inner: B,
    peer: u128,
    /// Whether the attach succeeded. A binding may also end before.
    attached: AtomicBool,
    side: PhantomData<fn() -> R>,
}

impl<R: Side, M: Module<R>> Module<R> for Watched<M>
where
    WatchedBinding<R, M::Binding>: Serves<R::Local>,
{
    type Binding = WatchedBinding<R, M::Binding>;

    fn identity(&self) -> Identity {
        let identity = self.0.identity();
        R::tally().set_identity(tally::number(Some(identity)));
        identity
    }

    fn characteristics(&self) -> Option<Lent<'_, R::Characteristics>> {
        self.0.characteristics()
    }

    fn attach(&self, offer: Offer<'_, R>) -> Result<Self::Binding> {
        let peer = tally::number(offer.identity());
        let inner = self
            .0
            .attach(offer)
            .inspect_err(|error| declined::<R>(peer, *error))?;
        Ok(WatchedBinding {
            inner,
            peer,
            attached: AtomicBool::new(false),
            side: PhantomData,
        })
    }

    fn attached(&self, binding: &Self::Binding) {
        binding.attached.store(true, Relaxed);
        R::tally().count(&R::tally().attached, status::SUCCESS);
        trace::attach(R::tally(), binding.peer, status::SUCCESS);
        self.0.attached(&binding.inner);
    }

    fn declined(&self, reason: Error) {
        declined::<R>(0, reason);
        self.0.declined(reason);
    }

    fn detaching(&self, binding: &Self::Binding, detach: Detach<R::Remote>) {
        R::tally().count(&R::tally().detached, status::SUCCESS);
        trace::detach(R::tally(), binding.peer, status::SUCCESS);
        self.0.detaching(&binding.inner, detach);
    }

    fn pended() {
        R::tally().count(&R::tally().pended, status::PENDING);
        trace::pend(R::tally(), 0, status::PENDING);
    }

    fn completed() {
        R::tally().count(&R::tally().completed, status::SUCCESS);
        trace::complete(R::tally(), 0, status::SUCCESS);
    }
}

/// An offer came to nothing.
fn declined<R: Side>(peer: u128, reason: Error) {
    R::tally().count(&R::tally().declined, reason.status());
    trace::decline(R::tally(), peer, reason.status());
}

impl<R: Side, B> Drop for WatchedBinding<R, B> {
    fn drop(&mut self) {
        if *self.attached.get_mut() {
            R::tally().cleaned_up.fetch_add(1, Relaxed);
            trace::cleanup(R::tally(), self.peer, status::SUCCESS);
        }
    }
}

impl<R: Side, B: ClientCalls> ClientCalls for WatchedBinding<R, B> {
    fn changed(&self, sum: u32) {
        R::tally().calls_received.fetch_add(1, Relaxed);
        self.inner.changed(sum);
    }
}

impl<R: Side, B: ProviderCalls> ProviderCalls for WatchedBinding<R, B> {
    fn add(&self, value: u32) -> u32 {
        R::tally().calls_received.fetch_add(1, Relaxed);
        self.inner.add(value)
    }
}
