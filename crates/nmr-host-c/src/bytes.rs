//! `memcpy` and its like in Windows' convention, which compilers call by themselves where that is their
//! own convention: `nmr_convention.h` leads those calls here.
// UNSAFETY: exported functions, on memory of the caller.
#![expect(unsafe_code)]

use std::arch::naked_asm;
use std::cmp::Ordering;
use std::ffi::{CStr, c_char, c_int};
use std::slice;

/// # Safety
///
/// As for `memcmp` of C.
#[unsafe(no_mangle)]
unsafe extern "efiapi" fn nmr_host_memcmp(a: *const u8, b: *const u8, size: usize) -> c_int {
    if size == 0 {
        return 0;
    }
    // SAFETY: `a` is readable for `size` bytes, as this function requires.
    let a = unsafe { slice::from_raw_parts(a, size) };
    // SAFETY: so is `b`.
    let b = unsafe { slice::from_raw_parts(b, size) };
    match a.cmp(b) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// # Safety
///
/// As for `memcpy` of C; the two may overlap.
#[unsafe(no_mangle)]
unsafe extern "efiapi" fn nmr_host_memcpy(to: *mut u8, from: *const u8, size: usize) -> *mut u8 {
    // SAFETY: `from` is readable and `to` writable for `size` bytes, as this function requires.
    unsafe { to.copy_from(from, size) };
    to
}

/// # Safety
///
/// As for `memmove` of C.
#[unsafe(no_mangle)]
unsafe extern "efiapi" fn nmr_host_memmove(to: *mut u8, from: *const u8, size: usize) -> *mut u8 {
    // SAFETY: `from` is readable and `to` writable for `size` bytes, as this function requires.
    unsafe { to.copy_from(from, size) };
    to
}

/// # Safety
///
/// As for `memset` of C.
#[unsafe(no_mangle)]
unsafe extern "efiapi" fn nmr_host_memset(to: *mut u8, byte: c_int, size: usize) -> *mut u8 {
    // SAFETY: `to` is writable for `size` bytes, as this function requires.
    unsafe { to.write_bytes(byte.to_le_bytes()[0], size) };
    to
}

/// # Safety
///
/// As for `strlen` of C.
#[unsafe(no_mangle)]
unsafe extern "efiapi" fn nmr_host_strlen(text: *const c_char) -> usize {
    // SAFETY: `text` ends with a zero, as this function requires.
    unsafe { CStr::from_ptr(text) }.count_bytes()
}

/// What Windows compilers call before they take more than a page of stack. Linux extends the stack by
/// itself. It changes no register.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn nmr_host_chkstk() {
    naked_asm!("ret");
}
