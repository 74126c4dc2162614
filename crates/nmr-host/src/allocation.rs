//! The quarantine for C programs: two functions of `nmr_host.h`, which documents them.
// UNSAFETY: exported functions, and the C library's allocator behind them.
#![expect(unsafe_code)]

use std::ffi::c_void;

use crate::quarantine::{self, FRESH_BYTE, Request};

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// Allocates a block of the quarantine, or an ordinary one if it has none.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_allocate(size: usize) -> *mut c_void {
    let block = quarantine::allocate(Request {
        size,
        alignment: 16,
        fill: FRESH_BYTE,
        pageable: false,
    });
    if block.is_null() {
        // SAFETY: it takes any size.
        unsafe { malloc(size) }
    } else {
        block
    }
}

/// Frees a block, wherever it is from.
///
/// # Safety
///
/// * `block` is null, an address in the quarantine, or a block of `malloc` without a user.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_free(block: *mut c_void) {
    if quarantine::contains(block.addr()) {
        quarantine::free(block);
    } else {
        // SAFETY: it is valid; the caller guarantees it.
        unsafe { free(block) };
    }
}
