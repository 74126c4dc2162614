//! [`Opaque`]: a context or a dispatch table, as the NMR sees it.
// UNSAFETY: a module's address is handed on between threads and never dereferenced; only the `Send`
// and `Sync` implementations that a raw pointer lacks need the keyword.
#![expect(unsafe_code)]

use core::ffi::c_void;
use core::ptr;

/// An address that belongs to a module: its context, its dispatch table, its registration instance. The
/// NMR hands it to another module or back, and never looks behind it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Opaque(pub *mut c_void);

impl Opaque {
    /// No address.
    pub const NULL: Self = Self(ptr::null_mut());
}

// SAFETY: no function of this type reads what it points to; that callbacks run on any thread is the
// NMR's contract with the module.
unsafe impl Send for Opaque {}
// SAFETY: as for `Send`; the type has no interior mutability.
unsafe impl Sync for Opaque {}
