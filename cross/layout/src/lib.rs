//! The layout of everything that a driver and Windows hand each other, asserted when a driver is
//! compiled on Linux: it guards the headers that the set-up lays out against the published
//! layouts of the kernel and of KMDF 1.31, and `nmr-sys` against the headers.
//!
//! It holds for x64 and ARM64 alike.
#![cfg(windows)]
#![no_std]

use wdk_sys::{
    _WDF_EXECUTION_LEVEL, _WDF_SYNCHRONIZATION_SCOPE, _WDFFUNCENUM, DRIVER_OBJECT, GUID, NTSTATUS,
    PFN_WDFDEVICECREATE, PFN_WDFDRIVERCREATE, POOL_FLAGS, UNICODE_STRING, WDF_DRIVER_CONFIG,
    WDF_DRIVER_GLOBALS, WDF_FILEOBJECT_CONFIG, WDF_IO_QUEUE_CONFIG, WDF_OBJECT_ATTRIBUTES,
    WDF_OBJECT_CONTEXT_TYPE_INFO, WDF_REQUEST_PARAMETERS, WDF_TIMER_CONFIG, WDF_WORKITEM_CONFIG,
    WDFDEVICE, WDFDRIVER, WDFFUNC,
};

/// Asserts the size and every offset of one structure.
macro_rules! layout {
    ($type:ident: size $size:literal { $($field:ident @ $offset:literal),* $(,)? }) => {
        const _: () = {
            assert!(size_of::<$type>() == $size);
            $(assert!(core::mem::offset_of!($type, $field) == $offset);)*
        };
    };
}

mod framework;
mod nt;

layout!(UNICODE_STRING: size 0x10 {
    Length @ 0, MaximumLength @ 2, Buffer @ 8,
});
layout!(DRIVER_OBJECT: size 0x150 {
    Type @ 0, Size @ 2, DeviceObject @ 0x08, Flags @ 0x10, DriverStart @ 0x18, DriverSize @ 0x20,
    DriverSection @ 0x28, DriverExtension @ 0x30, DriverName @ 0x38, HardwareDatabase @ 0x48,
    FastIoDispatch @ 0x50, DriverInit @ 0x58, DriverStartIo @ 0x60, DriverUnload @ 0x68,
    MajorFunction @ 0x70,
});
layout!(WDF_DRIVER_GLOBALS: size 0x38 {
    Driver @ 0, DriverFlags @ 0x08, DriverTag @ 0x0c, DriverName @ 0x10,
    DisplaceDriverUnload @ 0x30,
});
layout!(WDF_DRIVER_CONFIG: size 0x20 {
    Size @ 0, EvtDriverDeviceAdd @ 0x08, EvtDriverUnload @ 0x10, DriverInitFlags @ 0x18,
    DriverPoolTag @ 0x1c,
});
layout!(WDF_OBJECT_ATTRIBUTES: size 0x38 {
    Size @ 0, EvtCleanupCallback @ 0x08, EvtDestroyCallback @ 0x10, ExecutionLevel @ 0x18,
    SynchronizationScope @ 0x1c, ParentObject @ 0x20, ContextSizeOverride @ 0x28,
    ContextTypeInfo @ 0x30,
});
layout!(WDF_OBJECT_CONTEXT_TYPE_INFO: size 0x28 {
    Size @ 0, ContextName @ 0x08, ContextSize @ 0x10, UniqueType @ 0x18,
    EvtDriverGetUniqueContextType @ 0x20,
});
layout!(WDF_TIMER_CONFIG: size 0x28 {
    Size @ 0, EvtTimerFunc @ 0x08, Period @ 0x10, AutomaticSerialization @ 0x14,
    TolerableDelay @ 0x18, UseHighResolutionTimer @ 0x20,
});
layout!(WDF_WORKITEM_CONFIG: size 0x18 {
    Size @ 0, EvtWorkItemFunc @ 0x08, AutomaticSerialization @ 0x10,
});
layout!(WDF_FILEOBJECT_CONFIG: size 0x28 {
    Size @ 0, EvtDeviceFileCreate @ 0x08, EvtFileClose @ 0x10, EvtFileCleanup @ 0x18,
    AutoForwardCleanupClose @ 0x20, FileObjectClass @ 0x24,
});
layout!(WDF_IO_QUEUE_CONFIG: size 0x60 {
    Size @ 0, DispatchType @ 0x04, PowerManaged @ 0x08, AllowZeroLengthRequests @ 0x0c,
    DefaultQueue @ 0x0d, EvtIoDefault @ 0x10, EvtIoRead @ 0x18, EvtIoWrite @ 0x20,
    EvtIoDeviceControl @ 0x28, EvtIoInternalDeviceControl @ 0x30, EvtIoStop @ 0x38,
    EvtIoResume @ 0x40, EvtIoCanceledOnQueue @ 0x48, Settings @ 0x50, Driver @ 0x58,
});
layout!(WDF_REQUEST_PARAMETERS: size 0x28 {
    Size @ 0, MinorFunction @ 0x02, Type @ 0x04, Parameters @ 0x08,
});

