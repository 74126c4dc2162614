//! Functions on IRPs: `IofCompleteRequest`, which headers call `IoCompleteRequest`, and
//! `IoAcquireCancelSpinLock`, `IoReleaseCancelSpinLock`. Headers do the rest inline: `IoMarkIrpPending`,
//! `IoSetCancelRoutine`, `IoGetCurrentIrpStackLocation`.
//!
//! Levels are those of the pages of these names in Microsoft's reference of `wdm.h`.
// UNSAFETY: `IoAcquireCancelSpinLock` has an output.
#![expect(unsafe_code)]

use nmr_host::irql::{self, DISPATCH_LEVEL, Irql};

use super::bugcheck;
use super::spin;
use crate::native::io;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::irp::NoIrp;
use crate::native::kernel::irql::{self as levels, check_level};

const MULTIPLE_IRP_COMPLETE_REQUESTS: u32 = 0x44;

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) extern "win64" fn complete(irp: usize, _boost: i8) {
    check_level(DISPATCH_LEVEL);
    match io::complete(&call::caller().image, irp) {
        Ok(()) => {}
        Err(NoIrp::Completed) => {
            bugcheck::stop(MULTIPLE_IRP_COMPLETE_REQUESTS, [irp as u64, 0, 0, 0])
        }
        Err(NoIrp::Unknown) => misuse(format!("{irp:#x} is not an IRP")),
    }
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) unsafe extern "win64" fn acquire_cancel_lock(before: *mut u8) {
    check_level(DISPATCH_LEVEL);
    let level = levels::raise(DISPATCH_LEVEL.max(irql::current()));
    spin::lock(&call::caller().image.system.cancel_lock);
    // SAFETY: `before` points to a `KIRQL`; the driver guarantees it.
    unsafe { before.write(level.0) };
}

/// At `DISPATCH_LEVEL`.
pub(crate) extern "win64" fn release_cancel_lock(before: u8) {
    spin::unlock(&call::caller().image.system.cancel_lock);
    levels::lower(Irql(before));
}
