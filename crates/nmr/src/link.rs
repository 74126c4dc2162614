//! The memory behind a [`Peer`](crate::Peer) or a [`Slot`](crate::Slot), and what is done with it.
//!
//! A [`Link`] is one connection: a gate, the peer that the gate guards, and what completes the
//! detach. A binding takes it with a [`Claim`]. That is the [`Connection`], which the binding keeps
//! until its cleanup, and the first [`Hold`], which is the attach's.
// UNSAFETY: the gate decides who may touch what, and the compiler cannot follow it.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;
use core::ptr::NonNull;

use crate::counting::Counting;
use crate::dispatch::{Dispatch, Remote};
use crate::error::Result;
use crate::gate::Left;
use crate::handle::Completion;
use crate::peer::Detached;
use crate::shared::Shared;

/// One connection to a peer.
///
/// # Invariants
///
/// * `completion` is written between the claim of the gate and the first use of the binding by the
///   NMR, and read by the thread that the gate calls the last.
/// * `remote` is written between the claim and the opening of the gate, and read by those who
///   entered the open gate and have not left it.
pub(crate) struct Link<D: Dispatch, G: Counting> {
    gate: G,
    completion: UnsafeCell<Completion>,
    remote: UnsafeCell<Remote<D>>,
}

/// A vacant link that was taken for a binding. If the attach fails, dropping this gives it back.
pub(crate) struct Claim<D: Dispatch, G: Counting> {
    // First, because it has to leave before the gate is released.
    pub(crate) hold: Hold<D, G>,
    pub(crate) connection: Connection<D, G>,
}

/// A binding's use of a link. Dropping it makes the link vacant again.
///
/// # Invariants
///
/// The gate is claimed, and this is the only connection of its link.
pub(crate) struct Connection<D: Dispatch, G: Counting>(Shared<Link<D, G>>);

/// One of those whom the gate counts: an attach, a call, or a detach. Dropping it leaves, and
/// completes the detach if it was the last.
///
/// # Invariants
///
/// The gate of the link counts it, with this pass. So the binding of the link is not cleaned up, which
/// keeps the link alive.
pub(crate) struct Hold<D: Dispatch, G: Counting> {
    link: NonNull<Link<D, G>>,
    pass: G::Pass,
}

impl<D: Dispatch, G: Counting> Link<D, G> {
    /// A link that no binding uses.
    pub(crate) fn vacant() -> Result<Shared<Self>> {
        Shared::new(Self {
            gate: G::vacant()?,
            completion: UnsafeCell::new(Completion::NONE),
            remote: UnsafeCell::new(Remote::ABSENT),
        })
    }

    /// Takes the link for a binding. `None` if another binding has it.
    pub(crate) fn claim(link: &Shared<Self>) -> Option<Claim<D, G>> {
        link.gate.claim().map(|pass| Claim {
            // INVARIANT: a successful claim counts one hold, and there is no other connection.
            hold: Hold {
                link: link.as_ptr(),
                pass,
            },
            connection: Connection(link.clone()),
        })
    }

    /// Begins a call. If the peer is not attached, the attempt itself may have been what a detach
    /// was waiting for, and then completes it.
    pub(crate) fn enter(link: &Shared<Self>) -> Result<Hold<D, G>, Detached> {
        match link.gate.enter() {
            // INVARIANT: the gate counts the call.
            Ok(pass) => Ok(Hold {
                link: link.as_ptr(),
                pass,
            }),
            Err(left) => {
                // SAFETY: the link must be alive, which `link` sees to, and `left` be what its gate
                // answered.
                unsafe { finish(link.as_ptr(), left) };
                Err(Detached)
            }
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.gate.is_open()
    }
}

impl<D: Dispatch, G: Counting> Connection<D, G> {
    /// Notes the NMR's handle of the binding, and whom else to tell of the completion.
    ///
    /// # Safety
    ///
    /// * The NMR does not know the binding's context yet.
    pub(crate) unsafe fn set_completion(&self, completion: Completion) {
        // SAFETY: nobody else may access the cell: only the last to leave a closing gate does, and
        // the NMR cannot have asked to close it.
        unsafe { *self.0.completion.get() = completion };
    }

