//! The outputs of a failed attach in strict mode: an address at which nothing can be
//! (V-38).

use std::ffi::c_void;
use std::ptr;

/// In the half of the address space that is never a program's, and canonical, so that a fault tells
/// the address.
const START: usize = 0xffff_dead_c0de_0000;
/// As far as an offset in a context or a table is likely to go.
const SIZE: usize = 0x10_0000;

/// The address.
pub(crate) const POISON: *mut c_void = ptr::without_provenance_mut(START);

/// Returns `true` if an address is the one that a failed attach hands out in strict mode, or shortly after it:
/// for a tool that looks at faults.
#[must_use]
pub fn is_poison(address: usize) -> bool {
    (START..START + SIZE).contains(&address)
}
