//! The device: what programs find by the driver's device interface, open, and send requests to.
//!
//! A request comes with copies of the program's memory (`METHOD_BUFFERED`). Input and output are the
//! same copy: so the request is read by value before the reply is written. Requests come on several
//! threads at once, at `PASSIVE_LEVEL`, because a detach waits. They end before the device does,
//! and that before `EvtDriverUnload`.
// UNSAFETY: functions of the framework, and a callback that it calls with a request's memory.
#![expect(unsafe_code)]

use core::{ptr, slice};

use exnpi_control::INTERFACE;
use nmr::{Error, Result};
use wdk_sys::{
    _WDF_EXECUTION_LEVEL, _WDF_IO_QUEUE_DISPATCH_TYPE, _WDF_SYNCHRONIZATION_SCOPE, _WDF_TRI_STATE,
    GUID, NTSTATUS, PWDFDEVICE_INIT, STATUS_SUCCESS, ULONG, WDF_IO_QUEUE_CONFIG,
    WDF_NO_OBJECT_ATTRIBUTES, WDF_OBJECT_ATTRIBUTES, WDFDEVICE, WDFQUEUE, WDFREQUEST,
    call_unsafe_wdf_function_binding,
};

use crate::control::{Reply, Request};
use crate::driver::{control, length};

/// Makes a device with its interface and its queue. If a step fails, the framework deletes the
/// device.
///
/// # Safety
///
/// * The argument is that of `EvtDriverDeviceAdd`.
pub(crate) unsafe fn create(mut init: PWDFDEVICE_INIT) -> Result {
    let mut device = ptr::null_mut();
    // SAFETY: the first argument must be the one of `EvtDriverDeviceAdd`, in a variable that may be
    // cleared, and the last must be valid for a write: so they are.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDeviceCreate,
            &raw mut init,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut device
        )
    };
    Error::check(status)?;
    // SAFETY: the device must be one that was just made, which it is.
    unsafe { create_interface(device) }?;
    // SAFETY: as above.
    unsafe { create_queue(device) }
}

/// Lets programs find the device. The framework enables the interface when the device starts.
///
/// # Safety
///
/// * The device was made in this `EvtDriverDeviceAdd`.
unsafe fn create_interface(device: WDFDEVICE) -> Result {
    let class = guid(INTERFACE);
    // SAFETY: the device must be valid, which the caller promises, and the GUID too, for the call;
    // there is no reference string.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDeviceCreateDeviceInterface,
            device,
            &raw const class,
            ptr::null()
        )
    };
    Error::check(status)
}

/// Makes the queue that all requests go to.
///
/// # Safety
///
/// * The device was made in this `EvtDriverDeviceAdd`.
unsafe fn create_queue(device: WDFDEVICE) -> Result {
    let mut config = WDF_IO_QUEUE_CONFIG {
        Size: const { length::<WDF_IO_QUEUE_CONFIG>() },
        DispatchType: _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchParallel,
        // A detach may wait long, and must not keep the system from going to sleep.
        PowerManaged: _WDF_TRI_STATE::WdfFalse,
        DefaultQueue: 1,
        EvtIoDeviceControl: Some(device_control),
        ..WDF_IO_QUEUE_CONFIG::default()
    };
    config.Settings.Parallel.NumberOfPresentedRequests = ULONG::MAX;
    let mut attributes = WDF_OBJECT_ATTRIBUTES {
        Size: const { length::<WDF_OBJECT_ATTRIBUTES>() },
        ExecutionLevel: _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive,
        SynchronizationScope: _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeNone,
        ..WDF_OBJECT_ATTRIBUTES::default()
    };
    let mut queue = ptr::null_mut();
    // SAFETY: the device must be valid, which the caller promises; the structures must be complete
    // for a parallel queue, which they are, and the last argument valid for a write.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfIoQueueCreate,
            device,
            &raw mut config,
            &raw mut attributes,
            &raw mut queue
        )
    };
    Error::check(status)
}

