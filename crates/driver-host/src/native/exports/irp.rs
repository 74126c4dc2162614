//! What drivers do with IRPs: `IofCompleteRequest`, which headers call `IoCompleteRequest`, and
//! `IoAcquireCancelSpinLock`, `IoReleaseCancelSpinLock`. Headers do the rest inline: `IoMarkIrpPending`,
//! `IoSetCancelRoutine`, `IoGetCurrentIrpStackLocation`.
//!
//! Levels are those of the pages of these names in Microsoft's reference of `wdm.h`.
// UNSAFETY: `IoAcquireCancelSpinLock` has an output.
#![expect(unsafe_code)]

use nmr_host::irql::{self, DISPATCH_LEVEL, Irql};

use super::bugcheck;
use crate::native::io;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::irp::NoIrp;
use crate::native::kernel::{irql as levels, spin};

const MULTIPLE_IRP_COMPLETE_REQUESTS: u32 = 0x44;
const SPIN_LOCK_ALREADY_OWNED: u32 = 0x0f;
const SPIN_LOCK_NOT_OWNED: u32 = 0x10;

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) extern "win64" fn complete(irp: usize, _boost: i8) {
    if irql::current() > DISPATCH_LEVEL {
        misuse(format!("called at {}", irql::current()));
    }
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
    let level = irql::current();
    if level > DISPATCH_LEVEL {
        misuse(format!("called at {level}"));
    }
    let level = levels::raise(DISPATCH_LEVEL.max(level));
    let system = call::caller().image.system.clone();
    if !spin::lock(&system.cancel_lock) {
        let address = system.cancel_lock.as_ptr().addr() as u64;
        bugcheck::stop(SPIN_LOCK_ALREADY_OWNED, [address, 0, 0, 0]);
    }
    // SAFETY: `before` points to a `KIRQL`; the driver guarantees it.
    unsafe { before.write(level.0) };
}

/// At `DISPATCH_LEVEL`.
pub(crate) extern "win64" fn release_cancel_lock(before: u8) {
    let system = call::caller().image.system.clone();
    if !spin::unlock(&system.cancel_lock) {
        let address = system.cancel_lock.as_ptr().addr() as u64;
        bugcheck::stop(SPIN_LOCK_NOT_OWNED, [address, 0, 0, 0]);
    }
    levels::lower(Irql(before));
}
