//! Clocks, and the version of Windows: `KeQueryPerformanceCounter`, `KeQuerySystemTimePrecise`,
//! `KeQueryTimeIncrement`, `RtlGetVersion`.
// UNSAFETY: outputs of the image.
#![expect(unsafe_code)]

use std::ptr;

use crate::native::kernel::call::misuse;
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};
use crate::native::kernel::{shared_data, version, wait};

/// How often the counter counts in a second, as on Windows 10 and 11.
const FREQUENCY: i64 = 10_000_000;

pub(crate) unsafe extern "win64" fn performance_counter(frequency: *mut i64) -> i64 {
    if !frequency.is_null() {
        // SAFETY: the driver passes an output or null.
        unsafe { frequency.write(FREQUENCY) };
    }
    wait::interrupt_time().cast_signed()
}

pub(crate) unsafe extern "win64" fn system_time(output: *mut u64) {
    // SAFETY: the driver passes an output.
    unsafe { output.write(wait::system_time()) };
}

pub(crate) extern "win64" fn time_increment() -> u32 {
    shared_data::TICK as u32
}

/// `RTL_OSVERSIONINFOEXW`.
#[repr(C)]
pub(crate) struct VersionInformation {
    size: u32,
    major: u32,
    minor: u32,
    build: u32,
    platform: u32,
    service_pack_name: [u16; 128],
    service_pack: [u16; 2],
    suites: u16,
    product: u8,
    reserved: u8,
}

const _: () = assert!(size_of::<VersionInformation>() == 0x11c);

pub(crate) unsafe extern "win64" fn get_version(output: *mut VersionInformation) -> NtStatus {
    /// `VER_PLATFORM_WIN32_NT`.
    const NT: u32 = 2;
    /// `VER_NT_WORKSTATION`.
    const WORKSTATION: u8 = 1;
    const SHORT: u32 = 0x114;
    const LONG: u32 = 0x11c;
    // SAFETY: the driver passes the structure, which begins with its size.
    let size = unsafe { output.cast::<u32>().read() };
    if ![SHORT, LONG].contains(&size) {
        misuse(format!("the size of the structure is {size:#x}"));
        return STATUS_INVALID_PARAMETER;
    }
    let value = VersionInformation {
        size,
        major: version::MAJOR,
        minor: version::MINOR,
        build: version::BUILD,
        platform: NT,
        service_pack_name: [0; 128],
        service_pack: [0; 2],
        suites: 0,
        product: WORKSTATION,
        reserved: 0,
    };
    let bytes = (&raw const value).cast::<u8>();
    // SAFETY: the structure of the driver has this size, and the longer one begins like the shorter one.
    unsafe { ptr::copy(bytes, output.cast(), size as usize) };
    STATUS_SUCCESS
}
