//! The functions of a C library that compilers call, and the stack probe. They are called directly:
//! they are hot, and no report ever needs to know who called them.
// UNSAFETY: memory by address and length, and a function with a convention of its own.
#![expect(unsafe_code)]

use std::arch::naked_asm;
use std::ptr;

use super::super::imports::Target;

pub(crate) fn find(name: &str) -> Option<Target> {
    Some(Target::direct(match name {
        "memcpy" | "memmove" | "RtlCopyMemory" | "RtlMoveMemory" => copy as *const (),
        "memset" => set as *const (),
        "RtlFillMemory" => fill as *const (),
        "RtlZeroMemory" => zero as *const (),
        "memcmp" => compare as *const (),
        "RtlCompareMemory" => equal as *const (),
        "strlen" => length as *const (),
        "__chkstk" => probe as *const (),
        _ => return None,
    }))
}

/// `memmove`, which is also a `memcpy`.
unsafe extern "win64" fn copy(to: *mut u8, from: *const u8, size: usize) -> *mut u8 {
    // SAFETY: the caller vouches for both ranges.
    unsafe { ptr::copy(from, to, size) };
    to
}

unsafe extern "win64" fn set(to: *mut u8, byte: i32, size: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the range.
    unsafe { ptr::write_bytes(to, byte as u8, size) };
    to
}

unsafe extern "win64" fn fill(to: *mut u8, size: usize, byte: i32) {
    // SAFETY: the caller vouches for the range.
    unsafe { ptr::write_bytes(to, byte as u8, size) };
}

unsafe extern "win64" fn zero(to: *mut u8, size: usize) {
    // SAFETY: the caller vouches for the range.
    unsafe { ptr::write_bytes(to, 0, size) };
}

/// Where two ranges first differ, or their size.
unsafe fn common(a: *const u8, b: *const u8, size: usize) -> usize {
    let same = |&index: &usize| {
        // SAFETY: the index is below the size, up to which the caller vouches for the range.
        let a = unsafe { a.wrapping_add(index).read() };
        // SAFETY: as above.
        let b = unsafe { b.wrapping_add(index).read() };
        a == b
    };
    (0..size).take_while(same).count()
}

unsafe extern "win64" fn compare(a: *const u8, b: *const u8, size: usize) -> i32 {
    // SAFETY: the caller vouches for both ranges.
    let at = unsafe { common(a, b, size) };
    if at == size {
        return 0;
    }
    // SAFETY: `at` is below the size.
    let a = unsafe { a.wrapping_add(at).read() };
    // SAFETY: as above.
    let b = unsafe { b.wrapping_add(at).read() };
    i32::from(a) - i32::from(b)
}

/// `RtlCompareMemory`: how many bytes are equal.
unsafe extern "win64" fn equal(a: *const u8, b: *const u8, size: usize) -> usize {
    // SAFETY: the caller vouches for both ranges.
    unsafe { common(a, b, size) }
}

unsafe extern "win64" fn length(text: *const i8) -> usize {
    // SAFETY: the caller vouches for a terminated string.
    unsafe { std::ffi::CStr::from_ptr(text) }.count_bytes()
}

/// The stack probe: the size comes in `rax`, and every register is kept. The stack of a thread of
/// this process grows by itself, so there is nothing to touch.
#[unsafe(naked)]
extern "win64" fn probe() {
    naked_asm!("ret")
}
