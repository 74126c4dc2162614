//! Completes an IRP for its driver: the output goes to the program, which goes on, and the IRP goes away with its
//! buffers.

use std::sync::Arc;

use crate::native::kernel::call::misuse;
use crate::native::kernel::irp::{Ask, Completion, Ended, Irp, NoIrp};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::mdl;
use crate::native::kernel::nt::{STATUS_PENDING, is_error};

/// Completes the IRP at an address, on behalf of the driver that calls.
pub(crate) fn complete(image: &Arc<Loaded>, address: usize) -> Result<(), NoIrp> {
    let irp = image.system.irps.take(address)?;
    let mdls = irp.take_mdls();
    let completion = irp.complete().ok_or(NoIrp::Completed)?;
    if !mdl::free_chain(image, mdls) {
        misuse(format!("{irp} has an MDL that IoAllocateMdl has not made"));
    }
    if completion.status == STATUS_PENDING {
        misuse(format!("{irp} is completed with STATUS_PENDING"));
    }
    if completion.cancelable {
        misuse(format!("{irp} is completed with its cancel routine set"));
    }
    let ended = end(&irp, completion);
    irp.end(ended);
    Ok(())
}

/// What the program gets.
fn end(irp: &Irp, completion: Completion) -> Ended {
    let Completion {
        status,
        information,
        buffers,
        ..
    } = completion;
    // What `NT_ERROR` is true for brings no output.
    let wanted = if is_error(status) { 0 } else { information };
    let room = irp.lengths.output;
    // A control request without output may say how much of the input was used.
    let transfers = match irp.ask {
        Ask::Control(_) => room != 0,
        Ask::Read(_) | Ask::Write(_) => true,
        _ => false,
    };
    if wanted > room && transfers {
        misuse(format!(
            "{irp} has room for {room} bytes of output and is completed with {information}"
        ));
    }
    let information = wanted.min(room);
    let (output, intact) = buffers.take(information);
    if !intact {
        misuse(format!("the driver wrote outside of a buffer of {irp}"));
    }
    Ended {
        status,
        information,
        output,
    }
}
