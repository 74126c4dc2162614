//! Objects of KMDF that the sample does not use.

use core::ptr;

use wdk_sys::{
    _POOL_TYPE, _WDF_DRIVER_INIT_FLAGS, NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, ULONG,
    WDF_DRIVER_CONFIG, WDF_NO_OBJECT_ATTRIBUTES, WDFCOLLECTION, WDFDRIVER, WDFMEMORY, WDFOBJECT,
    WDFSTRING, WDFWAITLOCK, call_unsafe_wdf_function_binding,
};

use crate::succeed;

/// Creates the driver object of a driver without devices.
pub unsafe fn create(
    driver: PDRIVER_OBJECT,
    registry_path: PCUNICODE_STRING,
) -> Result<(), NTSTATUS> {
    let mut config = WDF_DRIVER_CONFIG {
        Size: size_of::<WDF_DRIVER_CONFIG>() as ULONG,
        DriverInitFlags: _WDF_DRIVER_INIT_FLAGS::WdfDriverInitNonPnpDriver as ULONG,
        ..WDF_DRIVER_CONFIG::default()
    };
    let mut handle: WDFDRIVER = ptr::null_mut();
    // SAFETY: the arguments are those of the entry point, and locals.
    succeed(unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDriverCreate,
            driver,
            registry_path,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut config,
            &raw mut handle,
        )
    })
}

/// A lock, memory, a string and a collection of the two.
pub unsafe fn objects() -> Result<(), NTSTATUS> {
    let mut lock: WDFWAITLOCK = ptr::null_mut();
    let mut memory: WDFMEMORY = ptr::null_mut();
    let mut string: WDFSTRING = ptr::null_mut();
    let mut collection: WDFCOLLECTION = ptr::null_mut();
    // SAFETY: the objects are created before they are used, and deleted once.
    unsafe {
        succeed(call_unsafe_wdf_function_binding!(
            WdfWaitLockCreate,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut lock
        ))?;
        succeed(call_unsafe_wdf_function_binding!(
            WdfMemoryCreate,
            WDF_NO_OBJECT_ATTRIBUTES,
            _POOL_TYPE::NonPagedPoolNx,
            u32::from_le_bytes(*b"ntap"),
            64,
            &raw mut memory,
            ptr::null_mut()
        ))?;
        succeed(call_unsafe_wdf_function_binding!(
            WdfStringCreate,
            ptr::null(),
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut string
        ))?;
        succeed(call_unsafe_wdf_function_binding!(
            WdfCollectionCreate,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut collection
        ))?;
        succeed(call_unsafe_wdf_function_binding!(
            WdfWaitLockAcquire,
            lock,
            ptr::null_mut()
        ))?;
        let added =
            call_unsafe_wdf_function_binding!(WdfCollectionAdd, collection, string as WDFOBJECT);
        call_unsafe_wdf_function_binding!(WdfWaitLockRelease, lock);
        for object in [
            collection as WDFOBJECT,
            string as WDFOBJECT,
            memory as WDFOBJECT,
            lock as WDFOBJECT,
        ] {
            call_unsafe_wdf_function_binding!(WdfObjectDelete, object);
        }
        succeed(added)
    }
}
