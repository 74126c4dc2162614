//! `EvtDriverDeviceAdd` and `EvtIoDeviceControl`.
//!
//! Requests come on several threads at once, at `PASSIVE_LEVEL`, because a detach waits. They end before the
//! device does, and that before `EvtDriverUnload`.
// UNSAFETY: functions of the framework, and callbacks that it calls with a request's memory.
#![expect(unsafe_code)]

use core::mem::MaybeUninit;
use core::{ptr, slice};

use nmr::{Error, Result};
use wdk_sys::{
    _WDF_EXECUTION_LEVEL, _WDF_IO_QUEUE_DISPATCH_TYPE, _WDF_SYNCHRONIZATION_SCOPE, _WDF_TRI_STATE,
    GUID, NTSTATUS, PWDFDEVICE_INIT, STATUS_SUCCESS, ULONG, WDF_IO_QUEUE_CONFIG,
    WDF_NO_OBJECT_ATTRIBUTES, WDF_OBJECT_ATTRIBUTES, WDFDEVICE, WDFDRIVER, WDFQUEUE, WDFREQUEST,
};

use super::driver::Image;
use super::table::framework;
use super::{length, tell};
use crate::device::Device;
use crate::request::{answer, require_buffered};

/// `EvtDriverDeviceAdd` of a driver whose devices take no requests. While a device is there, Windows keeps
/// the driver.
///
/// # Safety
///
/// * The framework calls it.
pub unsafe extern "C" fn add_bare_device<T: Image>(
    _driver: WDFDRIVER,
    init: PWDFDEVICE_INIT,
) -> NTSTATUS {
    // SAFETY: the argument is that of this callback.
    let created = unsafe { create(init) };
    tell!(T, "a device: {created:?}");
    created.err().map_or(STATUS_SUCCESS, Error::status)
}

/// `EvtDriverDeviceAdd` of a driver whose devices take requests.
///
/// # Safety
///
/// * The framework calls it.
pub unsafe extern "C" fn add_device<T: Image + Device>(
    _driver: WDFDRIVER,
    init: PWDFDEVICE_INIT,
) -> NTSTATUS {
    // SAFETY: the argument is that of this callback.
    let created = unsafe { create_with_queue::<T>(init) };
    tell!(T, "a device: {created:?}");
    created.err().map_or(STATUS_SUCCESS, Error::status)
}

/// Makes a device with its interface and its queue. If a step fails, the framework deletes the device.
///
/// # Safety
///
/// * The argument is that of `EvtDriverDeviceAdd`.
unsafe fn create_with_queue<T: Image + Device>(init: PWDFDEVICE_INIT) -> Result {
    // SAFETY: the requirement is that of this function.
    let device = unsafe { create(init) }?;
    // SAFETY: the device was made just now.
    unsafe { create_interface(device, const { &T::INTERFACE }) }?;
    // SAFETY: as above; the callback is of this module.
    unsafe { create_queue(device, device_control::<T>) }
}

/// Makes a device.
///
/// # Safety
///
/// * The argument is that of `EvtDriverDeviceAdd`.
unsafe fn create(mut init: PWDFDEVICE_INIT) -> Result<WDFDEVICE> {
    let mut device = ptr::null_mut();
    // SAFETY: the first argument is the one of `EvtDriverDeviceAdd`, in a variable that may be cleared, and
    // the last is valid for a write.
    let status = unsafe {
        framework!(WdfDeviceCreate(
            &raw mut init,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut device
        ))
    };
    Error::check(status).map(|()| device)
}

/// Lets programs find the device. The framework enables the interface when the device starts.
///
/// # Safety
///
/// * The device was made in this `EvtDriverDeviceAdd`.
unsafe fn create_interface(device: WDFDEVICE, class: &nmr::Guid) -> Result {
    const { assert!(size_of::<nmr::Guid>() == size_of::<GUID>()) };
    // SAFETY: the device is valid, by the caller's promise, and the GUID too, for the call: both types
    // are Windows' structure. There is no reference string.
    let status = unsafe {
        framework!(WdfDeviceCreateDeviceInterface(
            device,
            ptr::from_ref(class).cast(),
            ptr::null()
        ))
    };
    Error::check(status)
}

