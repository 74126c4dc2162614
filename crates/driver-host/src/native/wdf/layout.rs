//! The structures that cross the boundary between a driver and KMDF on x64.
#![allow(non_snake_case, non_camel_case_types, reason = "the names are KMDF's")]
// UNSAFETY: the image holds a pointer to its globals and reads them at any time.
#![expect(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::ptr;

use crate::native::wdf::Handle;

/// A callback of the driver, as an address. Zero is none.
pub(super) type Callback = usize;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_BIND_INFO {
    pub(super) Size: u32,
    pub(super) Component: *const u16,
    pub(super) Major: u32,
    pub(super) Minor: u32,
    pub(super) Build: u32,
    pub(super) FuncCount: u32,
    pub(super) FuncTable: *mut c_void,
    pub(super) Module: *mut c_void,
}

/// What newer drivers have after [`WDF_BIND_INFO`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_BIND_INFO2 {
    pub(super) V1: WDF_BIND_INFO,
    pub(super) MinimumVersionRequired: *mut u32,
    pub(super) ClientVersionHigherThanFramework: *mut u8,
    pub(super) FuncCountPtr: *mut u32,
    pub(super) StructCountPtr: *mut u32,
    pub(super) StructTable: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_DRIVER_CONFIG {
    pub(super) Size: u32,
    pub(super) EvtDriverDeviceAdd: Callback,
    pub(super) EvtDriverUnload: Callback,
    pub(super) DriverInitFlags: u32,
    pub(super) DriverPoolTag: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_OBJECT_ATTRIBUTES {
    pub(super) Size: u32,
    pub(super) EvtCleanupCallback: Callback,
    pub(super) EvtDestroyCallback: Callback,
    pub(super) ExecutionLevel: i32,
    pub(super) SynchronizationScope: i32,
    pub(super) ParentObject: Handle,
    pub(super) ContextSizeOverride: usize,
    pub(super) ContextTypeInfo: *const WDF_OBJECT_CONTEXT_TYPE_INFO,
}

// SAFETY: its handle is never followed, and what it says about a context is a constant of the driver.
unsafe impl Send for WDF_OBJECT_ATTRIBUTES {}
// SAFETY: as above.
unsafe impl Sync for WDF_OBJECT_ATTRIBUTES {}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_OBJECT_CONTEXT_TYPE_INFO {
    pub(super) Size: u32,
    pub(super) ContextName: *const c_char,
    pub(super) ContextSize: usize,
    pub(super) UniqueType: *const Self,
    pub(super) EvtDriverGetUniqueContextType: Callback,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_PNPPOWER_EVENT_CALLBACKS {
    pub(super) Size: u32,
    /// In the order of the structure: the places have names in `device`.
    pub(super) Callbacks: [Callback; 17],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_WORKITEM_CONFIG {
    pub(super) Size: u32,
    pub(super) EvtWorkItemFunc: Callback,
    pub(super) AutomaticSerialization: u8,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_DPC_CONFIG {
    pub(super) Size: u32,
    pub(super) EvtDpcFunc: Callback,
    pub(super) AutomaticSerialization: u8,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_TIMER_CONFIG {
    pub(super) Size: u32,
    pub(super) EvtTimerFunc: Callback,
    pub(super) Period: u32,
    pub(super) AutomaticSerialization: u8,
    pub(super) TolerableDelay: u32,
    pub(super) UseHighResolutionTimer: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_FILEOBJECT_CONFIG {
    pub(super) Size: u32,
    pub(super) EvtDeviceFileCreate: Callback,
    pub(super) EvtFileClose: Callback,
    pub(super) EvtFileCleanup: Callback,
    pub(super) AutoForwardCleanupClose: i32,
    pub(super) FileObjectClass: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_IO_QUEUE_CONFIG {
    pub(super) Size: u32,
    pub(super) DispatchType: i32,
    pub(super) PowerManaged: i32,
    pub(super) AllowZeroLengthRequests: u8,
    pub(super) DefaultQueue: u8,
    pub(super) EvtIoDefault: Callback,
    pub(super) EvtIoRead: Callback,
    pub(super) EvtIoWrite: Callback,
    pub(super) EvtIoDeviceControl: Callback,
    pub(super) EvtIoInternalDeviceControl: Callback,
    pub(super) EvtIoStop: Callback,
    pub(super) EvtIoResume: Callback,
    pub(super) EvtIoCanceledOnQueue: Callback,
    /// `Settings.Parallel.NumberOfPresentedRequests`.
    pub(super) NumberOfPresentedRequests: u32,
    pub(super) Driver: Handle,
}

/// `WDF_REQUEST_PARAMETERS`, with the parts of its union that control requests, reads and writes use.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WDF_REQUEST_PARAMETERS {
    pub(super) Size: u16,
    pub(super) MinorFunction: u8,
    pub(super) Type: i32,
    /// `OutputBufferLength`, or `Length` of a read or a write.
    pub(super) Length: usize,
    /// `InputBufferLength`, or `Key`.
    pub(super) InputBufferLength: usize,
    /// `IoControlCode` in the lower half, or `DeviceOffset`.
    pub(super) CodeOrOffset: u64,
    pub(super) Type3InputBuffer: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct WDF_DRIVER_GLOBALS {
    pub(super) Driver: Handle,
    pub(super) DriverFlags: u32,
    pub(super) DriverTag: u32,
    pub(super) DriverName: [u8; 32],
    pub(super) DisplaceDriverUnload: u8,
}

const _: () = assert!(size_of::<WDF_BIND_INFO>() == 0x30);
const _: () = assert!(offset_of!(WDF_BIND_INFO, FuncTable) == 0x20);
const _: () = assert!(size_of::<WDF_BIND_INFO2>() == 0x58);
const _: () = assert!(size_of::<WDF_DRIVER_CONFIG>() == 0x20);
const _: () = assert!(offset_of!(WDF_DRIVER_CONFIG, DriverInitFlags) == 0x18);
const _: () = assert!(size_of::<WDF_OBJECT_ATTRIBUTES>() == 0x38);
const _: () = assert!(offset_of!(WDF_OBJECT_ATTRIBUTES, ParentObject) == 0x20);
const _: () = assert!(size_of::<WDF_OBJECT_CONTEXT_TYPE_INFO>() == 0x28);
const _: () = assert!(size_of::<WDF_PNPPOWER_EVENT_CALLBACKS>() == 0x90);
const _: () = assert!(size_of::<WDF_WORKITEM_CONFIG>() == 0x18);
const _: () = assert!(size_of::<WDF_DPC_CONFIG>() == 0x18);
const _: () = assert!(size_of::<WDF_TIMER_CONFIG>() == 0x28);
const _: () = assert!(offset_of!(WDF_TIMER_CONFIG, TolerableDelay) == 0x18);
const _: () = assert!(size_of::<WDF_FILEOBJECT_CONFIG>() == 0x28);
const _: () = assert!(size_of::<WDF_IO_QUEUE_CONFIG>() == 0x60);
const _: () = assert!(offset_of!(WDF_IO_QUEUE_CONFIG, DefaultQueue) == 0x0d);
const _: () = assert!(offset_of!(WDF_IO_QUEUE_CONFIG, EvtIoDeviceControl) == 0x28);
const _: () = assert!(offset_of!(WDF_IO_QUEUE_CONFIG, NumberOfPresentedRequests) == 0x50);
const _: () = assert!(size_of::<WDF_REQUEST_PARAMETERS>() == 0x28);
const _: () = assert!(offset_of!(WDF_REQUEST_PARAMETERS, Type) == 0x04);
const _: () = assert!(offset_of!(WDF_REQUEST_PARAMETERS, CodeOrOffset) == 0x18);
const _: () = assert!(size_of::<WDF_DRIVER_GLOBALS>() == 0x38);
const _: () = assert!(offset_of!(WDF_DRIVER_GLOBALS, DisplaceDriverUnload) == 0x30);

/// The globals of one driver, at an address that stays.
#[derive(Debug)]
pub(crate) struct Globals(Box<UnsafeCell<WDF_DRIVER_GLOBALS>>);

// SAFETY: this crate writes single fields through raw pointers; the image only reads.
unsafe impl Send for Globals {}
// SAFETY: as above.
unsafe impl Sync for Globals {}

impl Default for Globals {
    fn default() -> Self {
        Self(Box::new(UnsafeCell::new(WDF_DRIVER_GLOBALS {
            Driver: ptr::null_mut(),
            DriverFlags: 0,
            DriverTag: 0,
            DriverName: [0; 32],
            DisplaceDriverUnload: 0,
        })))
    }
}

impl Globals {
    /// The pointer that the driver gets.
    pub(super) fn address(&self) -> *mut WDF_DRIVER_GLOBALS {
        self.0.get()
    }

    /// The tag of the driver's pool.
    pub(super) fn tag(&self) -> u32 {
        // SAFETY: the globals are written by this crate only, before the driver has objects.
        unsafe { (*self.address()).DriverTag }
    }

    /// Sets everything that `WdfDriverCreate` sets.
    pub(super) fn set(&self, driver: Handle, tag: u32, name: &str, displace: bool) {
        let mut value = WDF_DRIVER_GLOBALS {
            Driver: driver,
            DriverFlags: 0,
            DriverTag: tag,
            DriverName: [0; 32],
            DisplaceDriverUnload: displace.into(),
        };
        let name = name.bytes().take(value.DriverName.len() - 1);
        value
            .DriverName
            .iter_mut()
            .zip(name)
            .for_each(|(to, byte)| *to = byte);
        // SAFETY: the image does not read while it is in `WdfDriverCreate` or after its unload.
        unsafe { self.address().write(value) };
    }
}
