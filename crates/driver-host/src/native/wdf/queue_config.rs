//! `WdfIoQueueCreate`.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use nmr_host::irql::DISPATCH_LEVEL;

use super::checks::{self, Parent};
use super::io::Phase;
use super::layout::{WDF_IO_QUEUE_CONFIG, WDF_OBJECT_ATTRIBUTES};
use super::object::{self, Kind};
use super::queue::Queue;
use super::{Handle, check_irql, device, image, misuse, refuse, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_PARAMETER,
    STATUS_INVALID_PARAMETER_4, STATUS_SUCCESS, STATUS_UNSUCCESSFUL, STATUS_WDF_NO_CALLBACK,
};

const SEQUENTIAL: i32 = 1;
pub(super) const PARALLEL: i32 = 2;
pub(super) const MANUAL: i32 = 3;

const FALSE: i32 = 0;
pub(super) const TRUE: i32 = 1;
pub(super) const USE_DEFAULT: i32 = 2;

const FUNCTION: &str = "WdfIoQueueCreate";
/// The sizes of its configuration up to KMDF 1.7, without the number of requests, and 1.9.
const OLDER: [usize; 2] = [OLDEST as usize, 0x58];
const OLDEST: u32 = 0x50;

/// `WdfIoQueueCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    device: Handle,
    config: *const WDF_IO_QUEUE_CONFIG,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let about = device::find(device);
    if config.is_null() {
        violation("the configuration is null");
    }
    // SAFETY: the configuration is valid; the driver guarantees it.
    let mut config = unsafe { checks::read_sized(config, &OLDER) };
    if config.Size == OLDEST && config.DispatchType == PARALLEL {
        config.NumberOfPresentedRequests = u32::MAX;
    }
    // SAFETY: the attributes are valid; the driver guarantees it.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Optional, true) };
    let made = checked.and_then(|attributes| {
        check(config, !output.is_null())
            .map_err(|(status, text)| refuse(FUNCTION, status, text))?;
        let state = about.io.lock();
        let default = (state.phase, state.default_queue.is_some());
        drop(state);
        match default {
            _ if config.DefaultQueue == 0 => {}
            (Phase::Created, false) => {}
            (Phase::Created, true) => {
                let text = "the device has a default queue already";
                return Err(refuse(FUNCTION, STATUS_UNSUCCESSFUL, text));
            }
            _ => {
                let text = "a default queue is made before the device is started";
                return Err(refuse(FUNCTION, STATUS_INVALID_DEVICE_STATE, text));
            }
        }
        let serial = about.serial.of_queue(attributes);
        let serial = serial.map_err(|text| refuse(FUNCTION, STATUS_INVALID_PARAMETER, text))?;
        let queue = Arc::new(Queue::new(config, serial, device, &about.init));
        let kind = Kind::Queue(Arc::clone(&queue));
        let handle = object::make(&image(), kind, Some(device), attributes)?;
        queue.set_number(object::id(handle).unwrap_or_default());
        let mut state = about.io.lock();
        if config.DefaultQueue != 0 {
            state.default_queue = Some(Arc::clone(&queue));
        }
        state.queues.push(queue);
        Ok(handle)
    });
    match made {
        Ok(handle) => {
            if !output.is_null() {
                // SAFETY: the output is valid; the driver guarantees it.
                unsafe { output.write(handle) };
            }
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// The rules, in the framework's order.
fn check(config: WDF_IO_QUEUE_CONFIG, has_output: bool) -> Result<(), (NtStatus, String)> {
    let wrong = |status, text: &str| Err((status, text.to_owned()));
    let expected = size_of::<WDF_IO_QUEUE_CONFIG>();
    if config.Size as usize != expected && !OLDER.contains(&(config.Size as usize)) {
        let text = format!(
            "the Size of its configuration is {:#x}, not {expected:#x}",
            config.Size
        );
        return Err((STATUS_INFO_LENGTH_MISMATCH, text));
    }
    if config.DefaultQueue == 0 && !has_output {
        let text = "a queue that is not the default queue needs an output";
        return wrong(STATUS_INVALID_PARAMETER_4, text);
    }
    if ![SEQUENTIAL, PARALLEL, MANUAL].contains(&config.DispatchType) {
        return wrong(STATUS_INVALID_PARAMETER, "DispatchType is not 1 to 3");
    }
    if !(FALSE..=USE_DEFAULT).contains(&config.PowerManaged) {
        return wrong(STATUS_INVALID_PARAMETER, "PowerManaged is not 0 to 2");
    }
    let handlers = [
        config.EvtIoDefault,
        config.EvtIoRead,
        config.EvtIoWrite,
        config.EvtIoDeviceControl,
        config.EvtIoInternalDeviceControl,
    ];
    let any = handlers.iter().any(|&callback| callback != 0);
    match config.DispatchType {
        MANUAL if any => {
            return wrong(STATUS_INVALID_PARAMETER, "a manual queue has no handlers");
        }
        MANUAL => {}
        _ if !any => return wrong(STATUS_WDF_NO_CALLBACK, "there is no handler"),
        _ => {}
    }
    let presented = config.NumberOfPresentedRequests;
    if config.DispatchType != PARALLEL && presented != 0 {
        let text = "NumberOfPresentedRequests is for parallel queues";
        return wrong(STATUS_INVALID_PARAMETER, text);
    }
    if config.DispatchType == PARALLEL && presented == 0 {
        misuse("NumberOfPresentedRequests is 0: a parallel queue never presents a request");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    fn config() -> WDF_IO_QUEUE_CONFIG {
        WDF_IO_QUEUE_CONFIG {
            Size: 0x60,
            DispatchType: PARALLEL,
            PowerManaged: USE_DEFAULT,
            AllowZeroLengthRequests: 0,
            DefaultQueue: 1,
            EvtIoDefault: 0,
            EvtIoRead: 0,
            EvtIoWrite: 0,
            EvtIoDeviceControl: 1,
            EvtIoInternalDeviceControl: 0,
            EvtIoStop: 0,
            EvtIoResume: 0,
            EvtIoCanceledOnQueue: 0,
            NumberOfPresentedRequests: u32::MAX,
            Driver: ptr::null_mut(),
        }
    }

    fn status(change: impl FnOnce(&mut WDF_IO_QUEUE_CONFIG)) -> NtStatus {
        let mut config = config();
        change(&mut config);
        check(config, false).err().map_or(0, |(status, _)| status)
    }

    #[test]
    fn wrong_configurations_are_refused() {
        assert_eq!(status(|_| ()), STATUS_SUCCESS);
        assert_eq!(status(|own| own.Size = 0x48), STATUS_INFO_LENGTH_MISMATCH);
        assert_eq!(status(|own| own.Size = 0x58), STATUS_SUCCESS);
        assert_eq!(
            status(|own| own.DefaultQueue = 0),
            STATUS_INVALID_PARAMETER_4
        );
        assert_eq!(status(|own| own.DispatchType = 0), STATUS_INVALID_PARAMETER);
        assert_eq!(status(|own| own.DispatchType = 4), STATUS_INVALID_PARAMETER);
        assert_eq!(status(|own| own.PowerManaged = 3), STATUS_INVALID_PARAMETER);
        assert_eq!(
            status(|own| own.EvtIoDeviceControl = 0),
            STATUS_WDF_NO_CALLBACK
        );
        assert_eq!(
            status(|own| own.DispatchType = MANUAL),
            STATUS_INVALID_PARAMETER
        );
        assert_eq!(
            status(|own| own.DispatchType = SEQUENTIAL),
            STATUS_INVALID_PARAMETER,
            "only parallel queues have a number of presented requests"
        );
        let manual = |own: &mut WDF_IO_QUEUE_CONFIG| {
            (own.DispatchType, own.EvtIoDeviceControl) = (MANUAL, 0);
            own.NumberOfPresentedRequests = 0;
        };
        assert_eq!(status(manual), STATUS_SUCCESS);
    }
}
