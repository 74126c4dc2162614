//! [`Registration`]: a module that the NMR knows (`NmrRegisterClient`, `NmrRegisterProvider`).
// UNSAFETY: the NMR keeps pointers to what is registered.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use nmr_sys::{
    GUID, NPI_MODULEID, NPI_REGISTRATION_INSTANCE, NTSTATUS, STATUS_INVALID_PARAMETER,
    STATUS_PENDING, STATUS_SUCCESS,
};

use crate::boxed::try_box;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::inside;
use crate::module::Module;
use crate::npi::Npi;
use crate::role::{Role, length};

/// A registered module. Dropping it deregisters the module, waits until its bindings are gone, and
/// drops the module.
///
/// A driver has one for each interface and role, and drops them before it is unloaded. They are
/// independent: to end several at once, [`close`](Self::close) them all and then wait for each.
///
/// # Deadlocks
///
/// The end of a registration waits for the peers as well, for any time. So do not drop it, or wait
/// for its [`Closing`],
///
/// * inside a method of the module or a function of its bindings, or a peer's;
/// * while the thread has a [`Call`](crate::Call) or a [`Detach`](crate::Detach) of one of its
///   bindings, or a lock that is needed to drop one;
/// * in the `Drop` of a binding, which also runs at `DISPATCH_LEVEL`.
///
/// # Leaks
///
/// A registration that is forgotten stays registered, and its memory is not freed. That is safe as
/// long as the driver is not unloaded.
///
/// # Invariants
///
/// The pointer is to a `Registered` from a box, and the handle is that of its registration, which
/// has not been ended.
#[must_use = "dropping a registration deregisters the module"]
pub struct Registration<R: Role, M: Module<R>> {
    registered: NonNull<Registered<R, M>>,
    handle: R::Handle,
}

/// A registration that has begun to end. Dropping it waits until the bindings of the module are
/// gone, and drops the module. Below `DISPATCH_LEVEL`; what [`Registration`] says about deadlocks
/// holds for it.
///
/// # Invariants
///
/// The pointer is to a `Registered` from a box. The NMR uses it until the handle, if there is one,
/// has been waited for.
#[must_use = "dropping this waits until the module has no bindings"]
pub struct Closing<R: Role, M: Module<R>> {
    registered: NonNull<Registered<R, M>>,
    handle: Option<R::Handle>,
}

/// Everything that the NMR and the peers may read while the module is registered, in one place.
///
/// # Invariants
///
/// The descriptor is initialized; it points to the other fields.
struct Registered<R: Role, M: Module<R>> {
    descriptor: MaybeUninit<R::Descriptor>,
    npi: GUID,
    id: NPI_MODULEID,
    module: M,
}

impl<R: Role, M: Module<R>> Registration<R, M> {
    /// Registers a module. `PASSIVE_LEVEL`.
    ///
    /// The NMR offers it the peers that are registered already, on this thread, before this returns;
    /// and may begin to detach them again. Others are offered when they come. Whether one attached is
    /// no concern of the result.
    ///
    /// Fails with [`Error::INSUFFICIENT_RESOURCES`], or what the NMR answers. Then nothing is
    /// registered, and the module has been dropped.
    ///
    /// A type that is a module in several roles has to say which it means:
    /// `Registration::<Client<Exnpi>, _>::new(module)`.
    ///
    /// Source: `NmrRegisterClient`, `NmrRegisterProvider`.
    pub fn new(module: M) -> Result<Self> {
        let registered = Registered::<R, M>::new(module)?;
        LIVE.fetch_add(1, Ordering::Relaxed);
        // SAFETY: it must be alive: it was made just now.
        let it = unsafe { registered.as_ref() };
        // SAFETY: it must stay and only be shared: it is not freed before `Closing` has waited, or
        // below.
        match unsafe { it.register() } {
            // INVARIANT: the NMR has issued the handle for it.
            Ok(handle) => Ok(Self { registered, handle }),
            Err(error) => {
                // SAFETY: the NMR has refused it, and has no pointer to it.
                unsafe { Registered::free(registered) };
                Err(error)
            }
        }
    }

    /// Begins to end the registration: no new offers come, and the bindings detach. At most
    /// `DISPATCH_LEVEL`; does not wait.
    ///
    /// ```
    /// # use nmr::{Closing, Module, Registration, Role};
    /// fn unload<A: Role, B: Role>(
    ///     first: Registration<A, impl Module<A>>,
    ///     second: Registration<B, impl Module<B>>,
    /// ) {
    ///     let both = (first.close(), second.close());
    ///     drop(both);
    /// }
    /// ```
    ///
    /// Source: `NmrDeregisterClient`, `NmrDeregisterProvider`.
    ///
    /// # Panics
    ///
    /// If the NMR answers what its documentation does not allow. It may still use the memory then,
    /// so the memory is never freed.
    pub fn close(self) -> Closing<R, M> {
        let this = ManuallyDrop::new(self);
        // SAFETY: the registration must end here only: it is not dropped any more.
        unsafe { this.deregister() }
    }

    /// # Safety
    ///
    /// * The registration is not used afterwards.
    unsafe fn deregister(&self) -> Closing<R, M> {
        // SAFETY: the handle must be of a registration that has not been ended, by the invariant.
        let status = unsafe { (R::DEREGISTER)(self.handle) };
        let handle = match status {
            STATUS_PENDING => Some(self.handle),
            // Windows never answers this. Other registrars do, and then have closed the handle.
            STATUS_SUCCESS => None,
            other => unexpected("deregister", other),
        };
        // INVARIANT: the NMR uses it until the wait, or not any more.
        Closing {
            registered: self.registered,
            handle,
        }
    }
}

