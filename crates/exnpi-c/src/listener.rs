//! Notifications from a C module to the program.
// UNSAFETY: the module passes back a pointer.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

/// A function that is called on the thread that brings a value. The module has its address as
/// context.
pub(crate) struct Listener(Box<dyn Fn(u32) + Send + Sync>);

/// `exnpi_c_listener`.
pub(crate) type RawListener = unsafe extern "C" fn(context: *mut c_void, value: u32);

impl Listener {
    pub(crate) fn new(function: impl Fn(u32) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self(Box::new(function)))
    }

    /// What the module takes as context.
    pub(crate) fn context(self: &Arc<Self>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }
}

/// Calls a listener.
///
/// # Safety
///
/// * `context` is that of a live listener.
pub(crate) unsafe extern "C" fn listen(context: *mut c_void, value: u32) {
    // SAFETY: it must be alive, which the caller guarantees, and only be shared: a listener is never
    // changed.
    let Listener(function) = unsafe { &*context.cast::<Listener>() };
    function(value);
}