/// `EvtIoDeviceControl`.
type DeviceControl = unsafe extern "C" fn(WDFQUEUE, WDFREQUEST, usize, usize, ULONG);

/// Makes the queue that all requests go to.
///
/// # Safety
///
/// * The device was made in this `EvtDriverDeviceAdd`.
/// * The callback completes each request.
unsafe fn create_queue(device: WDFDEVICE, device_control: DeviceControl) -> Result {
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
    // SAFETY: the device is valid, by the caller's promise; the structures are complete for a parallel
    // queue, and the last argument is valid for a write.
    let status = unsafe {
        framework!(WdfIoQueueCreate(
            device,
            &raw mut config,
            &raw mut attributes,
            &raw mut queue
        ))
    };
    Error::check(status)
}

/// `EvtIoDeviceControl`: lets the driver answer a request, and completes it.
///
/// # Safety
///
/// * The framework calls it.
unsafe extern "C" fn device_control<T: Image + Device>(
    _queue: WDFQUEUE,
    request: WDFREQUEST,
    output: usize,
    input: usize,
    code: ULONG,
) {
    // SAFETY: the request is the framework's, with these lengths.
    let (status, size) = match unsafe { handle::<T>(request, code, input, output) } {
        Ok(size) => (STATUS_SUCCESS, size),
        Err(error) => (error.status(), 0),
    };
    // SAFETY: the request is not complete yet, and is not used any more.
    unsafe {
        framework!(WdfRequestCompleteWithInformation(
            request,
            status,
            size as u64
        ));
    };
}

/// Lets the driver answer a request. Returns the size of the reply.
///
/// # Safety
///
/// * The request came to `EvtIoDeviceControl` with these lengths.
unsafe fn handle<T: Image + Device>(
    request: WDFREQUEST,
    code: ULONG,
    input: usize,
    output: usize,
) -> Result<usize> {
    require_buffered(code)?;
    // SAFETY: the request came with these lengths and its code is of this kind.
    let start = unsafe { buffer(request, input, output) }?;
    // SAFETY: a request is in progress until this function returns.
    let driver = unsafe { T::place().get() }?;
    // SAFETY: the buffer has the longer length of the two; it is the I/O manager's copy, which only this
    // driver uses until the request is complete.
    let buffer = unsafe { slice::from_raw_parts_mut(start, input.max(output)) };
    // SAFETY: the buffer begins with the program's input, which the I/O manager has copied to it.
    unsafe { answer(driver, code, buffer, input, output) }
}

/// Where the buffer of a request is: one for input and output, as long as the longer of the two.
///
/// # Safety
///
/// * The request came to `EvtIoDeviceControl` with these lengths, and its code is of the kind
///   `METHOD_BUFFERED`.
unsafe fn buffer(request: WDFREQUEST, input: usize, output: usize) -> Result<*mut MaybeUninit<u8>> {
    let mut start = ptr::null_mut();
    // The framework has no buffer for nothing.
    if input == 0 && output == 0 {
        return Ok(ptr::dangling_mut());
    }
    let status = if input < output {
        // SAFETY: the request is valid, by the caller's promise, and the fourth argument for a write; the
        // last may be null.
        unsafe {
            framework!(WdfRequestRetrieveOutputBuffer(
                request,
                output,
                &raw mut start,
                ptr::null_mut()
            ))
        }
    } else {
        // SAFETY: as above.
        unsafe {
            framework!(WdfRequestRetrieveInputBuffer(
                request,
                input,
                &raw mut start,
                ptr::null_mut()
            ))
        }
    };
    Error::check(status).map(|()| start.cast())
}
