//! The end of the system.
// UNSAFETY: a function of the kernel.
#![expect(unsafe_code)]

// The Microsoft convention, as in nmr-sys.
unsafe extern "efiapi" {
    fn KeBugCheckEx(code: u32, first: usize, second: usize, third: usize, fourth: usize) -> !;
}

/// Stops the system. Any IRQL.
// As in `event.rs`.
#[inline]
pub(crate) fn bug_check(code: u32, parameters: [usize; 4]) -> ! {
    let [first, second, third, fourth] = parameters;
    // SAFETY: it may be called with any parameters, at any IRQL.
    unsafe { KeBugCheckEx(code, first, second, third, fourth) }
}
