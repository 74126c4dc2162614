//! The C client.
// UNSAFETY: foreign functions.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_sys::{NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};

use crate::listener::{Listener, RawListener, listen};

/// `struct exnpi_c_client`.
#[repr(C)]
struct RawClient {
    private: [u8; 0],
}

// `c/modules.h`.
#[rustfmt::skip]
unsafe extern "C" {
    fn exnpi_c_client_start(changed: RawListener, context: *mut c_void, client: *mut *mut RawClient) -> NTSTATUS;
    fn exnpi_c_client_add(client: *mut RawClient, value: u32, sum: *mut u32) -> NTSTATUS;
    fn exnpi_c_client_close(client: *mut RawClient) -> NTSTATUS;
    fn exnpi_c_client_free(client: *mut RawClient) -> NTSTATUS;
}

/// A C client. Dropping it waits until it has ended.
///
/// # Invariants
///
/// The pointer is to a started client that has not been freed.
pub struct Client {
    raw: NonNull<RawClient>,
    closed: AtomicBool,
    /// What the client has as context.
    _changed: Arc<Listener>,
}

impl Client {
    /// Registers a client, which reports each sum that it receives.
    pub fn start(changed: impl Fn(u32) + Send + Sync + 'static) -> Result<Self, NTSTATUS> {
        let changed = Listener::new(changed);
        let context = changed.context();
        let mut raw = ptr::null_mut();
        // SAFETY: the listener must outlive the client: it is dropped after it. The output is a
        // local.
        let status = unsafe { exnpi_c_client_start(listen, context, &raw mut raw) };
        // INVARIANT: a client that was started is not null.
        Ok(Self {
            raw: NonNull::new(raw).ok_or(status)?,
            closed: AtomicBool::new(false),
            _changed: changed,
        })
    }

    /// Sends a value to the provider, and returns the sum. Fails if there is no provider.
    pub fn add(&self, value: u32) -> Result<u32, NTSTATUS> {
        let mut sum = 0;
        // SAFETY: the client must be alive: by the invariant. The output is a local.
        let status = unsafe { exnpi_c_client_add(self.raw.as_ptr(), value, &raw mut sum) };
        if status == STATUS_SUCCESS {
            Ok(sum)
        } else {
            Err(status)
        }
    }

    /// Begins to end the client. Calls may go on.
    pub fn close(&self) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            // SAFETY: the client must be alive and not have been closed: by the invariant, and by
            // the flag.
            let status = unsafe { exnpi_c_client_close(self.raw.as_ptr()) };
            assert_eq!(status, STATUS_PENDING, "it is registered");
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
        // SAFETY: the client must be closed, and not be used any more: it is being dropped.
        let status = unsafe { exnpi_c_client_free(self.raw.as_ptr()) };
        assert_eq!(status, STATUS_SUCCESS, "it is closed");
    }
}

// SAFETY: the C client may be used from any thread; its listener is `Send`.
unsafe impl Send for Client {}
// SAFETY: as for `Send`; the listener is `Sync`.
unsafe impl Sync for Client {}
