//! The driver that is installed on this Windows.
// UNSAFETY: functions of Windows.
#![expect(unsafe_code)]

use std::ptr::{null, null_mut};

use exnpi_control::INTERFACE;
use windows_sys::Win32::Devices::DeviceAndDriverInstallation::{
    CM_GET_DEVICE_INTERFACE_LIST_PRESENT, CM_Get_Device_Interface_List_SizeW,
    CM_Get_Device_Interface_ListW, CR_BUFFER_SMALL, CR_SUCCESS,
};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_NO_SUCH_DEVICE,
    ERROR_PATH_NOT_FOUND, GENERIC_READ, GENERIC_WRITE, GetLastError, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_EXISTING,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::core::GUID;

use crate::request::{Device, Failure, explain_error};

/// An open device.
///
/// # Invariants
///
/// The handle is that of a file, which this type alone closes.
#[derive(Debug)]
pub struct Driver(HANDLE);

impl Driver {
    /// Opens the first device of the driver: for reading, and for writing if that is needed.
    pub fn open(writes: bool) -> Result<Self, Failure> {
        let access = GENERIC_READ | if writes { GENERIC_WRITE } else { 0 };
        let path = first_device()?;
        // SAFETY: the path must end with a zero, which it does; the pointers may be null.
        let handle = unsafe {
            CreateFileW(
                path.as_ptr(),
                access,
                FILE_SHARE_READ | FILE_SHARE_WRITE,
                null(),
                OPEN_EXISTING,
                0,
                null_mut(),
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(cannot_open(last_error()));
        }
        // INVARIANT: the handle was opened just now.
        Ok(Self(handle))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: the handle must be open and have no other user, by the invariant. That it cannot
        // be closed has no consequence here.
        let _ = unsafe { CloseHandle(self.0) };
    }
}

impl Device for Driver {
    fn control(&self, code: u32, request: &[u8], reply: &mut [u8]) -> Result<usize, Failure> {
        let mut written = 0;
        // SAFETY: the handle must be open, by the invariant; both buffers must be valid for their
        // lengths, and the count for a write: they are slices and a variable.
        let done = unsafe {
            DeviceIoControl(
                self.0,
                code,
                request.as_ptr().cast(),
                length(request),
                reply.as_mut_ptr().cast(),
                length(reply),
                &raw mut written,
                null_mut(),
            )
        };
        if done == 0 {
            return Err(refused(last_error()));
        }
        Ok(written as usize)
    }
}

fn length(buffer: &[u8]) -> u32 {
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}

fn last_error() -> u32 {
    // SAFETY: it only reads a variable of the thread.
    unsafe { GetLastError() }
}

/// The path of the first device that is there, with a zero at its end.
fn first_device() -> Result<Vec<u16>, Failure> {
    let class = GUID::from_u128(INTERFACE);
    loop {
        let mut size = 0;
        // SAFETY: the size must be valid for a write and the GUID for a read, which variables are;
        // the device may be null, for any.
        let result = unsafe {
            CM_Get_Device_Interface_List_SizeW(
                &raw mut size,
                &raw const class,
                null(),
                CM_GET_DEVICE_INTERFACE_LIST_PRESENT,
            )
        };
        if result != CR_SUCCESS {
            return Err(no_list(result));
        }
        let mut list = vec![0_u16; size as usize];
        // SAFETY: as above; the list must be valid for writes of that many characters, which it is.
        let result = unsafe {
            CM_Get_Device_Interface_ListW(
                &raw const class,
                null(),
                list.as_mut_ptr(),
                size,
                CM_GET_DEVICE_INTERFACE_LIST_PRESENT,
            )
        };
        match result {
            CR_SUCCESS => return first(list),
            // A device came in between.
            CR_BUFFER_SMALL => {}
            other => return Err(no_list(other)),
        }
    }
}

/// The first of some texts that end with a zero each.
fn first(mut list: Vec<u16>) -> Result<Vec<u16>, Failure> {
    match list.iter().position(|unit| *unit == 0) {
        None | Some(0) => Err(Failure::NoDevice(
            "there is no device of the driver: is it installed and started? See `pnputil \
             /enum-devices /deviceid Root\\ExnpiDriver`"
                .to_owned(),
        )),
        Some(end) => {
            list.truncate(end + 1);
            Ok(list)
        }
    }
}

fn no_list(result: u32) -> Failure {
    Failure::NoDevice(format!(
        "Windows does not list the devices: configuration manager error {result:#x}"
    ))
}

fn cannot_open(error: u32) -> Failure {
    Failure::NoDevice(match error {
        ERROR_ACCESS_DENIED => {
            "access denied: run this in an elevated prompt (as administrator)".to_owned()
        }
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_NO_SUCH_DEVICE => {
            "the device has just gone: is the driver being disabled or removed?".to_owned()
        }
        other => {
            format!("the device does not open: Windows error {other}; see `net helpmsg {other}`")
        }
    })
}

fn refused(error: u32) -> Failure {
    match (explain_error(error), error) {
        (Some(status), _) => Failure::from_status(status),
        (None, ERROR_ACCESS_DENIED) => {
            Failure::Refused("access denied: the device is not open for this request".to_owned())
        }
        (None, other) => Failure::Refused(format!(
            "the request failed: Windows error {other}; see `net helpmsg {other}`"
        )),
    }
}
