//! Run-down protection: `EX_RUNDOWN_REF`, as one word. Bit 0 says that the object runs down, the rest
//! counts the references.
// UNSAFETY: exported functions.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};

use registrar::may_block;

use super::waiting;

const RUNNING_DOWN: usize = 1;
const REFERENCE: usize = 2;

#[unsafe(export_name = "nmr_kernel_ExAcquireRundownProtectionEx")]
extern "efiapi" fn acquire(word: &AtomicUsize, count: u32) -> u8 {
    let references = REFERENCE * count as usize;
    let taken = word.fetch_update(Ordering::Acquire, Ordering::Relaxed, |word| {
        (word & RUNNING_DOWN == 0).then(|| word + references)
    });
    u8::from(taken.is_ok())
}

#[unsafe(export_name = "nmr_kernel_ExReleaseRundownProtectionEx")]
extern "efiapi" fn release(word: &AtomicUsize, count: u32) {
    let references = REFERENCE * count as usize;
    let before = word.fetch_sub(references, Ordering::Release);
    if before < references {
        super::debug::stop("a rundown reference is released that was not acquired");
    }
    if before - references == RUNNING_DOWN {
        waiting::changed();
    }
}

#[unsafe(export_name = "nmr_kernel_ExWaitForRundownProtectionRelease")]
extern "efiapi" fn wait(word: &AtomicUsize) {
    may_block();
    word.fetch_or(RUNNING_DOWN, Ordering::Relaxed);
    waiting::until(None, || word.load(Ordering::Acquire) == RUNNING_DOWN);
}

#[unsafe(export_name = "nmr_kernel_ExRundownCompleted")]
extern "efiapi" fn completed(word: &AtomicUsize) {
    word.store(RUNNING_DOWN, Ordering::Release);
}
