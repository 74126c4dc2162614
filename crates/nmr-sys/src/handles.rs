//! The NMR's handles. `netioddk.h` calls all four `HANDLE`; they are different things, and passing
//! one for another is an error that shipped drivers contain, so here they are different types.
// UNSAFETY: a handle is a pointer-sized value that is never dereferenced outside the NMR; only
// the `Send` and `Sync` implementations that a raw pointer lacks need the keyword.
#![expect(unsafe_code)]

use core::ffi::c_void;

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub struct $name(pub *mut c_void);

        impl $name {
            /// The null handle, which the NMR never issues.
            pub const NULL: Self = Self(core::ptr::null_mut());

            /// Returns `true` if this is the null handle.
            #[must_use]
            pub fn is_null(self) -> bool {
                self.0.is_null()
            }
        }

        // SAFETY: the value is opaque: no function of this type reads what it points to.
        unsafe impl Send for $name {}
        // SAFETY: as for `Send`; the type has no interior mutability.
        unsafe impl Sync for $name {}
    };
}

handle! {
    /// The registration of a client module, from `NmrRegisterClient` until
    /// `NmrWaitForClientDeregisterComplete` has returned `STATUS_SUCCESS`.
    NMR_CLIENT_HANDLE
}
handle! {
    /// The registration of a provider module, from `NmrRegisterProvider` until
    /// `NmrWaitForProviderDeregisterComplete` has returned `STATUS_SUCCESS`.
    NMR_PROVIDER_HANDLE
}
handle! {
    /// The client's end of a binding: what `ClientAttachProvider` receives. Valid until the offer
    /// is declined or cleanup starts. Never equal to the provider's handle of the same binding.
    NMR_CLIENT_BINDING_HANDLE
}
handle! {
    /// The provider's end of a binding: what `ProviderAttachClient` receives. Valid until the
    /// offer is declined or cleanup starts. Never equal to the client's handle of the same binding.
    NMR_PROVIDER_BINDING_HANDLE
}