// What is passed and returned by value.
const _: () = assert!(size_of::<NTSTATUS>() == 4 && size_of::<POOL_FLAGS>() == 8);
const _: () = assert!(size_of::<WDFDRIVER>() == 8 && size_of::<WDFDEVICE>() == 8);
const _: () = assert!(size_of::<WDFFUNC>() == 8);
const _: () = assert!(size_of::<PFN_WDFDRIVERCREATE>() == 8);
const _: () = assert!(size_of::<PFN_WDFDEVICECREATE>() == 8);
const _: () = assert!(size_of::<_WDF_EXECUTION_LEVEL::Type>() == 4);
const _: () = assert!(size_of::<_WDF_SYNCHRONIZATION_SCOPE::Type>() == 4);

// What nmr-sys and the headers both declare.
const _: () = assert!(size_of::<nmr_sys::NTSTATUS>() == size_of::<NTSTATUS>());
const _: () = assert!(size_of::<nmr_sys::GUID>() == size_of::<GUID>());
const _: () = assert!(align_of::<nmr_sys::GUID>() == align_of::<GUID>());

// The places in the function table, and its length in KMDF 1.31.
const _: () = assert!(_WDFFUNCENUM::WdfDeviceCreateTableIndex == 75);
const _: () = assert!(_WDFFUNCENUM::WdfDriverCreateTableIndex == 116);
const _: () = assert!(_WDFFUNCENUM::WdfObjectGetTypedContextWorkerTableIndex == 202);
const _: () = assert!(_WDFFUNCENUM::WdfDeviceInitSetFileObjectConfigTableIndex == 71);
const _: () = assert!(_WDFFUNCENUM::WdfDeviceCreateDeviceInterfaceTableIndex == 77);
const _: () = assert!(_WDFFUNCENUM::WdfIoQueueCreateTableIndex == 152);
const _: () = assert!(_WDFFUNCENUM::WdfRequestCompleteWithInformationTableIndex == 265);
const _: () = assert!(_WDFFUNCENUM::WdfRequestRetrieveOutputBufferTableIndex == 270);
const _: () = assert!(_WDFFUNCENUM::WdfSpinLockCreateTableIndex == 315);
const _: () = assert!(_WDFFUNCENUM::WdfTimerStopTableIndex == 320);
const _: () = assert!(_WDFFUNCENUM::WdfWorkItemFlushTableIndex == 382);
const _: () = assert!(_WDFFUNCENUM::WdfFunctionTableNumEntries == 458);

// What is not a failure here must be none there.
const _: () = assert!(nmr_sys::STATUS_SUCCESS == wdk_sys::STATUS_SUCCESS);
const _: () = assert!(nmr_sys::STATUS_PENDING == wdk_sys::STATUS_PENDING);
const _: () = assert!(nmr_sys::STATUS_NOINTERFACE == wdk_sys::STATUS_NOINTERFACE);
const _: () = assert!(nmr_sys::STATUS_INVALID_PARAMETER == wdk_sys::STATUS_INVALID_PARAMETER);
const _: () =
    assert!(nmr_sys::STATUS_INSUFFICIENT_RESOURCES == wdk_sys::STATUS_INSUFFICIENT_RESOURCES);
