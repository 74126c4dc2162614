//! `WDFLDR.SYS`: how a driver and the framework come together.
// UNSAFETY: structures of the driver's entry stub.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::slice;

use super::driver;
use super::image;
use super::layout::{WDF_BIND_INFO, WDF_BIND_INFO2, WDF_DRIVER_GLOBALS};
use super::refuse;
use super::version::MINOR;
use crate::kmdf::{COUNT, LAST_COPIED, OLDER_COUNTS};
use crate::native::kernel::nt::{
    DRIVER_OBJECT, NtStatus, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER,
    STATUS_REVISION_MISMATCH, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::points;
use crate::native::kernel::text;

const FUNCTION: &str = "WdfVersionBind";

pub(crate) unsafe extern "win64" fn bind(
    _driver: *mut DRIVER_OBJECT,
    registry_path: *const UNICODE_STRING,
    info: *const WDF_BIND_INFO,
    globals: *mut *mut WDF_DRIVER_GLOBALS,
) -> NtStatus {
    if registry_path.is_null() || info.is_null() || globals.is_null() {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "an argument is null");
    }
    // SAFETY: the structure is valid; the driver guarantees it.
    let value = unsafe { info.read() };
    // SAFETY: the name in it is valid; the driver guarantees it.
    let component = unsafe { text::units(value.Component, Some(64)) };
    if let Err((status, why)) = check(value, &String::from_utf16_lossy(&component)) {
        return refuse(FUNCTION, status, why);
    }
    if let Err(status) = points::may_fail() {
        return status;
    }
    let image = image();
    if std::mem::replace(&mut image.framework().lock().bound, true) {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "it is bound already");
    }
    // SAFETY: the table has room for as many functions as it says, or is one pointer.
    unsafe { fill(value, image.framework().table()) };
    if value.Size as usize == size_of::<WDF_BIND_INFO2>() {
        // SAFETY: the size says that this is the newer structure.
        let newer = unsafe { info.cast::<WDF_BIND_INFO2>().read() };
        // SAFETY: the outputs in it are valid; the driver guarantees it.
        unsafe { answer_newer(newer) };
    }
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { globals.write(image.framework().globals.address()) };
    STATUS_SUCCESS
}

/// The checks of the framework's side.
fn check(info: WDF_BIND_INFO, component: &str) -> Result<(), (NtStatus, String)> {
    let sizes = [size_of::<WDF_BIND_INFO>(), size_of::<WDF_BIND_INFO2>()];
    if !sizes.contains(&(info.Size as usize)) {
        return Err((
            STATUS_INFO_LENGTH_MISMATCH,
            format!("the Size is {:#x}", info.Size),
        ));
    }
    if component != "KmdfLibrary" {
        return Err((
            STATUS_INVALID_PARAMETER,
            format!("the component is `{component}`"),
        ));
    }
    if info.Major != 1 || info.Minor > MINOR {
        let text = format!(
            "it wants KMDF {}.{}; this is 1.{MINOR}",
            info.Major, info.Minor
        );
        return Err((STATUS_REVISION_MISMATCH, text));
    }
    if info.FuncTable.is_null() {
        return Err((STATUS_INVALID_PARAMETER, "there is no table".to_owned()));
    }
    let count = info.FuncCount as usize;
    if count != COUNT && !OLDER_COUNTS.contains(&count) {
        return Err((
            STATUS_INVALID_PARAMETER,
            format!("no release has {count} functions"),
        ));
    }
    Ok(())
}

/// # Safety
///
/// `FuncTable` is the address of a pointer, or for an old release of as many as it says.
unsafe fn fill(info: WDF_BIND_INFO, table: &[usize]) {
    let count = info.FuncCount as usize;
    if count > LAST_COPIED {
        let pointer = info.FuncTable.cast::<*const usize>();
        // SAFETY: the pointer is valid; the driver guarantees it.
        unsafe { pointer.write(table.as_ptr()) };
    } else {
        // SAFETY: the table is valid; the driver guarantees it.
        let theirs = unsafe { slice::from_raw_parts_mut(info.FuncTable.cast::<usize>(), count) };
        theirs.copy_from_slice(&table[..count]);
    }
}

/// Tells a newer driver that this framework is not older than it.
///
/// # Safety
///
/// The outputs are null or valid for writes.
unsafe fn answer_newer(info: WDF_BIND_INFO2) {
    if !info.ClientVersionHigherThanFramework.is_null() {
        // SAFETY: the output is valid; the driver guarantees it.
        unsafe { info.ClientVersionHigherThanFramework.write(0) };
    }
    if !info.FuncCountPtr.is_null() {
        // SAFETY: the output is valid; the driver guarantees it.
        unsafe { info.FuncCountPtr.write(COUNT as u32) };
    }
}

pub(crate) extern "win64" fn unbind(
    _registry_path: *const UNICODE_STRING,
    _info: *const c_void,
    globals: *const WDF_DRIVER_GLOBALS,
) {
    let image = image();
    if globals != image.framework().globals.address().cast_const() {
        refuse(
            "WdfVersionUnbind",
            STATUS_INVALID_PARAMETER,
            "these are not its globals",
        );
        return;
    }
    if !image.framework().lock().bound {
        refuse(
            "WdfVersionUnbind",
            STATUS_INVALID_PARAMETER,
            "it is not bound",
        );
        return;
    }
    driver::delete(&image);
    image.framework().lock().bound = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> WDF_BIND_INFO {
        WDF_BIND_INFO {
            Size: 0x30,
            Component: std::ptr::null(),
            Major: 1,
            Minor: 31,
            Build: 0,
            FuncCount: 458,
            FuncTable: std::ptr::dangling_mut(),
            Module: std::ptr::null_mut(),
        }
    }

    #[test]
    fn wrong_bind_structures_are_refused() {
        let component = "KmdfLibrary";
        assert_eq!(check(info(), component), Ok(()));
        let status = |info, component| check(info, component).unwrap_err().0;
        assert_eq!(
            status(
                WDF_BIND_INFO {
                    Size: 0x40,
                    ..info()
                },
                component
            ),
            STATUS_INFO_LENGTH_MISMATCH
        );
        assert_eq!(
            status(
                WDF_BIND_INFO {
                    Minor: 34,
                    ..info()
                },
                component
            ),
            STATUS_REVISION_MISMATCH
        );
        for wrong in [
            WDF_BIND_INFO {
                FuncCount: 457,
                ..info()
            },
            WDF_BIND_INFO {
                FuncTable: std::ptr::null_mut(),
                ..info()
            },
        ] {
            assert_eq!(status(wrong, component), STATUS_INVALID_PARAMETER);
        }
        assert_eq!(status(info(), "UmdfLibrary"), STATUS_INVALID_PARAMETER);
    }
}
