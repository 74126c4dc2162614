//! Calls ordinary functions, as drivers do: `kernel` those of the kernel, `framework` those of KMDF, and
//! `added` one that the headers do not have.
#![no_std]

mod added;
mod framework;
mod kernel;

use wdk_alloc::WdkAllocator;
use wdk_panic as _;
use wdk_sys::{NT_SUCCESS, NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, STATUS_SUCCESS};

#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// Returns a failure that a call has answered.
fn succeed(status: NTSTATUS) -> Result<(), NTSTATUS> {
    if NT_SUCCESS(status) {
        Ok(())
    } else {
        Err(status)
    }
}

/// Called by the framework's entry point.
///
/// # Safety
///
/// Windows calls it, once, at `PASSIVE_LEVEL`, with its driver object and the path of its key.
#[unsafe(export_name = "DriverEntry")]
pub unsafe extern "system" fn driver_entry(
    driver: PDRIVER_OBJECT,
    registry_path: PCUNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the arguments are those that Windows passed, at PASSIVE_LEVEL.
    match unsafe { all(driver, registry_path) } {
        Ok(()) => STATUS_SUCCESS,
        Err(status) => status,
    }
}

unsafe fn all(driver: PDRIVER_OBJECT, registry_path: PCUNICODE_STRING) -> Result<(), NTSTATUS> {
    // SAFETY: the arguments are those of the entry point, at PASSIVE_LEVEL.
    unsafe {
        framework::create(driver, registry_path)?;
        framework::objects()?;
        kernel::events()?;
        kernel::clocks();
        kernel::strings()?;
        kernel::registry(registry_path)?;
        kernel::threads()?;
        kernel::timers()?;
        kernel::work_items((*driver).DeviceObject);
        kernel::memory()?;
        kernel::requests((*driver).DeviceObject);
        kernel::locks();
        added::start_key();
    }
    Ok(())
}
