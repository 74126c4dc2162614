//! Run-down protection: `ExInitializeRundownProtection` and its family. The word holds twice the
//! number of protected threads, and one more once it is run down.
// UNSAFETY: the word is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_host::irql::{self, APC_LEVEL};

use super::object::object;
use crate::native::kernel::call::misuse;
use crate::native::kernel::wait;

const RUN_DOWN: usize = 1;
const ONE: usize = 2;

/// # Safety
///
/// `reference` is an `EX_RUNDOWN_REF`.
unsafe fn word<'a>(reference: *mut usize) -> &'a AtomicUsize {
    // SAFETY: it is a word that is only used as one.
    unsafe { object(reference.cast::<AtomicUsize>()) }
}

pub(crate) unsafe extern "win64" fn initialize(reference: *mut usize) {
    // SAFETY: the word is valid; the driver guarantees it.
    unsafe { word(reference) }.store(0, Ordering::Release);
}

pub(crate) unsafe extern "win64" fn acquire(reference: *mut usize) -> u8 {
    // SAFETY: the word is valid; the driver guarantees it.
    let word = unsafe { word(reference) };
    let more = |count| (count & RUN_DOWN == 0).then_some(count + ONE);
    u8::from(
        word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more)
            .is_ok(),
    )
}

pub(crate) unsafe extern "win64" fn release(reference: *mut usize) {
    // SAFETY: the word is valid; the driver guarantees it.
    let before = unsafe { word(reference) }.fetch_sub(ONE, Ordering::AcqRel);
    if before < ONE {
        misuse("released more often than acquired");
    }
    wait::ring();
}

pub(crate) unsafe extern "win64" fn wait_for_release(reference: *mut usize) {
    if irql::current() > APC_LEVEL {
        misuse(format!("waited at {}", irql::current()));
        nmr_host::may_block();
    }
    // SAFETY: the word is valid; the driver guarantees it.
    let word = unsafe { word(reference) };
    word.fetch_or(RUN_DOWN, Ordering::AcqRel);
    wait::block(None, || word.load(Ordering::Acquire) == RUN_DOWN);
}

pub(crate) unsafe extern "win64" fn completed(reference: *mut usize) {
    // SAFETY: the word is valid; the driver guarantees it.
    unsafe { word(reference) }.store(RUN_DOWN, Ordering::Release);
}