/// `EvtIoDeviceControl`: answers a request, and completes it.
///
/// # Safety
///
/// * Called by the framework.
unsafe extern "C" fn device_control(
    _queue: WDFQUEUE,
    request: WDFREQUEST,
    output_length: usize,
    input_length: usize,
    code: ULONG,
) {
    // SAFETY: the request must be the framework's, with these lengths: it is.
    let answer = unsafe { answer(request, code, input_length, output_length) };
    let (status, size) = match answer {
        Ok(size) => (STATUS_SUCCESS, size),
        Err(error) => (error.status(), 0),
    };
    // SAFETY: the request must not be complete yet, and is not used any more.
    unsafe { complete(request, status, size) };
}

/// Reads a request, does what it says, and writes the reply. Returns the size of the reply.
///
/// # Safety
///
/// * The request came to `EvtIoDeviceControl` with these lengths.
unsafe fn answer(request: WDFREQUEST, code: ULONG, input: usize, output: usize) -> Result<usize> {
    // SAFETY: the requirements are those of this function.
    let wanted = unsafe { read(request, code, input, output) }?;
    // Before anything happens, so that nothing fails after that.
    // SAFETY: the request must have come to `EvtIoDeviceControl`, as the caller promises.
    let at = unsafe { output_buffer(request, wanted.reply_size()) }?;
    let reply = control()?.answer(wanted)?;
    // SAFETY: the buffer must have space for the reply, and no other user: it was asked for with
    // this size, and the input is not used any more.
    unsafe { write(&reply, at) };
    Ok(reply.as_bytes().len())
}

/// Reads a request by value.
///
/// # Safety
///
/// * The request came to `EvtIoDeviceControl` with these lengths.
unsafe fn read(request: WDFREQUEST, code: ULONG, input: usize, output: usize) -> Result<Request> {
    // The framework has no buffer for nothing.
    if input == 0 {
        return Request::read(code, &[], output);
    }
    let mut at = ptr::null_mut();
    let mut size = 0;
    // SAFETY: the request must be valid, as the caller promises, and the last two arguments for a
    // write.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfRequestRetrieveInputBuffer,
            request,
            1,
            &raw mut at,
            &raw mut size
        )
    };
    Error::check(status)?;
    // SAFETY: the bytes must be initialized, and nobody may write to them meanwhile: they are the I/O
    // manager's copy, which nobody but this driver uses, and the reply is written later.
    let bytes = unsafe { slice::from_raw_parts(at.cast::<u8>(), size) };
    Request::read(code, bytes, output)
}

/// Where the reply goes: space for this many bytes.
///
/// # Safety
///
/// * The request came to `EvtIoDeviceControl`.
unsafe fn output_buffer(request: WDFREQUEST, size: usize) -> Result<*mut u8> {
    let mut at = ptr::null_mut();
    // SAFETY: the request must be valid, as the caller promises, and the third argument for a
    // write; the last may be null.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfRequestRetrieveOutputBuffer,
            request,
            size,
            &raw mut at,
            ptr::null_mut()
        )
    };
    Error::check(status).map(|()| at.cast())
}

/// Writes a reply.
///
/// # Safety
///
/// * There is space for it, which nobody else uses.
unsafe fn write(reply: &Reply, at: *mut u8) {
    let bytes = reply.as_bytes();
    // SAFETY: the target must have space and be apart from the source: the caller promises the one,
    // and the source is on the stack.
    unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// Completes a request.
///
/// # Safety
///
/// * The request came to `EvtIoDeviceControl`, and is not used any more.
unsafe fn complete(request: WDFREQUEST, status: NTSTATUS, size: usize) {
    // SAFETY: the request must be the driver's, which it is until this call.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfRequestCompleteWithInformation,
            request,
            status,
            size as u64
        );
    };
}

/// A GUID in the form of Windows.
const fn guid(number: u128) -> GUID {
    let nmr::Guid {
        Data1,
        Data2,
        Data3,
        Data4,
    } = nmr::Guid::from_u128(number);
    GUID {
        Data1,
        Data2,
        Data3,
        Data4,
    }
}
