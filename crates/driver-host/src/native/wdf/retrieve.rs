//! Retrieval from a request: its parameters, its file, its buffers.
// UNSAFETY: outputs of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use nmr_host::irql::DISPATCH_LEVEL;

use super::check_irql;
use super::device;
use super::image;
use super::layout::WDF_REQUEST_PARAMETERS;
use super::memory::Memory;
use super::object::{self, Kind};
use super::request::{self, Ask, Request};
use super::violation;
use crate::native::kernel::buffer::Buffer;
use crate::native::kernel::buffers::Method;
use crate::native::kernel::nt::{
    NtStatus, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_DEVICE_REQUEST, STATUS_SUCCESS,
};
use crate::native::wdf::Handle;

/// One of the two directions in which data goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    Input,
    Output,
}

/// The length of the buffer of a request for one direction. Reads have no input, and writes no output.
pub(super) fn length(request: &Request, direction: Direction) -> Result<usize, NtStatus> {
    match (request.ask, direction) {
        (Ask::Control { input, .. }, Direction::Input) => Ok(input),
        (Ask::Control { output, .. }, Direction::Output) => Ok(output),
        (Ask::Read(range), Direction::Output) | (Ask::Write(range), Direction::Input) => {
            Ok(range.length)
        }
        _ => Err(STATUS_INVALID_DEVICE_REQUEST),
    }
}

/// The buffer of a request for one direction, with its length. `METHOD_BUFFERED` has one buffer for
/// both, a direction without bytes has none, and what the method leaves to the program is not to be had here.
pub(super) fn buffer(
    request: &Request,
    direction: Direction,
) -> Result<(*mut c_void, usize), NtStatus> {
    let length = length(request, direction)?;
    let state = request.lock();
    let buffer = match state.buffers.method {
        Method::Neither => return Err(STATUS_INVALID_DEVICE_REQUEST),
        Method::Direct if !has_system_buffer(request, direction) => &state.buffers.output,
        Method::Direct | Method::Buffered => &state.buffers.system,
    };
    match buffer {
        Some(buffer) if length != 0 => Ok((buffer.address(), length)),
        _ => Err(STATUS_BUFFER_TOO_SMALL),
    }
}

/// Returns `true` if the buffer of a direct request for one direction is a copy: the input of a control request is.
pub(super) fn has_system_buffer(request: &Request, direction: Direction) -> bool {
    matches!(
        (request.ask, direction),
        (Ask::Control { .. }, Direction::Input)
    )
}

unsafe fn retrieve_buffer(
    request: Handle,
    direction: Direction,
    minimum: usize,
    output: *mut *mut c_void,
    length: *mut usize,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let request = request::find(request);
    if output.is_null() {
        violation("the output is null");
    }
    let found = buffer(&request, direction);
    // SAFETY: the outputs are valid; the driver guarantees it.
    unsafe { answer(found, minimum, output, length) }
}

/// Answers with a buffer that was found, if it is large enough, and its size; or with null and none.
///
/// # Safety
///
/// * `output` is valid for a write.
/// * `length` is null or valid for a write.
pub(super) unsafe fn answer(
    found: Result<(*mut c_void, usize), NtStatus>,
    minimum: usize,
    output: *mut *mut c_void,
    length: *mut usize,
) -> NtStatus {
    let (address, size, status) = match found {
        Ok((address, size)) if size >= minimum => (address, size, STATUS_SUCCESS),
        Ok(_) => (ptr::null_mut(), 0, STATUS_BUFFER_TOO_SMALL),
        Err(status) => (ptr::null_mut(), 0, status),
    };
    // SAFETY: the output is valid, by this contract.
    unsafe { output.write(address) };
    if !length.is_null() {
        // SAFETY: the output is valid, by this contract, and not null.
        unsafe { length.write(size) };
    }
    status
}

/// `WdfRequestRetrieveInputBuffer`.
pub(crate) unsafe extern "win64" fn input_buffer(
    _globals: *const c_void,
    request: Handle,
    minimum: usize,
    output: *mut *mut c_void,
    length: *mut usize,
) -> NtStatus {
    // SAFETY: the outputs are valid; the driver guarantees it.
    unsafe { retrieve_buffer(request, Direction::Input, minimum, output, length) }
}

