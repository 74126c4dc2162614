//! [`BindingHandle`]: the NMR's handle of this module's end of a binding; [`Completion`]: what is
//! done with it in the end.
// UNSAFETY: calls the NMR.
#![expect(unsafe_code)]

use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NmrClientDetachProviderComplete,
    NmrProviderDetachClientComplete,
};

/// The handle, and which function of the NMR it is for.
#[derive(Clone, Copy)]
pub(crate) enum BindingHandle {
    Client(NMR_CLIENT_BINDING_HANDLE),
    Provider(NMR_PROVIDER_BINDING_HANDLE),
}

/// What the last call of a detaching binding does.
#[derive(Clone, Copy)]
pub(crate) struct Completion {
    pub(crate) handle: BindingHandle,
    /// `Module::completed` of the binding's module. It is called as the NMR calls callbacks, so that a panic
    /// stops the system: to unwind would lose the completion, and the detach would never end.
    pub(crate) completed: extern "efiapi" fn(),
}

extern "efiapi" fn nothing() {}

impl Completion {
    /// No binding.
    pub(crate) const NONE: Self = Self {
        handle: BindingHandle::Client(NMR_CLIENT_BINDING_HANDLE::NULL),
        completed: nothing,
    };

    /// Tells the NMR that this module has detached. At most `DISPATCH_LEVEL`.
    ///
    /// # Safety
    ///
    /// * The detach callback of the binding has answered `STATUS_PENDING`, or will, and this is the
    ///   only completion.
    /// * Nothing that the cleanup callbacks free is used after this call.
    pub(crate) unsafe fn complete_detach(self) {
        // Now, because the driver may be unloaded as soon as the NMR knows.
        (self.completed)();
        match self.handle {
            // SAFETY: the requirements are those of this function.
            BindingHandle::Client(handle) => unsafe { NmrClientDetachProviderComplete(handle) },
            // SAFETY: as above.
            BindingHandle::Provider(handle) => unsafe { NmrProviderDetachClientComplete(handle) },
        }
    }
}
