//! Deferred procedure calls: `KeInitializeDpc`, `KeInsertQueueDpc`, `KeRemoveQueueDpc`,
//! `KeFlushQueuedDpcs`.
// UNSAFETY: a DPC is in the memory of an image, and its routine an address there.
#![expect(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nmr_host::irql::PASSIVE_LEVEL;

use super::object::object;
use crate::native::crossing;
use crate::native::kernel::call;
use crate::native::kernel::dpc::{self, Kdpc};
use crate::native::kernel::irql::check_level;
use crate::native::kernel::loaded::Loaded;

pub(crate) unsafe extern "win64" fn initialize(dpc: *const Kdpc, routine: usize, context: usize) {
    // SAFETY: the driver passes memory for a DPC.
    unsafe { object(dpc) }.initialize(routine, context);
}

/// Returns whether it was not queued yet.
pub(crate) unsafe extern "win64" fn insert(dpc: *const Kdpc, first: usize, second: usize) -> u8 {
    let image = call::caller().image;
    // SAFETY: the driver passes a DPC, which it keeps until it has run or was removed.
    unsafe { queue(&image, dpc, [first, second]) }.into()
}

/// Queues a DPC with its arguments.
///
/// # Safety
///
/// As for [`dpc::queue`].
pub(super) unsafe fn queue(image: &Arc<Loaded>, dpc: *const Kdpc, arguments: [usize; 2]) -> bool {
    // SAFETY: the DPC is there, by this contract.
    let own = unsafe { object(dpc) };
    let routine = own.routine.load(Ordering::Relaxed);
    let context = own.context.load(Ordering::Relaxed);
    let address = dpc.expose_provenance();
    let run = move |image: &Arc<Loaded>| {
        let [first, second] = arguments;
        // SAFETY: the driver has given the routine, which gets the DPC and its context.
        unsafe { crossing::call(image, "a DPC", routine, [address, context, first, second]) };
    };
    // SAFETY: as this function requires.
    unsafe { dpc::queue(image, dpc, run) }
}

/// Returns whether it was queued.
pub(crate) unsafe extern "win64" fn remove(dpc: *const Kdpc) -> u8 {
    // SAFETY: the driver passes a DPC.
    unsafe { object(dpc) }.remove(&call::caller().image).into()
}

pub(crate) extern "win64" fn flush() {
    check_level(PASSIVE_LEVEL);
    dpc::flush(&call::caller().image);
}
