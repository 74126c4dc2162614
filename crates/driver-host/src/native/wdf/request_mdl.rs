//! MDLs of requests: the one that a direct request came with, or one that the framework makes of its copy.
// UNSAFETY: outputs of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use nmr_host::irql::DISPATCH_LEVEL;

use super::request::{self, Request};
use super::retrieve::{self, Direction};
use super::{Handle, check_irql, image, violation};
use crate::native::kernel::buffers::Method;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::mdl::{self, NON_PAGED};
use crate::native::kernel::nt::{NtStatus, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};

/// The address of the MDL of a request for one direction. It ends with the request.
fn find(image: &Arc<Loaded>, request: &Request, direction: Direction) -> Result<usize, NtStatus> {
    let (start, length) = retrieve::buffer(request, direction)?;
    let mut state = request.lock();
    let copied = retrieve::has_system_buffer(request, direction);
    if state.buffers.method == Method::Direct && !copied {
        return Ok(state.buffers.mdl);
    }
    let known = &mut state.mdls[direction as usize];
    if *known == 0 {
        *known =
            mdl::allocate(image, start.expose_provenance(), length, NON_PAGED).expose_provenance();
    }
    if *known == 0 {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    Ok(*known)
}

/// # Safety
///
/// `output` is null or valid for a write.
unsafe fn retrieve(handle: Handle, direction: Direction, output: *mut *mut c_void) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let request = request::find(handle);
    if output.is_null() {
        violation("the output is null");
    }
    let (address, status) = match find(&image(), &request, direction) {
        Ok(address) => (address, STATUS_SUCCESS),
        Err(status) => (0, status),
    };
    // SAFETY: the output is valid, by this contract, and not null.
    unsafe { output.write(ptr::with_exposed_provenance_mut(address)) };
    status
}

/// `WdfRequestRetrieveInputWdmMdl`.
pub(crate) unsafe extern "win64" fn input(
    _globals: *const c_void,
    request: Handle,
    output: *mut *mut c_void,
) -> NtStatus {
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { retrieve(request, Direction::Input, output) }
}

/// `WdfRequestRetrieveOutputWdmMdl`.
pub(crate) unsafe extern "win64" fn output(
    _globals: *const c_void,
    request: Handle,
    output: *mut *mut c_void,
) -> NtStatus {
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { retrieve(request, Direction::Output, output) }
}
