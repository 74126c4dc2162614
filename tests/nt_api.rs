//! What the set-up's headers and libraries are good for: `cross/ntapi` calls ordinary functions, and its
//! image imports what it calls, from the modules that export it.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use driver_host::facts::Facts;
use images::fixture;

/// The functions that `cross/ntapi` calls, and those that its allocator and its panic handler call.
const KERNEL: &str = "DbgPrintEx ExAcquirePushLockExclusiveEx ExAcquireRundownProtection \
    ExAllocatePool2 ExAllocateTimer ExDeleteTimer ExFreePoolWithTag ExInitializePushLock \
    ExInitializeRundownProtection ExReleasePushLockExclusiveEx ExReleaseRundownProtection ExSetTimer \
    ExUuidCreate IoAllocateIrp IoAllocateMdl IoAllocateWorkItem IoFreeIrp IoFreeMdl IoFreeWorkItem \
    IoGetCurrentProcess IoQueueWorkItem IoReuseIrp KeAcquireSpinLockRaiseToDpc KeBugCheckEx \
    KeCancelTimer KeClearEvent KeDelayExecutionThread KeEnterCriticalRegion KeFlushQueuedDpcs \
    KeGetCurrentIrql KeInitializeDpc KeInitializeEvent KeInitializeMutex KeInitializeTimerEx \
    KeLeaveCriticalRegion KeQuerySystemTimePrecise KeReleaseMutex KeReleaseSpinLock KeSetEvent \
    KeSetTimer KeWaitForSingleObject MmBuildMdlForNonPagedPool ObReferenceObjectByHandle \
    ObfDereferenceObject PsCreateSystemThread PsGetProcessStartKey PsTerminateSystemThread \
    RtlCompareUnicodeString RtlGetVersion RtlInitUnicodeString RtlIntegerToUnicodeString \
    RtlUnicodeStringToInteger ZwClose ZwOpenKey ZwQueryValueKey";

#[test]
#[ignore = "needs a driver built for Windows: run `cargo xtask test`"]
fn an_image_imports_the_functions_that_its_driver_calls() {
    let bytes = std::fs::read(fixture("ntapi")).unwrap();
    let facts = Facts::read(&bytes).unwrap();
    let imports = facts.imports();
    let kernel: Vec<&str> = KERNEL.split(' ').collect();
    assert_eq!(imports["ntoskrnl.exe"], kernel);
    assert_eq!(imports["HAL.dll"], ["KeQueryPerformanceCounter"]);
    assert_eq!(
        imports["WDFLDR.SYS"],
        ["WdfVersionBind", "WdfVersionUnbind"]
    );
    assert_eq!(imports.len(), 3);
}

/// The documentation shows the declaration with which the driver imports a function that no list has.
#[test]
fn the_way_to_add_a_function_is_that_of_the_driver() {
    let source = include_str!("../cross/ntapi/src/added.rs");
    let from = source.find("#[link(").unwrap();
    let declaration = &source[from..=from + source[from..].find("\n}").unwrap() + 1];
    assert!(declaration.contains("fn PsGetProcessStartKey("));
    assert!(include_str!("../docs/building.md").contains(declaration));
}
