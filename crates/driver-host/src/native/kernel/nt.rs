//! The kernel's structures as far as images look into them, and the statuses that it answers with.
#![allow(
    non_snake_case,
    non_camel_case_types,
    reason = "the names are those of wdm.h"
)]

use std::ffi::c_void;
use std::mem::offset_of;

/// `NTSTATUS`.
pub(crate) type NtStatus = nmr_sys::NTSTATUS;

pub(crate) use nmr_sys::{
    STATUS_ACCESS_DENIED, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED, STATUS_PENDING, STATUS_SUCCESS,
};

pub(crate) const STATUS_TIMEOUT: NtStatus = 0x102;
pub(crate) const STATUS_OBJECT_TYPE_MISMATCH: NtStatus = 0xC000_0024_u32.cast_signed();
pub(crate) const STATUS_OBJECT_NAME_NOT_FOUND: NtStatus = 0xC000_0034_u32.cast_signed();
pub(crate) const STATUS_INVALID_BUFFER_SIZE: NtStatus = 0xC000_0206_u32.cast_signed();
pub(crate) const STATUS_OBJECT_NAME_COLLISION: NtStatus = 0xC000_0035_u32.cast_signed();
pub(crate) const STATUS_BUFFER_OVERFLOW: NtStatus = 0x8000_0005_u32.cast_signed();
pub(crate) const STATUS_RESOURCE_DATA_NOT_FOUND: NtStatus = 0xC000_0089_u32.cast_signed();
pub(crate) const STATUS_NO_MORE_ENTRIES: NtStatus = 0x8000_001A_u32.cast_signed();
pub(crate) const STATUS_WDF_PAUSED: NtStatus = 0xC020_0203_u32.cast_signed();
pub(crate) const STATUS_DELETE_PENDING: NtStatus = 0xC000_0056_u32.cast_signed();
pub(crate) const STATUS_POWER_STATE_INVALID: NtStatus = 0xC000_02D3_u32.cast_signed();
pub(crate) const STATUS_NO_SUCH_DEVICE: NtStatus = 0xC000_000E_u32.cast_signed();
pub(crate) const STATUS_UNSUCCESSFUL: NtStatus = 0xC000_0001_u32.cast_signed();
pub(crate) const STATUS_INVALID_HANDLE: NtStatus = 0xC000_0008_u32.cast_signed();
pub(crate) const STATUS_INVALID_DEVICE_REQUEST: NtStatus = 0xC000_0010_u32.cast_signed();
pub(crate) const STATUS_INVALID_USER_BUFFER: NtStatus = 0xC000_00E8_u32.cast_signed();
pub(crate) const STATUS_ACCESS_VIOLATION: NtStatus = 0xC000_0005_u32.cast_signed();
pub(crate) const STATUS_BUFFER_TOO_SMALL: NtStatus = 0xC000_0023_u32.cast_signed();
pub(crate) const STATUS_INTEGER_OVERFLOW: NtStatus = 0xC000_0095_u32.cast_signed();
pub(crate) const STATUS_INVALID_PARAMETER_4: NtStatus = 0xC000_00F2_u32.cast_signed();
pub(crate) const STATUS_CANCELLED: NtStatus = 0xC000_0120_u32.cast_signed();
pub(crate) const STATUS_INFO_LENGTH_MISMATCH: NtStatus = 0xC000_0004_u32.cast_signed();
pub(crate) const STATUS_OBJECT_NAME_EXISTS: NtStatus = 0x4000_0000;
pub(crate) const STATUS_REVISION_MISMATCH: NtStatus = 0xC000_0059_u32.cast_signed();
pub(crate) const STATUS_DRIVER_INTERNAL_ERROR: NtStatus = 0xC000_0183_u32.cast_signed();
pub(crate) const STATUS_WDF_BUSY: NtStatus = 0xC020_0204_u32.cast_signed();
pub(crate) const STATUS_WDF_NO_CALLBACK: NtStatus = 0xC020_020B_u32.cast_signed();
pub(crate) const STATUS_WDF_OBJECT_ATTRIBUTES_INVALID: NtStatus = 0xC020_0209_u32.cast_signed();
pub(crate) const STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL: NtStatus = 0xC020_020C_u32.cast_signed();
pub(crate) const STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED: NtStatus = 0xC020_020F_u32.cast_signed();
pub(crate) const STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID: NtStatus = 0xC020_0210_u32.cast_signed();
pub(crate) const STATUS_WDF_EXECUTION_LEVEL_INVALID: NtStatus = 0xC020_0211_u32.cast_signed();
pub(crate) const STATUS_WDF_PARENT_NOT_SPECIFIED: NtStatus = 0xC020_0212_u32.cast_signed();

/// `UNICODE_STRING`: 16-bit characters, counted in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct UNICODE_STRING {
    pub(crate) Length: u16,
    pub(crate) MaximumLength: u16,
    pub(crate) Buffer: *mut u16,
}

/// `DRIVER_OBJECT`.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct DRIVER_OBJECT {
    pub(crate) Type: i16,
    pub(crate) Size: i16,
    pub(crate) DeviceObject: *mut c_void,
    pub(crate) Flags: u32,
    pub(crate) DriverStart: *mut c_void,
    pub(crate) DriverSize: u32,
    pub(crate) DriverSection: *mut c_void,
    pub(crate) DriverExtension: *mut DRIVER_EXTENSION,
    pub(crate) DriverName: UNICODE_STRING,
    pub(crate) HardwareDatabase: *mut UNICODE_STRING,
    pub(crate) FastIoDispatch: *mut c_void,
    pub(crate) DriverInit: *const c_void,
    pub(crate) DriverStartIo: *const c_void,
    pub(crate) DriverUnload: *const c_void,
    pub(crate) MajorFunction: [*const c_void; 28],
}

/// The beginning of `DRIVER_EXTENSION`.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct DRIVER_EXTENSION {
    pub(crate) DriverObject: *mut DRIVER_OBJECT,
    pub(crate) AddDevice: *const c_void,
    pub(crate) Count: u32,
    pub(crate) ServiceKeyName: UNICODE_STRING,
}

const _: () = assert!(size_of::<UNICODE_STRING>() == 0x10);
const _: () = assert!(size_of::<DRIVER_OBJECT>() == 0x150);
const _: () = assert!(offset_of!(DRIVER_OBJECT, DriverExtension) == 0x30);
const _: () = assert!(offset_of!(DRIVER_OBJECT, DriverInit) == 0x58);
const _: () = assert!(offset_of!(DRIVER_OBJECT, DriverUnload) == 0x68);
const _: () = assert!(offset_of!(DRIVER_EXTENSION, AddDevice) == 0x08);

/// Returns `true` if a status is an error and no warning: `NT_ERROR`.
pub(crate) fn is_error(status: NtStatus) -> bool {
    status.cast_unsigned() >> 30 == 3
}

/// Returns `true` if a status is a warning or an error: no `NT_SUCCESS`.
pub(crate) fn failed(status: NtStatus) -> bool {
    status < 0
}
