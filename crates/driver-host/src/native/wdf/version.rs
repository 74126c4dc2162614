//! The version of the framework.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::irql::PASSIVE_LEVEL;

use super::checks::check_size;
use super::object::{self, Kind};
use super::{Handle, check_irql, string, violation};
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};
use crate::native::kernel::points;

/// The version of KMDF whose functions there are.
pub(super) const MAJOR: u32 = 1;
pub(super) const MINOR: u32 = 33;

/// `WDF_DRIVER_VERSION_AVAILABLE_PARAMS`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    size: u32,
    major: u32,
    minor: u32,
}

fn check_driver(driver: Handle) {
    check_irql(PASSIVE_LEVEL);
    if !matches!(object::kind(driver), Some(Kind::Driver)) {
        violation(format_args!("{driver:p} is not the driver"));
    }
}

/// `WdfDriverIsVersionAvailable`.
pub(crate) unsafe extern "win64" fn is_available(
    _globals: *const c_void,
    driver: Handle,
    wanted: *const Wanted,
) -> u8 {
    check_driver(driver);
    if wanted.is_null() {
        violation("the version is null");
    }
    // SAFETY: the driver passes a version.
    let wanted = unsafe { wanted.read() };
    let function = "WdfDriverIsVersionAvailable";
    if check_size(function, wanted.size, size_of::<Wanted>(), "version").is_err() {
        return 0;
    }
    (wanted.major == MAJOR && wanted.minor <= MINOR).into()
}

/// `WdfDriverRetrieveVersionString`. The build is 0.
pub(crate) extern "win64" fn retrieve(
    _globals: *const c_void,
    driver: Handle,
    output: Handle,
) -> NtStatus {
    check_driver(driver);
    let output = string::find(output);
    if let Err(status) = points::may_fail() {
        return status;
    }
    let text = format!("Kernel Mode Driver Framework version {MAJOR}.{MINOR}.0");
    output.set(text.encode_utf16());
    STATUS_SUCCESS
}
