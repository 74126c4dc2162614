//! Blocks of the quarantine, as a test touches and frees them.
// UNSAFETY: reads and writes memory by its address, some of which is not there any more.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::quarantine::{self, Request};

/// The address as a pointer.
pub(super) fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

fn take(size: usize, pageable: bool) -> usize {
    let request = Request {
        size,
        alignment: 16,
        fill: 0,
        pageable,
    };
    let block = quarantine::allocate(request);
    assert!(!block.is_null(), "the quarantine has room");
    block.addr()
}

/// A new block.
pub(crate) fn block(size: usize) -> usize {
    take(size, false)
}

/// A new block that can be paged out.
pub(crate) fn pageable_block(size: usize) -> usize {
    take(size, true)
}

/// Frees a block.
pub(crate) fn free(block: usize) {
    assert!(quarantine::free(pointer(block)));
}

/// Reads a byte of a block.
pub(crate) fn byte(address: usize) -> u8 {
    // SAFETY: it is in a block of the quarantine. If that is freed, the handler of the quarantine
    // opens it again.
    unsafe { pointer(address).cast::<u8>().read_volatile() }
}

/// Changes a byte of a block.
pub(crate) fn set_byte(address: usize, byte: u8) {
    // SAFETY: as above.
    unsafe { pointer(address).cast::<u8>().write_volatile(byte) };
}

/// Changes a word of a block.
pub(crate) fn set_word(address: usize, word: usize) {
    // SAFETY: as above.
    unsafe { pointer(address).cast::<usize>().write_unaligned(word) };
}
