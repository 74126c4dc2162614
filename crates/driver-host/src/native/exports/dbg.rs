//! `DbgPrint` and `DbgPrintEx`: variadic in C, so that each argument is eight bytes, in a register
//! or on the stack.
// UNSAFETY: formats and their arguments are pointers of the image.
#![expect(unsafe_code)]

use std::ffi::c_char;

use super::format;
use crate::native::crossing::STACK_ARGUMENTS;
use crate::native::kernel::call;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};

/// The arguments that come on the stack.
type Stack = [u64; STACK_ARGUMENTS];

macro_rules! variadic {
    ($(#[$doc:meta])* $name:ident($($fixed:ident: $type:ty),*; $($register:ident),*) $body:expr) => {
        $(#[$doc])*
        pub(crate) unsafe extern "win64" fn $name(
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
    // SAFETY: the format and the arguments that it names are valid; the driver guarantees it.
    let text = unsafe { format::format(format.cast(), arguments) };
    let image = call::caller().image;
    image.system.print(&image.name, text);
}

/// `DbgBreakPoint`: as if a debugger said "go on".
pub(crate) extern "win64" fn break_point() {
    call::caller().image.count_breakpoint();
}