/// `WdfRequestRetrieveOutputBuffer`.
pub(crate) unsafe extern "win64" fn output_buffer(
    _globals: *const c_void,
    request: Handle,
    minimum: usize,
    output: *mut *mut c_void,
    length: *mut usize,
) -> NtStatus {
    // SAFETY: the outputs are valid; the driver guarantees it.
    unsafe { retrieve_buffer(request, Direction::Output, minimum, output, length) }
}

unsafe fn retrieve_memory(handle: Handle, direction: Direction, output: *mut Handle) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let request = request::find(handle);
    if output.is_null() {
        violation("the output is null");
    }
    if let Err(status) = buffer(&request, direction) {
        return status;
    }
    let place = direction as usize;
    let known = request.lock().memory[place];
    let memory = if let Some(known) = known {
        object::handle(known)
    } else {
        let kind = Kind::Memory(Arc::new(Memory::OfRequest(Arc::clone(&request), direction)));
        match object::make(&image(), kind, Some(handle), None) {
            Ok(memory) => {
                request.lock().memory[place] = object::id(memory);
                memory
            }
            Err(status) => return status,
        }
    };
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { output.write(memory) };
    STATUS_SUCCESS
}

/// `WdfRequestRetrieveInputMemory`.
pub(crate) unsafe extern "win64" fn input_memory(
    _globals: *const c_void,
    request: Handle,
    output: *mut Handle,
) -> NtStatus {
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { retrieve_memory(request, Direction::Input, output) }
}

/// `WdfRequestRetrieveOutputMemory`.
pub(crate) unsafe extern "win64" fn output_memory(
    _globals: *const c_void,
    request: Handle,
    output: *mut Handle,
) -> NtStatus {
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { retrieve_memory(request, Direction::Output, output) }
}

/// Where a buffer begins, or null.
pub(super) fn address(buffer: Option<&Buffer>) -> *mut c_void {
    buffer.map_or(ptr::null_mut(), Buffer::address)
}

/// `WdfRequestGetParameters`.
pub(crate) unsafe extern "win64" fn parameters(
    _globals: *const c_void,
    request: Handle,
    output: *mut WDF_REQUEST_PARAMETERS,
) {
    check_irql(DISPATCH_LEVEL);
    let request = request::find(request);
    let expected = size_of::<WDF_REQUEST_PARAMETERS>();
    if output.is_null() {
        violation("the output is null");
    }
    // SAFETY: the structure begins with its size and is as long; the driver guarantees it.
    let size = usize::from(unsafe { output.cast::<u16>().read() });
    if size != expected {
        violation(format_args!(
            "the Size of the parameters is {size:#x}, not {expected:#x}"
        ));
    }
    let empty = WDF_REQUEST_PARAMETERS {
        Size: size as u16,
        MinorFunction: 0,
        Type: request.ask.kind(),
        Length: 0,
        InputBufferLength: 0,
        CodeOrOffset: 0,
        Type3InputBuffer: ptr::null_mut(),
    };
    let parameters = match request.ask {
        Ask::Open => empty,
        Ask::Control {
            code,
            input,
            output,
        } => WDF_REQUEST_PARAMETERS {
            Length: output,
            InputBufferLength: input,
            CodeOrOffset: code.into(),
            Type3InputBuffer: address(request.lock().buffers.input.as_ref()),
            ..empty
        },
        Ask::Read(range) | Ask::Write(range) => WDF_REQUEST_PARAMETERS {
            Length: range.length,
            CodeOrOffset: range.offset,
            ..empty
        },
    };
    // SAFETY: the structure is valid; the driver guarantees it.
    unsafe { output.write(parameters) };
}

/// `WdfRequestGetFileObject`: null if the driver asked for no file objects.
pub(crate) extern "win64" fn file_object(_globals: *const c_void, request: Handle) -> Handle {
    let request = request::find(request);
    let file = object::handle(request.file);
    let device = image()
        .framework()
        .lock()
        .objects
        .get(file)
        .and_then(|object| object.parent);
    match device {
        Some(device) if device::find(object::handle(device)).init.files.is_some() => file,
        _ => ptr::null_mut(),
    }
}
