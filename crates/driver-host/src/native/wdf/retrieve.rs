//! What a driver looks at in a request: its parameters, its file, its buffers.
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
use super::queue::DEVICE_CONTROL;
use super::request::{self, Ask, Request};
use super::violation;
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

/// The buffer of a request for one direction, with its length. `METHOD_BUFFERED` has one buffer for
/// both, and a direction without bytes has none.
pub(super) fn buffer(
    request: &Request,
    direction: Direction,
) -> Result<(*mut c_void, usize), NtStatus> {
    const METHOD: u32 = 3;
    const METHOD_BUFFERED: u32 = 0;
    let Ask::Control {
        code,
        input,
        output,
    } = request.ask
    else {
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    };
    if code & METHOD != METHOD_BUFFERED {
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    }
    let length = match direction {
        Direction::Input => input,
        Direction::Output => output,
    };
    let state = request.lock();
    match &state.buffer {
        Some(buffer) if length != 0 => Ok((buffer.address(), length)),
        _ => Err(STATUS_BUFFER_TOO_SMALL),
    }
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
    let (address, size, status) = match buffer(&request, direction) {
        Ok((address, size)) if size >= minimum => (address, size, STATUS_SUCCESS),
        Ok(_) => (ptr::null_mut(), 0, STATUS_BUFFER_TOO_SMALL),
        Err(status) => (ptr::null_mut(), 0, status),
    };
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { output.write(address) };
    if !length.is_null() {
        // SAFETY: the output is valid; the driver guarantees it.
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
        Type: 0,
        OutputBufferLength: 0,
        InputBufferLength: 0,
        IoControlCode: 0,
        Type3InputBuffer: ptr::null_mut(),
    };
    let parameters = match request.ask {
        Ask::Open => empty,
        Ask::Control {
            code,
            input,
            output,
        } => WDF_REQUEST_PARAMETERS {
            Type: DEVICE_CONTROL,
            OutputBufferLength: output,
            InputBufferLength: input,
            IoControlCode: code,
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
