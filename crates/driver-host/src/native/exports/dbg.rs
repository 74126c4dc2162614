//! `DbgPrint` and `DbgPrintEx`: variadic in C, so that each argument is eight bytes, in a register
//! or on the stack.
// UNSAFETY: formats and their arguments are pointers of the image.
#![expect(unsafe_code)]

use std::ffi::c_char;

use super::super::gate::{self, STACK_ARGUMENTS};
use super::super::imports::Target;
use super::super::kernel::{NtStatus, STATUS_SUCCESS};
use super::format;

pub(crate) fn find(name: &str) -> Option<Target> {
    match name {
        "DbgPrint" => Some(Target::gated(print as *const ())),
        "DbgPrintEx" => Some(Target::gated(print_ex as *const ())),
        "DbgBreakPoint" => Some(Target::gated(break_point as *const ())),
        _ => None,
    }
}

/// The arguments that come on the stack.
type Stack = [u64; STACK_ARGUMENTS];

macro_rules! variadic {
    ($(#[$doc:meta])* $name:ident($($fixed:ident: $type:ty),*; $($register:ident),*) $body:expr) => {
        $(#[$doc])*
        unsafe extern "win64" fn $name(
            $($fixed: $type,)* $($register: u64,)*
            s0: u64, s1: u64, s2: u64, s3: u64, s4: u64, s5: u64,
            s6: u64, s7: u64, s8: u64, s9: u64, s10: u64, s11: u64,
        ) -> NtStatus {
            let stack: Stack = [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11];
            let body: fn($($type,)* Vec<u64>) = $body;
            body($($fixed,)* [$($register),*].into_iter().chain(stack).collect());
            STATUS_SUCCESS
        }
    };
}

variadic! {
    /// `DbgPrint`.
    print(format: *const c_char; r1, r2, r3)
    |format, arguments| write(format, &arguments)
}
variadic! {
    /// `DbgPrintEx`. Nothing is filtered by component and level.
    print_ex(component: u32, level: u32, format: *const c_char; r1)
    |_, _, format, arguments| write(format, &arguments)
}

fn write(format: *const c_char, arguments: &[u64]) {
    // SAFETY: the caller of `DbgPrint` vouches for the format and the arguments that it names.
    let text = unsafe { format::format(format.cast(), arguments) };
    let image = gate::caller().image;
    image.system.print(&image.name, text);
}

/// `DbgBreakPoint`: as if a debugger said "go on".
extern "win64" fn break_point() {
    gate::caller().image.count_breakpoint();
}