impl<R: Role, M: Module<R>> Closing<R, M> {
    /// Waits until the bindings of the module are gone, and drops the module. The same as dropping
    /// this value.
    ///
    /// Source: `NmrWaitForClientDeregisterComplete`, `NmrWaitForProviderDeregisterComplete`.
    pub fn wait(self) {
        drop(self);
    }
}

/// # Panics
///
/// As for [`Registration::close`].
impl<R: Role, M: Module<R>> Drop for Closing<R, M> {
    fn drop(&mut self) {
        if let Some(handle) = self.handle {
            // SAFETY: it is alive: it is freed below.
            inside::refuse_own_end(unsafe { &raw const (*self.registered.as_ptr()).module });
            // SAFETY: the handle must be of a registration that is ending and has had no
            // wait yet, by the invariant.
            let status = unsafe { (R::WAIT)(handle) };
            match status {
                STATUS_SUCCESS => {}
                // The embedded registrar answers this, and reports why. Windows hangs.
                STATUS_INVALID_PARAMETER => unexpected("wait inside its own callback", status),
                other => unexpected("wait", other),
            }
        }
        // SAFETY: it must come from a box and have no other user: the NMR is done with it.
        unsafe { Registered::free(self.registered) };
    }
}

impl<R: Role, M: Module<R>> Drop for Registration<R, M> {
    fn drop(&mut self) {
        // SAFETY: the registration must end here only: it is being dropped.
        unsafe { self.deregister() }.wait();
    }
}

impl<R: Role, M: Module<R>> Deref for Registration<R, M> {
    type Target = M;

    fn deref(&self) -> &M {
        // SAFETY: it must be alive and only be shared: it is while it is registered.
        &unsafe { self.registered.as_ref() }.module
    }
}

// SAFETY: the module is `Send`, and the NMR's functions may be called on any thread.
unsafe impl<R: Role, M: Module<R>> Send for Registration<R, M> {}
// SAFETY: a shared registration gives access to the module, which is `Sync`.
unsafe impl<R: Role, M: Module<R>> Sync for Registration<R, M> {}
// SAFETY: as for `Registration`.
unsafe impl<R: Role, M: Module<R>> Send for Closing<R, M> {}
// SAFETY: a shared closing registration gives access to nothing.
unsafe impl<R: Role, M: Module<R>> Sync for Closing<R, M> {}

impl<R: Role, M: Module<R>> Registered<R, M> {
    /// Puts a module where it stays, and describes it.
    fn new(module: M) -> Result<NonNull<Self>> {
        let identity = module.identity();
        let registered = try_box(Self {
            descriptor: MaybeUninit::uninit(),
            npi: R::Npi::ID,
            id: identity.module.to_npi(),
            module,
        })?;
        let at = NonNull::from(Box::leak(registered));
        // SAFETY: it must be alive: it was leaked just now.
        let instance = unsafe { at.as_ref() }.instance(identity);
        let descriptor = MaybeUninit::new(R::descriptor::<M>(instance));
        // SAFETY: the field must be valid for a write, and have no other user: as above. The
        // instance points to the other fields.
        unsafe { (*at.as_ptr()).descriptor = descriptor };
        Ok(at)
    }

    fn instance(&self, identity: Identity) -> NPI_REGISTRATION_INSTANCE {
        let characteristics = self.module.characteristics();
        NPI_REGISTRATION_INSTANCE {
            Version: identity.version,
            Size: length::<NPI_REGISTRATION_INSTANCE>(),
            NpiId: &raw const self.npi,
            ModuleId: &raw const self.id,
            Number: identity.number,
            NpiSpecificCharacteristics: characteristics.map_or(ptr::null(), |lent| lent.as_npi()),
        }
    }

    /// Registers the module.
    ///
    /// # Safety
    ///
    /// * `self` stays where it is and is only shared until the NMR is done with it.
    unsafe fn register(&self) -> Result<R::Handle> {
        let mut handle = R::NULL;
        let context = ptr::from_ref(&self.module).cast_mut().cast();
        // SAFETY: the descriptor and the context must live until the registration has ended, and
        // the callbacks fit the context: the caller promises the first, and both were made for `M`.
        let status = unsafe { (R::REGISTER)(self.descriptor.as_ptr(), context, &raw mut handle) };
        Error::check(status).map(|()| handle)
    }

    /// # Safety
    ///
    /// * It comes from [`Registered::new`] and is not used afterwards.
    unsafe fn free(at: NonNull<Self>) {
        // SAFETY: the pointer must come from a box and have no other user: as the caller promises.
        drop(unsafe { Box::from_raw(at.as_ptr()) });
        LIVE.fetch_sub(1, Ordering::Release);
    }
}

/// How many modules of this image are registered, or have not been dropped since. Not the atomics of
/// `sync.rs`: it decides nothing in this crate.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Returns the number of modules of this image that the NMR may still call: those whose [`Registration`] or
/// [`Closing`] was not dropped, because it is kept somewhere or was forgotten. Any IRQL.
///
/// A driver that unloads while there is one leaves the NMR with pointers into memory that is gone. So its
/// unload routine ends its registrations, and then stops the system if this is not 0, rather than return:
/// bug check `DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS` (0xCE) is for that.
///
/// ```
/// # use nmr_host as _;
/// assert_eq!(nmr::registrations(), 0);
/// ```
#[must_use]
pub fn registrations() -> usize {
    LIVE.load(Ordering::Acquire)
}

/// Stops the system, because the NMR may still use memory that would otherwise be freed.
#[cold]
fn unexpected(operation: &str, status: NTSTATUS) -> ! {
    panic!("the NMR answers {status:#010x} to {operation}");
}
