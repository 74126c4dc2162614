//! [`BindingHandle`]: the NMR's handle of this module's end of a binding.
// UNSAFETY: calls the NMR.
#![expect(unsafe_code)]

use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NmrClientDetachProviderComplete,
    NmrProviderDetachClientComplete,
};

/// The handle, and with it the function that completes the detach.
#[derive(Clone, Copy)]
pub(crate) enum BindingHandle {
    Client(NMR_CLIENT_BINDING_HANDLE),
    Provider(NMR_PROVIDER_BINDING_HANDLE),
}

impl BindingHandle {
    /// No binding.
    pub(crate) const NONE: Self = Self::Client(NMR_CLIENT_BINDING_HANDLE::NULL);

    /// Tells the NMR that this module has detached. At most `DISPATCH_LEVEL`.
    ///
    /// # Safety
    ///
    /// * The detach callback of the binding has answered `STATUS_PENDING`, or will, and this is the
    ///   only completion.
    /// * Nothing that the cleanup callbacks free is used after this call.
    pub(crate) unsafe fn complete_detach(self) {
        match self {
            // SAFETY: the requirements are those of this function.
            Self::Client(handle) => unsafe { NmrClientDetachProviderComplete(handle) },
            // SAFETY: as above.
            Self::Provider(handle) => unsafe { NmrProviderDetachClientComplete(handle) },
        }
    }
}
