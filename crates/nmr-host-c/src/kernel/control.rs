//! Control of the kernel by a test: the functions of `nmr_kernel.h` besides those of its parts.
// UNSAFETY: an exported function.
#![expect(unsafe_code)]

use super::{pool, work};

/// Waits for the work items, and counts the blocks of pool that are left.
#[unsafe(no_mangle)]
extern "C" fn nmr_kernel_finish() -> usize {
    work::drain();
    pool::leaks()
}

#[unsafe(no_mangle)]
extern "C" fn nmr_kernel_drain() {
    work::drain();
}
