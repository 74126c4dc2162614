//! The memory behind a [`Peer`](crate::Peer) or a [`Slot`](crate::Slot), and what is done with it.
//!
//! A [`Link`] is one connection: a gate, the peer that the gate guards, and what completes the
//! detach. A binding takes it with a [`Claim`]. That is the [`Connection`], which the binding keeps
//! until its cleanup, and the first [`Hold`], which is the attach's.
// UNSAFETY: the gate decides who may touch what, and the compiler cannot follow it.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;
use core::ptr::NonNull;

use crate::dispatch::{Dispatch, Remote};
use crate::error::Result;
use crate::gate::{Gate, Released};
use crate::gates::Gates;
use crate::handle::Completion;
use crate::peer::Detached;
use crate::shared::Shared;

/// One connection to a peer.
///
/// # Invariants
///
/// * `completion` is written between the claim of the gate and the first use of the binding by the
///   NMR, and read by the thread that the gate calls the last.
/// * `remote` is written between the claim and the opening of the gate, and read by threads that
///   entered the open gate and have not left it.
// In this order, which keeps together what a call uses.
#[repr(C)]
pub(crate) struct Link<D: Dispatch> {
    gates: Gates,
    remote: UnsafeCell<Remote<D>>,
    completion: UnsafeCell<Completion>,
}

/// A vacant link that was taken for a binding. If the attach fails, dropping this gives it back.
pub(crate) struct Claim<D: Dispatch> {
    // First, because it has to leave before the gate is released.
    pub(crate) hold: Hold<D>,
    pub(crate) connection: Connection<D>,
}

/// A binding's use of a link. Dropping it makes the link vacant again.
///
/// # Invariants
///
/// The gate is claimed, and this is the only connection of its link.
pub(crate) struct Connection<D: Dispatch>(Shared<Link<D>>);

/// One unit of the count of a gate: an attach, a call, or a detach. Dropping it leaves, and
/// completes the detach if it was the last.
///
/// # Invariants
///
/// The gate of the link counts it, with this pass. So the binding of the link is not cleaned up, which
/// keeps the link alive.
pub(crate) struct Hold<D: Dispatch> {
    link: NonNull<Link<D>>,
}

/// A call that one of the shards counts. Dropping it leaves, and completes the detach if it was the last.
///
/// # Invariants
///
/// `shard` is one of the gates of the link, and counts it. So the binding of the link is not cleaned up,
/// which keeps the link alive.
pub(crate) struct ShardHold<D: Dispatch> {
    link: NonNull<Link<D>>,
    shard: NonNull<Gate>,
}

impl<D: Dispatch> Link<D> {
    /// A link that no binding uses.
    pub(crate) fn vacant() -> Result<Shared<Self>> {
        Self::with(Gates::vacant())
    }

    /// The same, with a gate for each processor.
    pub(crate) fn spread() -> Result<Shared<Self>> {
        Self::with(Gates::spread()?)
    }

    #[inline(never)]
    fn with(gates: Gates) -> Result<Shared<Self>> {
        Shared::new(Self {
            gates,
            completion: UnsafeCell::new(Completion::NONE),
            remote: UnsafeCell::new(Remote::ABSENT),
        })
    }

    /// Takes the link for a binding. `None` if another binding has it.
    pub(crate) fn claim(link: &Shared<Self>) -> Option<Claim<D>> {
        link.gates.claim().then(|| Claim {
            // INVARIANT: a successful claim counts one hold, and there is no other connection.
            hold: Hold {
                link: link.as_ptr(),
            },
            connection: Connection(link.clone()),
        })
    }

    /// Begins a call. If the peer is not attached, the attempt itself may have been what a detach
    /// was waiting for, and then completes it.
    pub(crate) fn enter(link: &Shared<Self>) -> Result<Hold<D>, Detached> {
        let link_at = link.as_ptr();
        match link.gates.main.enter() {
            // INVARIANT: the main gate counts the call.
            Ok(()) => Ok(Hold { link: link_at }),
            Err(left) => Err(turned_back(link, left)),
        }
    }

    /// As [`enter`](Self::enter), in the shard of a processor.
    pub(crate) fn enter_shard(
        link: &Shared<Self>,
        processor: usize,
    ) -> Result<ShardHold<D>, Detached> {
        let link_at = link.as_ptr();
        match link.gates.enter_shard(processor) {
            // INVARIANT: the shard counts the call.
            Ok(shard) => Ok(ShardHold {
                link: link_at,
                shard,
            }),
            Err(left) => Err(turned_back(link, left)),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.gates.main.is_open()
    }
}

impl<D: Dispatch> Connection<D> {
    /// Notes the NMR's handle of the binding, and the waiter to notify of the completion.
    ///
    /// # Safety
    ///
    /// * The NMR does not know the binding's context yet.
    pub(crate) unsafe fn set_completion(&self, completion: Completion) {
        // SAFETY: the cell may have no other access: only the last to leave a closing gate does, and
        // the NMR cannot have asked to close it.
        unsafe { *self.0.completion.get() = completion };
    }

    /// Notes the peer and lets calls begin, if the peer can be called at all. Returns whether it can.
    ///
    /// # Safety
    ///
    /// * The attach is still counted, and calls this once.
    /// * `remote` is what the peer gave for this attach.
    pub(crate) unsafe fn open(&self, remote: Remote<D>) -> bool {
        let can_be_called = remote.can_be_called();
        if can_be_called {
            // SAFETY: the cell may have no other access: the gate has not been open since its claim.
            unsafe { *self.0.remote.get() = remote };
            self.0.gates.open();
        }
        can_be_called
    }

