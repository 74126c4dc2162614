//! Sends an IRP to the driver of its device.
// UNSAFETY: calls a dispatch routine.
#![expect(unsafe_code)]

use std::sync::Arc;

use crate::native::crossing;
use crate::native::kernel::irp::{Ended, Irp, Progress};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_DEVICE_REQUEST, STATUS_PENDING};
use crate::native::kernel::report::Fault;

/// Sends an IRP, and waits for its end. Without a dispatch routine the answer is that of the one that Windows
/// puts into every driver object.
pub(super) fn send(image: &Arc<Loaded>, irp: &Arc<Irp>) -> Ended {
    let (major, name) = irp.ask.major();
    let routine = image.objects.dispatch_routine(major);
    if routine == 0 {
        return Ended::with(STATUS_INVALID_DEVICE_REQUEST);
    }
    image.system.irps.add(irp);
    let device = irp.device.object.address().expose_provenance();
    let name = format!("the dispatch routine of {name}");
    // SAFETY: the driver has put the routine into its driver object; it gets its device object and an IRP.
    let status = unsafe { crossing::call(image, &name, routine, [device, irp.address()]) };
    check(image, name, irp, status as NtStatus);
    irp.set_returned();
    irp.wait()
}

/// Reports a dispatch routine whose answer does not fit what it has done, by the rules of Driver Verifier.
fn check(image: &Loaded, function: String, irp: &Irp, status: NtStatus) {
    let Progress { completed, marked } = irp.progress();
    let text = match completed {
        _ if status == STATUS_PENDING && marked => return,
        _ if status == STATUS_PENDING => {
            format!("returned STATUS_PENDING for {irp}, which it has not marked pending")
        }
        _ if marked => format!("returned {status:#010x} for {irp}, which it has marked pending"),
        Some(completed) if completed == status => return,
        Some(completed) => {
            format!(
                "returned {status:#010x} for {irp}, which it has completed with {completed:#010x}"
            )
        }
        None => format!("returned {status:#010x} for {irp}, which it has not completed"),
    };
    image.report(Fault::Misuse { function, text });
    if completed.is_none() && status != STATUS_PENDING {
        // Windows takes it for completed.
        irp.end(Ended::with(status));
    }
}
