//! Buffers that stay the program's, as `METHOD_NEITHER` passes them: their addresses, and memory objects of what is
//! locked.
// UNSAFETY: outputs of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::{Arc, Mutex};

use nmr_host::irql::PASSIVE_LEVEL;

use super::memory::Memory;
use super::object::{self, Kind};
use super::request::{Ask, CallerContext, Request};
use super::retrieve::{self, Direction};
use super::{Handle, check_irql, image, misuse, request, violation};
use crate::native::kernel::buffers::Method;
use crate::native::kernel::nt::{
    NtStatus, STATUS_ACCESS_VIOLATION, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_USER_BUFFER,
    STATUS_SUCCESS,
};
use crate::native::kernel::peek::first_gap;

/// The program's buffer for one direction, if the method leaves it to the program.
fn user_buffer(request: &Request, direction: Direction) -> Result<(*mut c_void, usize), NtStatus> {
    let length = retrieve::length(request, direction)?;
    let state = request.lock();
    let buffers = &state.buffers;
    if buffers.method != Method::Neither {
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    }
    let buffer = match (request.ask, direction) {
        (Ask::Control { .. }, Direction::Input) => buffers.input.as_ref(),
        _ => buffers.output.as_ref(),
    };
    Ok((retrieve::address(buffer), length))
}

/// # Safety
///
/// `output` is null or valid for a write, and so is `length`.
unsafe fn retrieve(
    handle: Handle,
    direction: Direction,
    minimum: usize,
    output: *mut *mut c_void,
    length: *mut usize,
) -> NtStatus {
    check_irql(PASSIVE_LEVEL);
    let request = request::find(handle);
    if output.is_null() {
        violation("the output is null");
    }
    if request.lock().context != CallerContext::Inside {
        misuse(format_args!(
            "{request} is not in EvtIoInCallerContext, where its program's buffers can be used"
        ));
    }
    let found = user_buffer(&request, direction);
    // SAFETY: the outputs are valid, by this contract, and the first is not null.
    unsafe { retrieve::answer(found, minimum, output, length) }
}

/// `WdfRequestRetrieveUnsafeUserInputBuffer`.
pub(crate) unsafe extern "win64" fn input(
    _globals: *const c_void,
    request: Handle,
    minimum: usize,
    output: *mut *mut c_void,
    length: *mut usize,
) -> NtStatus {
    // SAFETY: the outputs are valid; the driver guarantees it.
    unsafe { retrieve(request, Direction::Input, minimum, output, length) }
}

/// `WdfRequestRetrieveUnsafeUserOutputBuffer`.
pub(crate) unsafe extern "win64" fn output(
    _globals: *const c_void,
    request: Handle,
    minimum: usize,
    output: *mut *mut c_void,
    length: *mut usize,
) -> NtStatus {
    // SAFETY: the outputs are valid; the driver guarantees it.
    unsafe { retrieve(request, Direction::Output, minimum, output, length) }
}

/// `WdfRequestProbeAndLockUserBufferForRead` and `WdfRequestProbeAndLockUserBufferForWrite`: make a memory object of a
/// program's buffer, which ends with the request. What the program can read, it can write here.
pub(crate) unsafe extern "win64" fn lock(
    _globals: *const c_void,
    handle: Handle,
    buffer: *mut c_void,
    length: usize,
    output: *mut Handle,
) -> NtStatus {
    check_irql(PASSIVE_LEVEL);
    request::find(handle);
    if buffer.is_null() || output.is_null() {
        violation("the buffer or the output is null");
    }
    if length == 0 {
        return STATUS_INVALID_USER_BUFFER;
    }
    let start = buffer.expose_provenance();
    let end = start.checked_add(length);
    if end.is_none_or(|end| first_gap(start, end).is_some()) {
        return STATUS_ACCESS_VIOLATION;
    }
    let memory = Memory::Preallocated(Mutex::new((start, length)));
    let made = object::make(&image(), Kind::Memory(Arc::new(memory)), Some(handle), None);
    match made {
        Ok(memory) => {
            // SAFETY: the output is valid; the driver guarantees it.
            unsafe { output.write(memory) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}