    /// Lets no more calls begin. The detach callback is the hold.
    ///
    /// # Safety
    ///
    /// * The NMR calls the detach callback of the binding, which it does once.
    pub(crate) unsafe fn close(&self) -> Hold<D> {
        self.0.gates.close();
        // INVARIANT: `close` has counted it.
        Hold {
            link: self.0.as_ptr(),
        }
    }
}

impl<D: Dispatch> Drop for Connection<D> {
    fn drop(&mut self) {
        self.0.gates.release();
    }
}

impl<D: Dispatch> Hold<D> {
    /// The peer.
    ///
    /// # Safety
    ///
    /// * The hold began by entering the open gate, or is a clone of one that did.
    pub(crate) unsafe fn remote(&self) -> &Remote<D> {
        // SAFETY: the link is alive and the hold entered it: the invariant and the caller.
        unsafe { remote(self.link) }
    }

    /// Leaves, and lets the caller complete the detach.
    pub(crate) fn leave(self) -> Released {
        let left = self.gate().leave();
        core::mem::forget(self);
        left
    }

    /// The main gate, and no reference to the rest of the link, which may be freed while this leaves.
    fn gate(&self) -> &Gate {
        // SAFETY: the link is alive as long as the hold is counted, by the invariant.
        unsafe { &(*self.link.as_ptr()).gates.main }
    }
}

impl<D: Dispatch> Clone for Hold<D> {
    fn clone(&self) -> Self {
        self.gate().enter_again();
        // INVARIANT: the gate counts the new hold too.
        Self { ..*self }
    }
}

impl<D: Dispatch> Drop for Hold<D> {
    fn drop(&mut self) {
        let left = self.gate().leave();
        // SAFETY: `left` is what the gate answered; then the link is alive if this was the
        // last, because the NMR keeps the binding until the completion.
        unsafe { finish(self.link, left) };
    }
}

impl<D: Dispatch> ShardHold<D> {
    /// The peer.
    pub(crate) fn remote(&self) -> &Remote<D> {
        // SAFETY: the link is alive, and the hold entered an open shard of it: the invariant.
        unsafe { remote(self.link) }
    }
}

impl<D: Dispatch> Clone for ShardHold<D> {
    fn clone(&self) -> Self {
        // SAFETY: the shard is alive as long as it counts the hold, by the invariant.
        unsafe { self.shard.as_ref() }.enter_again();
        // INVARIANT: the shard counts the new hold too.
        Self { ..*self }
    }
}

impl<D: Dispatch> Drop for ShardHold<D> {
    fn drop(&mut self) {
        // SAFETY: the link is alive as long as the hold is counted, by the invariant.
        let gates = unsafe { &raw mut (*self.link.as_ptr()).gates };
        // SAFETY: the address of a field of the link is not null.
        let gates = unsafe { NonNull::new_unchecked(gates) };
        // SAFETY: the shard is one of these gates and counts the hold, by the invariant.
        let left = unsafe { Gates::leave_shard(gates, self.shard) };
        // SAFETY: `left` is what the gates answered, as for `Hold`.
        unsafe { finish(self.link, left) };
    }
}

/// The peer of a link.
///
/// # Safety
///
/// * A gate of the link counts a call that entered it when it was open, as long as `'a`.
unsafe fn remote<'a, D: Dispatch>(link: NonNull<Link<D>>) -> &'a Remote<D> {
    // SAFETY: the link is alive, because a gate counts a call.
    let remote = unsafe { &(*link.as_ptr()).remote }.get();
    // SAFETY: the link is only written to before its gates open, and cannot be claimed anew before the
    // call has left.
    unsafe { &*remote }
}

/// What became of a thread that found the link closed: it has left again, and may be the last.
#[cold]
fn turned_back<D: Dispatch>(link: &Shared<Link<D>>, left: Released) -> Detached {
    // SAFETY: `link` keeps the link alive, and `left` is what its gates answered.
    unsafe { finish(link.as_ptr(), left) };
    Detached
}

/// Completes the detach if the thread that just left was the last.
///
/// # Safety
///
/// * `left` is the answer of the link's gate, which has not been acted on yet.
/// * If it is `Last`, the link is alive.
unsafe fn finish<D: Dispatch>(link: NonNull<Link<D>>, left: Released) {
    if left == Released::Drained {
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
unsafe fn complete<D: Dispatch>(link: NonNull<Link<D>>) {
    // SAFETY: the link must be alive, which the caller promises.
    let completion = unsafe { link.as_ref() }.completion.get();
    // SAFETY: no write may happen at the same time: the last to leave comes after the attach.
    let completion = unsafe { *completion };
    // SAFETY: the detach must be pending and this its only completion: the gate names one last.
    // Nothing of the binding is used afterwards.
    unsafe { completion.complete_detach() };
}

// SAFETY: the handle and the peer may be used from any thread; the gate orders the accesses.
unsafe impl<D: Dispatch> Send for Link<D> {}
// SAFETY: as for `Send`.
unsafe impl<D: Dispatch> Sync for Link<D> {}
// SAFETY: a hold gives access to a link, which is `Sync`, and may leave on any thread.
unsafe impl<D: Dispatch> Send for Hold<D> {}
// SAFETY: a shared hold gives access to a link, which is `Sync`, or can be cloned.
unsafe impl<D: Dispatch> Sync for Hold<D> {}
// SAFETY: as for `Hold`.
unsafe impl<D: Dispatch> Send for ShardHold<D> {}
// SAFETY: as for `Hold`.
unsafe impl<D: Dispatch> Sync for ShardHold<D> {}
