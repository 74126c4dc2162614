//! Functions that neither the headers nor the lists of exports have, declared by the driver.

use wdk_sys::ntddk::IoGetCurrentProcess;
use wdk_sys::{PEPROCESS, ULONGLONG};

// The linker makes the import from this, without a library; the name of the module is the import's.
#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    /// Windows 10, version 1803.
    fn PsGetProcessStartKey(process: PEPROCESS) -> ULONGLONG;
}

#[cfg(feature = "unlisted")]
unsafe extern "system" {
    fn KeMakeCoffee();
}

/// A number for the process.
pub unsafe fn start_key() -> ULONGLONG {
    #[cfg(feature = "unlisted")]
    // SAFETY: the driver with this feature is not linked.
    unsafe {
        KeMakeCoffee();
    }
    // SAFETY: the current process lives as long as the call.
    unsafe { PsGetProcessStartKey(IoGetCurrentProcess()) }
}
