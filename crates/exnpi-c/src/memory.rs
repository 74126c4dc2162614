//! The memory of the C modules, for tests that make it scarce.
// UNSAFETY: foreign functions.
#![expect(unsafe_code)]

// `c/memory.h`.
unsafe extern "C" {
    safe fn exnpi_c_fail_allocation(n: u64);
    safe fn exnpi_c_failing_allocation() -> u64;
    safe fn exnpi_c_allocated() -> u64;
}

/// Makes the `n`-th allocation of the C modules of this process fail, counted from now: 1 is the
/// next one, and 0 takes it back.
pub fn fail_allocation(n: u64) {
    exnpi_c_fail_allocation(n);
}

/// Returns `true` if the allocation that is to fail is still to come.
#[must_use]
pub fn will_fail_allocation() -> bool {
    exnpi_c_failing_allocation() != 0
}

/// How many blocks the C modules of this process have not freed.
#[must_use]
pub fn allocated() -> u64 {
    exnpi_c_allocated()
}
