//! The binding context: what the NMR and the peer hold of a module's end of a binding.
// UNSAFETY: contexts go through C as untyped pointers.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use nmr_sys::{NPI_REGISTRATION_INSTANCE, NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};

use crate::boxed::try_box;
use crate::detach::Detach;
use crate::dispatch::{Remote, Serves};
use crate::error::{Error, Result};
use crate::gate::Released;
use crate::handle::{BindingHandle, Completion};
use crate::inside;
use crate::link::{Claim, Connection, Hold};
use crate::module::Module;
use crate::offer::Offer;
use crate::role::Role;

/// One end of a binding. The NMR passes a pointer to it to the callbacks, and the peer to the
/// functions of the dispatch table, which take it for a pointer to the first field.
///
/// # Invariants
///
/// The module outlives the binding: its registration ends after the cleanup.
#[repr(C)]
struct Context<R: Role, M: Module<R>> {
    binding: M::Binding,
    connection: Connection<R::Remote>,
    module: NonNull<M>,
}

impl<R: Role, M: Module<R>> Context<R, M> {
    fn module(&self) -> &M {
        // SAFETY: the module must be alive, which is the invariant, and only be shared, which is
        // all that is done with a registered module.
        unsafe { self.module.as_ref() }
    }
}

/// An attach in progress, which the module has accepted. Dropping it ends the attach, and
/// completes the detach if that has begun meanwhile.
///
/// # Invariants
///
/// The context comes from a box, which the cleanup callback frees. It cannot come before the hold
/// is dropped.
#[must_use]
pub(crate) struct Attach<R: Role, M: Module<R>> {
    _hold: Hold<R::Remote>,
    context: NonNull<Context<R, M>>,
}

impl<R: Role, M: Module<R>> Attach<R, M> {
    /// The table through which the peer calls the binding.
    pub(crate) const TABLE: &'static R::Local = <M::Binding as Serves<R::Local>>::TABLE;

    /// Lets the module decide about an offer, and makes the context of its binding.
    ///
    /// # Safety
    ///
    /// * The NMR is in an attach callback of the registered module, with this handle and instance.
    pub(crate) unsafe fn begin(
        module: NonNull<M>,
        handle: BindingHandle,
        instance: &NPI_REGISTRATION_INSTANCE,
    ) -> Result<Self> {
        // SAFETY: the module must be alive and shared: it is until its registration has ended.
        let registered = unsafe { module.as_ref() };
        let memory =
            try_box(MaybeUninit::uninit()).inspect_err(|&error| registered.declined(error))?;
        // SAFETY: the instance must be that of a peer: the caller promises it.
        let (binding, claim) = unsafe { Offer::decide(registered, instance) }?;
        let Claim { hold, connection } = claim;
        let completed = completed::<R, M>;
        // SAFETY: the NMR must not know the context yet: it is not even made.
        unsafe { connection.set_completion(Completion { handle, completed }) };
        // INVARIANT: the module is registered, and its registration ends after the cleanup.
        let context = Box::write(
            memory,
            Context {
                binding,
                connection,
                module,
            },
        );
        // INVARIANT: the context comes from a box.
        Ok(Self {
            _hold: hold,
            context: NonNull::from(Box::leak(context)),
        })
    }

    /// What the NMR gets as the context.
    pub(crate) fn context(&self) -> *mut c_void {
        self.context.as_ptr().cast()
    }

    /// Tells the module that the attach has succeeded.
    pub(crate) fn attached(&self) {
        let context = self.borrow();
        context.module().attached(&context.binding);
    }

    /// Tells the module that the attach came to nothing.
    pub(crate) fn declined(&self, reason: Error) {
        self.borrow().module().declined(reason);
    }

    /// Lets the module call its peer. Returns whether it can be called: it may have no table.
    ///
    /// # Safety
    ///
    /// * `remote` is what the peer gave for this binding, and it has not been opened before.
    pub(crate) unsafe fn open(&self, remote: Remote<R::Remote>) -> bool {
        // SAFETY: the attach must be counted, which its hold is; the rest the caller promises.
        unsafe { self.borrow().connection.open(remote) }
    }

    /// Drops the binding, because the peer has declined.
    ///
    /// # Safety
    ///
    /// * Neither the NMR nor the peer uses the context any more.
    pub(crate) unsafe fn undo(self) {
        let context = self.context;
        // The attach leaves the gate before the connection releases it.
        drop(self);
        // SAFETY: the context must come from a box and have no other user: it does, by the
        // invariant, and the caller promises the rest.
        drop(unsafe { Box::from_raw(context.as_ptr()) });
    }

    fn borrow(&self) -> &Context<R, M> {
        // SAFETY: the context must be alive and shared: it is until the cleanup, by the invariant.
        unsafe { self.context.as_ref() }
    }
}

/// [`Module::completed`], as a function that cannot unwind.
extern "efiapi" fn completed<R: Role, M: Module<R>>() {
    M::completed();
}

/// `ClientDetachProvider` and `ProviderDetachClient`.
///
/// # Safety
///
/// * The context is one that [`Attach`] made for `R` and `M`, and this is its one detach.
pub(crate) unsafe extern "efiapi" fn detach<R: Role, M: Module<R>>(
    context: *mut c_void,
) -> NTSTATUS {
    // SAFETY: the context must be alive until `leave`: its cleanup comes after the detach, which
    // the hold below keeps incomplete. The borrow is not used after that.
    let context = unsafe { &*context.cast::<Context<R, M>>() };
    let _visit = inside::begin(context.module.as_ptr());
    // SAFETY: this must be the one detach of the binding, which the caller promises.
    let hold = unsafe { context.connection.close() };
    let part = Detach::new(hold.clone());
    context.module().detaching(&context.binding, part);
    match hold.leave() {
        Released::Drained => STATUS_SUCCESS,
        Released::Pending => {
            M::pended();
            STATUS_PENDING
        }
    }
}

/// `ClientCleanupBindingContext` and `ProviderCleanupBindingContext`.
///
/// # Safety
///
/// * The context is one that [`Attach`] made for `R` and `M`, and this is its last use.
pub(crate) unsafe extern "efiapi" fn cleanup<R: Role, M: Module<R>>(context: *mut c_void) {
    // SAFETY: the context must come from a box and have no other user, which the caller promises.
    let context = unsafe { Box::from_raw(context.cast::<Context<R, M>>()) };
    let _visit = inside::begin(context.module.as_ptr());
    drop(context);
}