    /// Notes the peer and lets calls begin, if the peer can be called at all.
    ///
    /// # Safety
    ///
    /// * The attach is still counted, and calls this once.
    /// * `remote` is what the peer gave for this attach.
    pub(crate) unsafe fn open(&self, remote: Remote<D>) {
        if remote.can_be_called() {
            // SAFETY: nobody else may access the cell: the gate has not been open since its claim.
            unsafe { *self.0.remote.get() = remote };
            self.0.gate.open();
        }
    }

    /// Lets no more calls begin. The detach callback is the hold.
    ///
    /// # Safety
    ///
    /// * The NMR calls the detach callback of the binding, which it does once.
    pub(crate) unsafe fn close(&self) -> Hold<D, G> {
        // INVARIANT: `close` has counted it.
        Hold {
            link: self.0.as_ptr(),
            pass: self.0.gate.close(),
        }
    }
}

impl<D: Dispatch, G: Counting> Drop for Connection<D, G> {
    fn drop(&mut self) {
        self.0.gate.release();
    }
}

impl<D: Dispatch, G: Counting> Hold<D, G> {
    /// The peer.
    ///
    /// # Safety
    ///
    /// * The hold began by entering the open gate, or is a clone of one that did.
    pub(crate) unsafe fn remote(&self) -> &Remote<D> {
        let remote = self.link().remote.get();
        // SAFETY: nobody may write while the reference lives: the link is only written to before
        // its gate opens, and cannot be claimed anew before this hold has left.
        unsafe { &*remote }
    }

    /// Leaves, and lets the caller complete the detach.
    pub(crate) fn leave(self) -> Left {
        let left = self.link().gate.leave(self.pass);
        core::mem::forget(self);
        left
    }

    fn link(&self) -> &Link<D, G> {
        // SAFETY: the link must be alive: it is, by the invariant, as long as the hold is counted.
        unsafe { self.link.as_ref() }
    }
}

impl<D: Dispatch, G: Counting> Clone for Hold<D, G> {
    fn clone(&self) -> Self {
        self.link().gate.enter_again(self.pass);
        // INVARIANT: the gate counts the new hold too.
        Self { ..*self }
    }
}

impl<D: Dispatch, G: Counting> Drop for Hold<D, G> {
    fn drop(&mut self) {
        let left = self.link().gate.leave(self.pass);
        // SAFETY: `left` must be what the gate answered; then the link is alive if this was the
        // last, because the NMR keeps the binding until it hears of it.
        unsafe { finish(self.link, left) };
    }
}

/// Completes the detach if the thread that just left was the last.
///
/// # Safety
///
/// * `left` is the answer of the link's gate, which nobody acted on yet.
/// * If it is `Last`, the link is alive.
unsafe fn finish<D: Dispatch, G: Counting>(link: NonNull<Link<D, G>>, left: Left) {
    if left == Left::Last {
        // SAFETY: the requirements are those of this function.
        unsafe { complete(link) };
    }
}

/// Completes the detach. Apart from the path of calls, which it would make longer.
///
/// # Safety
///
/// * The link is alive, and its gate has said `Last` to the caller.
#[cold]
#[inline(never)]
unsafe fn complete<D: Dispatch, G: Counting>(link: NonNull<Link<D, G>>) {
    // SAFETY: the link must be alive, which the caller promises.
    let completion = unsafe { link.as_ref() }.completion.get();
    // SAFETY: nobody may write at the same time: the last to leave comes after the attach.
    let completion = unsafe { *completion };
    // SAFETY: the detach must be pending and this its only completion: the gate names one last.
    // Nothing of the binding is used afterwards.
    unsafe { completion.complete_detach() };
}

// SAFETY: the handle and the peer may be used from any thread; the gate orders the accesses.
unsafe impl<D: Dispatch, G: Counting> Send for Link<D, G> {}
// SAFETY: as for `Send`.
unsafe impl<D: Dispatch, G: Counting> Sync for Link<D, G> {}
// SAFETY: a hold gives access to a link, which is `Sync`, and may leave on any thread.
unsafe impl<D: Dispatch, G: Counting> Send for Hold<D, G> {}
// SAFETY: a shared hold gives access to a link, which is `Sync`, or can be cloned.
unsafe impl<D: Dispatch, G: Counting> Sync for Hold<D, G> {}
