//! `DbgPrint`, assertions and bug checks: lines on standard error.
// UNSAFETY: exported functions, two of which take any number of arguments.
#![expect(unsafe_code)]

use std::arch::naked_asm;
use std::ffi::{CStr, c_char, c_void};
use std::io::{self, Write};
use std::process;

use super::format;

/// Writes a line to standard error. One that cannot be written is left out.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "nmr-kernel: {text}");
}

/// Ends the process, where Windows would stop.
pub(super) fn stop(reason: &str) -> ! {
    line(reason);
    process::abort();
}

/// `DbgPrint`: its arguments, from the second on, as they lie on the stack.
#[unsafe(naked)]
#[unsafe(export_name = "nmr_kernel_DbgPrint")]
extern "efiapi" fn print() {
    naked_asm!(
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], r8",
        "mov [rsp + 32], r9",
        "lea rdx, [rsp + 16]",
        "jmp {print}",
        print = sym print_arguments,
    );
}

/// `DbgPrintEx`: the same after a component and a level.
#[unsafe(naked)]
#[unsafe(export_name = "nmr_kernel_DbgPrintEx")]
extern "efiapi" fn print_with_level() {
    naked_asm!(
        "mov [rsp + 32], r9",
        "mov rcx, r8",
        "lea rdx, [rsp + 32]",
        "jmp {print}",
        print = sym print_arguments,
    );
}

/// # Safety
///
/// * `format` ends with a zero, and the arguments are what it takes them for.
unsafe extern "efiapi" fn print_arguments(format: *const c_char, arguments: *const u64) -> u32 {
    // SAFETY: the format ends with a zero, as this function requires.
    let format = unsafe { CStr::from_ptr(format) };
    // SAFETY: the arguments are the format's, as this function requires.
    let text = unsafe { format::text(format.to_bytes(), arguments) };
    let _ = io::stderr().lock().write_all(&text);
    0
}

/// # Safety
///
/// * Both texts end with a zero.
#[unsafe(export_name = "nmr_kernel_RtlAssert")]
unsafe extern "efiapi" fn assert(
    expression: *const c_char,
    file: *const c_char,
    line: u32,
    _message: *const c_void,
) {
    // SAFETY: the text ends with a zero, as this function requires.
    let expression = unsafe { CStr::from_ptr(expression) }.to_string_lossy();
    // SAFETY: as above.
    let file = unsafe { CStr::from_ptr(file) }.to_string_lossy();
    stop(&format!("{file}:{line}: assertion failed: {expression}"));
}

#[unsafe(export_name = "nmr_kernel_KeBugCheckEx")]
extern "efiapi" fn bug_check(code: u32, a: usize, b: usize, c: usize, d: usize) -> ! {
    stop(&format!(
        "bug check {code:#x} ({a:#x}, {b:#x}, {c:#x}, {d:#x})"
    ));
}
