//! The C provider.
// UNSAFETY: foreign functions.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_sys::{NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};

use crate::listener::{Listener, RawListener, listen};

/// `struct exnpi_c_provider`.
#[repr(C)]
struct RawProvider {
    private: [u8; 0],
}

// `c/modules.h`.
#[rustfmt::skip]
unsafe extern "C" {
    fn exnpi_c_provider_start(added: RawListener, context: *mut c_void, provider: *mut *mut RawProvider) -> NTSTATUS;
    fn exnpi_c_provider_close(provider: *mut RawProvider) -> NTSTATUS;
    fn exnpi_c_provider_free(provider: *mut RawProvider) -> NTSTATUS;
}

/// A C provider. Dropping it waits until it has ended.
///
/// # Invariants
///
/// The pointer is to a started provider that has not been freed.
pub struct Provider {
    raw: NonNull<RawProvider>,
    closed: AtomicBool,
    /// What the provider has as context.
    _added: Arc<Listener>,
}

impl Provider {
    /// Registers a provider, which reports each value before it answers the client.
    pub fn start(added: impl Fn(u32) + Send + Sync + 'static) -> Result<Self, NTSTATUS> {
        let added = Listener::new(added);
        let context = added.context();
        let mut raw = ptr::null_mut();
        // SAFETY: the listener must outlive the provider: it is dropped after it. The output is a
        // local.
        let status = unsafe { exnpi_c_provider_start(listen, context, &raw mut raw) };
        // INVARIANT: a provider that was started is not null.
        Ok(Self {
            raw: NonNull::new(raw).ok_or(status)?,
            closed: AtomicBool::new(false),
            _added: added,
        })
    }

    /// Begins to end the provider.
    pub fn close(&self) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            // SAFETY: the provider must be alive and not have been closed: by the invariant, and
            // by the flag.
            let status = unsafe { exnpi_c_provider_close(self.raw.as_ptr()) };
            assert_eq!(status, STATUS_PENDING, "it is registered");
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.close();
        // SAFETY: the provider must be closed, and not be used any more: it is being dropped.
        let status = unsafe { exnpi_c_provider_free(self.raw.as_ptr()) };
        assert_eq!(status, STATUS_SUCCESS, "it is closed");
    }
}

// SAFETY: the C provider may be used from any thread; its listener is `Send`.
unsafe impl Send for Provider {}
// SAFETY: as for `Send`; the listener is `Sync`.
unsafe impl Sync for Provider {}
