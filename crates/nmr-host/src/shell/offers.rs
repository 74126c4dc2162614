//! The offers that a thread makes: each belongs to it until the client's attach callback has returned.

use std::cell::RefCell;
use std::collections::TryReserveError;
use std::mem::ManuallyDrop;

use nmr_machine::{Handle, Offer, Outcome};

use crate::sync::thread_local;

/// The client's handle of a binding, and its offer.
type Made = (Handle, Offer);

/// The offers of a thread. What is there as long as the thread has one takes no memory.
struct Offers {
    innermost: Option<Made>,
    /// The others, the innermost last: a callback of one offer may register a module, which is offered
    /// others.
    outer: Vec<Made>,
}

thread_local! {
    // It is not dropped, so that it is there until the thread has ended. It is empty then.
    static OFFERS: ManuallyDrop<RefCell<Offers>> = const {
        ManuallyDrop::new(RefCell::new(Offers {
            innermost: None,
            outer: Vec::new(),
        }))
    };
}

/// Makes room for one more offer.
pub(super) fn reserve() -> Result<(), TryReserveError> {
    OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        match offers.innermost {
            Some(_) => offers.outer.try_reserve(1),
            None => Ok(()),
        }
    })
}

/// Begins an offer. A [`reserve`] has made room for it.
#[inline]
pub(super) fn begin(handle: Handle, offer: Offer) {
    OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        offers.outer.extend(offers.innermost.take());
        offers.innermost = Some((handle, offer));
    });
}

/// The innermost offer has ended: the client's attach callback has returned.
#[expect(
    clippy::expect_used,
    reason = "every offer that is begun inside of this one has ended"
)]
#[inline]
pub(super) fn end() -> Outcome {
    OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        let (_, offer) = offers.innermost.as_ref().expect("the offer that was begun");
        let outcome = *offer.outcome();
        if let Some(made) = offers.outer.pop() {
            offers.innermost = Some(made);
        } else {
            offers.innermost = None;
            offers.outer = Vec::new();
        }
        outcome
    })
}

/// Uses the offer that this thread makes to the client with this handle. `None` if it makes none.
pub(super) fn with<T>(handle: Handle, run: impl FnOnce(&mut Offer) -> T) -> Option<T> {
    OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        let is_this = |made: &&mut Made| made.0 == handle;
        let innermost = offers.innermost.as_mut().filter(is_this);
        let made = match innermost {
            Some(made) => made,
            None => offers.outer.iter_mut().find(is_this)?,
        };
        Some(run(&mut made.1))
    })
}
