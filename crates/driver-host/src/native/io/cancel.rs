//! Cancels an IRP: its cancel routine is called with the cancel spin lock held, which it releases.
// UNSAFETY: calls a cancel routine.
#![expect(unsafe_code)]

use std::sync::Arc;

use nmr_host::irql::{self, DISPATCH_LEVEL};

use crate::native::crossing;
use crate::native::kernel::irp::Irp;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::report::Fault;
use crate::native::kernel::{irql as levels, spin};

const ROUTINE: &str = "the cancel routine";

/// Cancels an IRP, once. Returns `true` if it was not canceled before.
pub(super) fn cancel(image: &Arc<Loaded>, irp: &Irp) -> bool {
    let lock = &image.system.cancel_lock;
    let before = levels::raise(DISPATCH_LEVEL);
    spin::lock(lock);
    let begun = irp.begin_cancel(before);
    match begun {
        Some(routine) if routine != 0 => {
            let device = irp.device.object.address().expose_provenance();
            let arguments = [device, irp.address()];
            // SAFETY: the driver has set the routine in the IRP; it gets the device object and the IRP.
            unsafe { crossing::call(image, ROUTINE, routine, arguments) };
            check_level(image, irp, before);
        }
        _ => {
            spin::unlock(lock);
        }
    }
    // What the routine has not lowered.
    let _reported = levels::set(before);
    begun.is_some()
}

fn check_level(image: &Loaded, irp: &Irp, before: irql::Irql) {
    let lock = &image.system.cancel_lock;
    let held = spin::is_owned(lock);
    let text = if held {
        spin::unlock(lock);
        format!("returned for {irp} without IoReleaseCancelSpinLock")
    } else if irql::current() != before {
        format!("returned for {irp} at {}", irql::current())
    } else {
        return;
    };
    image.report(Fault::Misuse {
        function: ROUTINE.to_owned(),
        text,
    });
}
