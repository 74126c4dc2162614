//! The offers that a thread makes: each belongs to it until the client's attach callback has returned.

use std::cell::RefCell;
use std::collections::TryReserveError;
use std::mem::ManuallyDrop;

use nmr_machine::{Handle, Offer, Outcome};

use crate::nested::Nested;
use crate::sync::thread_local;

thread_local! {
    /// The client's handle of each binding, and its offer. They are nested because a callback of one offer
    /// may register a module, which is offered others. The list is not dropped, so that it is there until
    /// the thread has ended; it is empty then.
    static OFFERS: ManuallyDrop<RefCell<Nested<(Handle, Offer)>>> =
        const { ManuallyDrop::new(RefCell::new(Nested::new())) };
}

/// Makes room for one more offer.
pub(super) fn reserve() -> Result<(), TryReserveError> {
    OFFERS.with(|offers| offers.borrow_mut().reserve())
}

/// Begins an offer. A [`reserve`] has made room for it.
#[inline]
pub(super) fn begin(handle: Handle, offer: Offer) {
    OFFERS.with(|offers| offers.borrow_mut().push((handle, offer)));
}

/// The innermost offer has ended: the client's attach callback has returned.
#[expect(
    clippy::expect_used,
    reason = "every offer that is begun inside of this one has ended"
)]
#[inline]
pub(super) fn end() -> Outcome {
    let ended = OFFERS.with(|offers| offers.borrow_mut().pop(|(_, offer)| *offer.outcome()));
    ended.expect("the offer that was begun")
}

/// Uses the offer that this thread makes to the client with this handle. `None` if it makes none.
#[inline]
pub(super) fn with<T>(handle: Handle, run: impl FnOnce(&mut Offer) -> T) -> Option<T> {
    OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        let (_, offer) = offers.find(|&(made_to, _)| made_to == handle)?;
        Some(run(offer))
    })
}
