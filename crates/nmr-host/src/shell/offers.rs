//! The offers that a thread makes: each belongs to it until the client's attach callback has returned.

use std::cell::RefCell;
use std::collections::TryReserveError;
use std::mem::{self, ManuallyDrop};

use nmr_machine::{Handle, Offer};
use nmr_sys::NTSTATUS;

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

/// Calls a client's attach callback. Returns what has become of the offer, and what the callback
/// answered. A [`reserve`] has made room for it.
#[expect(
    clippy::expect_used,
    reason = "every offer that is begun inside of this one has ended"
)]
pub(super) fn make(
    handle: Handle,
    offer: Offer,
    attach: impl FnOnce() -> NTSTATUS,
) -> (Offer, NTSTATUS) {
    OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        let outer = offers.innermost.replace((handle, offer));
        offers.outer.extend(outer);
    });
    let status = attach();
    let made = OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        let outer = offers.outer.pop();
        if outer.is_none() {
            offers.outer = Vec::new();
        }
        mem::replace(&mut offers.innermost, outer)
    });
    let (_, offer) = made.expect("this offer");
    (offer, status)
}

/// Uses the offer that this thread makes to the client with this handle. `None` if it makes none.
pub(super) fn with<T>(handle: Handle, run: impl FnOnce(&mut Offer) -> T) -> Option<T> {
    OFFERS.with(|offers| {
        let offers = &mut *offers.borrow_mut();
        let outer = offers.outer.iter_mut();
        let mut all = offers.innermost.iter_mut().chain(outer);
        let (_, offer) = all.find(|(of, _)| *of == handle)?;
        Some(run(offer))
    })
}
