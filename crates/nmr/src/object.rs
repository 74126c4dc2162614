//! [`Object`]: what a peer gives out that has a table of its own.
// UNSAFETY: the context and the table of an object come from a function of the peer.
#![expect(unsafe_code)]

use core::ffi::c_void;
use core::ops::Deref;

use crate::dispatch::{Dispatch, Remote};
use crate::peer::Call;

/// An object of a peer, with a table of its own, such as a socket of WSK. While it lives the peer stays
/// attached.
///
/// The interface's author makes one from what a function of the peer returns, and wraps it in a type whose
/// drop closes it. The module that uses it needs no `unsafe`: it calls the object through the [`Remote`] to
/// which this dereferences.
///
/// It holds a [`Call`], and what is said there about locks and about the end of a detach holds for it.
#[must_use = "the peer stays attached as long as the object lives"]
pub struct Object<D: Dispatch, O: Dispatch> {
    remote: Remote<O>,
    owner: Call<D>,
}

impl<D: Dispatch, O: Dispatch> Object<D, O> {
    /// An object of the peer that `owner` calls. `None` if the table is null, and then the call has ended.
    ///
    /// # Safety
    ///
    /// * The table is null or an `O`, and stays as long as the peer is attached.
    /// * Until the object is dropped, the functions of the table may be called on any thread with `context`
    ///   as their first argument, and any other arguments of their types.
    pub unsafe fn new(owner: Call<D>, context: *mut c_void, table: *const O) -> Option<Self> {
        let remote = Remote::new(context, table.cast());
        remote.can_be_called().then_some(Self { remote, owner })
    }

    /// The call into the peer that keeps it attached, to call the peer itself.
    pub fn owner(this: &Self) -> &Call<D> {
        &this.owner
    }
}

impl<D: Dispatch, O: Dispatch> Deref for Object<D, O> {
    type Target = Remote<O>;

    fn deref(&self) -> &Remote<O> {
        &self.remote
    }
}
