//! [`framework!`]: a call of a function of the framework.
// UNSAFETY: what the framework's table has.
#![expect(unsafe_code)]

use core::hint;

use wdk_sys::{_WDFFUNCENUM, WdfFunctionCount};

/// The last of the functions that this crate calls, in the order of the framework's table.
const LAST: u32 = _WDFFUNCENUM::WdfRequestRetrieveOutputBufferTableIndex.cast_unsigned();

/// Calls a function of the framework: `call_unsafe_wdf_function_binding!` without a panic where the table is
/// too short for the function. The texts of these panics would be in the image of each driver.
macro_rules! framework {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        $crate::kmdf::table::assume_complete();
        ::wdk_sys::call_unsafe_wdf_function_binding!($function, $($argument),*)
    }};
}
pub(super) use framework;

/// Lets the compiler leave out the comparison with the length of the table.
pub(super) fn assume_complete() {
    // SAFETY: the framework's library has initialized it, and no code writes to it.
    let count = unsafe { WdfFunctionCount };
    // SAFETY: the framework adds functions at the end of its table, and had these in its first version, 1.0.
    unsafe { hint::assert_unchecked(count > LAST) };
}
