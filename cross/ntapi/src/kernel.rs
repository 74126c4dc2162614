//! Ordinary functions of the kernel, a few of each kind.

use core::ffi::c_void;
use core::ptr;

use wdk_sys::ntddk::*;
use wdk_sys::*;

use crate::succeed;

const TAG: ULONG = u32::from_le_bytes(*b"ntap");

/// One millisecond from now, in units of 100 ns.
const SOON: LARGE_INTEGER = LARGE_INTEGER { QuadPart: -10_000 };

/// An event, waited for with a time-out, and a delay.
pub unsafe fn events() -> Result<(), NTSTATUS> {
    let mut event = KEVENT::default();
    let mut soon = SOON;
    // SAFETY: the event is initialized before it is used, and lives on this stack.
    unsafe {
        KeInitializeEvent(&raw mut event, _EVENT_TYPE::NotificationEvent, 0);
        KeSetEvent(&raw mut event, 0, 0);
        let object = (&raw mut event).cast();
        let waited = KeWaitForSingleObject(object, _KWAIT_REASON::Executive, 0, 0, &raw mut soon);
        KeClearEvent(&raw mut event);
        succeed(waited)?;
        succeed(KeDelayExecutionThread(0, 0, &raw mut soon))
    }
}

/// The time, the performance counter, the version and a new identifier.
pub unsafe fn clocks() {
    let mut time = LARGE_INTEGER::default();
    let mut version = RTL_OSVERSIONINFOW {
        dwOSVersionInfoSize: size_of::<RTL_OSVERSIONINFOW>() as ULONG,
        ..RTL_OSVERSIONINFOW::default()
    };
    let mut identifier = UUID::default();
    // SAFETY: the outputs live on this stack.
    unsafe {
        KeQuerySystemTimePrecise(&raw mut time);
        let _ = KeQueryPerformanceCounter(ptr::null_mut());
        let _ = RtlGetVersion(&raw mut version);
        let _ = ExUuidCreate(&raw mut identifier);
        let level = ULONG::from(KeGetCurrentIrql());
        DbgPrintEx(
            77,
            3,
            c"level %u, build %u\n".as_ptr(),
            level,
            version.dwBuildNumber,
        );
    }
}

/// A number as text, and back.
pub unsafe fn strings() -> Result<(), NTSTATUS> {
    let mut buffer = [0u16; 16];
    let mut text = UNICODE_STRING {
        Length: 0,
        MaximumLength: 32,
        Buffer: buffer.as_mut_ptr(),
    };
    let expected = [b'4' as u16, b'2' as u16, 0];
    let (mut other, mut number) = (UNICODE_STRING::default(), 0);
    // SAFETY: the strings are counted or terminated, and live on this stack.
    unsafe {
        RtlInitUnicodeString(&raw mut other, expected.as_ptr());
        succeed(RtlIntegerToUnicodeString(42, 10, &raw mut text))?;
        succeed(RtlUnicodeStringToInteger(
            &raw const text,
            10,
            &raw mut number,
        ))?;
        match RtlCompareUnicodeString(&raw const text, &raw const other, 1) {
            0 => Ok(()),
            _ => Err(STATUS_UNSUCCESSFUL),
        }
    }
}

/// The driver's own key.
pub unsafe fn registry(path: PCUNICODE_STRING) -> Result<(), NTSTATUS> {
    let mut attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as ULONG,
        ObjectName: path.cast_mut(),
        Attributes: OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
        ..OBJECT_ATTRIBUTES::default()
    };
    let mut key: HANDLE = ptr::null_mut();
    let mut name = UNICODE_STRING::default();
    let (text, mut length) = ([b'T' as u16, b'y' as u16, b'p' as u16, b'e' as u16, 0], 0);
    let mut value = [0u64; 8];
    // SAFETY: the key is closed once, and the outputs live on this stack.
    unsafe {
        succeed(ZwOpenKey(&raw mut key, KEY_READ, &raw mut attributes))?;
        RtlInitUnicodeString(&raw mut name, text.as_ptr());
        let partial = _KEY_VALUE_INFORMATION_CLASS::KeyValuePartialInformation;
        let output = value.as_mut_ptr().cast();
        let size = size_of_val(&value) as ULONG;
        let status = ZwQueryValueKey(key, &raw mut name, partial, output, size, &raw mut length);
        let _ = ZwClose(key);
        succeed(status)
    }
}

unsafe extern "C" fn thread(_context: *mut c_void) {
    // SAFETY: a system thread ends itself, at PASSIVE_LEVEL.
    let _ = unsafe { PsTerminateSystemThread(STATUS_SUCCESS) };
}

/// A thread that is waited for.
pub unsafe fn threads() -> Result<(), NTSTATUS> {
    let (mut handle, mut object): (HANDLE, PVOID) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the handle is closed once, and the reference to the thread released once.
    unsafe {
        succeed(PsCreateSystemThread(
            &raw mut handle,
            THREAD_ALL_ACCESS,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            Some(thread),
            ptr::null_mut(),
        ))?;
        let mode = _MODE::KernelMode as KPROCESSOR_MODE;
        let (any, none) = (ptr::null_mut(), ptr::null_mut());
        let referenced = ObReferenceObjectByHandle(handle, 0, any, mode, &raw mut object, none);
        let _ = ZwClose(handle);
        succeed(referenced)?;
        let forever = ptr::null_mut();
        let _ = KeWaitForSingleObject(object, _KWAIT_REASON::Executive, 0, 0, forever);
        ObfDereferenceObject(object);
    }
    Ok(())
}

unsafe extern "C" fn deferred(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {}

unsafe extern "C" fn expired(_timer: PEX_TIMER, _context: *mut c_void) {}

/// A timer with a deferred procedure call, and one of the newer kind.
pub unsafe fn timers() -> Result<(), NTSTATUS> {
    let (mut timer, mut dpc) = (KTIMER::default(), KDPC::default());
    // SAFETY: the timers are stopped, and their calls over, before they go.
    unsafe {
        KeInitializeTimerEx(&raw mut timer, _TIMER_TYPE::NotificationTimer);
        KeInitializeDpc(&raw mut dpc, Some(deferred), ptr::null_mut());
        KeSetTimer(&raw mut timer, SOON, &raw mut dpc);
        KeCancelTimer(&raw mut timer);
        KeFlushQueuedDpcs();
        let timer = ExAllocateTimer(Some(expired), ptr::null_mut(), 0);
        if timer.is_null() {
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        ExSetTimer(timer, SOON.QuadPart, 0, ptr::null_mut());
        ExDeleteTimer(timer, 1, 1, ptr::null_mut());
    }
    Ok(())
}

unsafe extern "C" fn work(_device: PDEVICE_OBJECT, item: *mut c_void) {
    // SAFETY: the item is not in the queue any more, and is freed once.
    unsafe { IoFreeWorkItem(item.cast()) };
}

/// A work item that frees itself.
pub unsafe fn work_items(device: PDEVICE_OBJECT) {
    if device.is_null() {
        return;
    }
    // SAFETY: the device object is that of a driver that is being loaded.
    unsafe {
        let item = IoAllocateWorkItem(device);
        if !item.is_null() {
            let queue = _WORK_QUEUE_TYPE::DelayedWorkQueue;
            IoQueueWorkItem(item, Some(work), queue, item.cast());
        }
    }
}

/// Memory from pool, described by an MDL.
pub unsafe fn memory() -> Result<(), NTSTATUS> {
    // SAFETY: the memory and its description are freed once, the description first.
    unsafe {
        let block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 256, TAG);
        if block.is_null() {
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        let mdl = IoAllocateMdl(block, 256, 0, 0, ptr::null_mut());
        if !mdl.is_null() {
            MmBuildMdlForNonPagedPool(mdl);
            IoFreeMdl(mdl);
        }
        ExFreePoolWithTag(block, TAG);
    }
    Ok(())
}

/// A request of the driver's own, for the stack of its device.
pub unsafe fn requests(device: PDEVICE_OBJECT) {
    if device.is_null() {
        return;
    }
    // SAFETY: the request is freed once, and never sent; the layout of the device object is Windows'.
    unsafe {
        let irp = IoAllocateIrp((*device).StackSize, 0);
        if !irp.is_null() {
            IoReuseIrp(irp, STATUS_SUCCESS);
            IoFreeIrp(irp);
        }
    }
}

/// A push lock, a spin lock, a mutex and rundown protection.
pub unsafe fn locks() {
    let (mut push, mut spin) = (0, 0);
    let (mut mutex, mut rundown) = (KMUTANT::default(), EX_RUNDOWN_REF::default());
    // SAFETY: each lock is initialized before it is used, released once, and lives on this stack.
    unsafe {
        ExInitializePushLock(&raw mut push);
        KeEnterCriticalRegion();
        ExAcquirePushLockExclusiveEx(&raw mut push, EX_DEFAULT_PUSH_LOCK_FLAGS);
        ExReleasePushLockExclusiveEx(&raw mut push, EX_DEFAULT_PUSH_LOCK_FLAGS);
        KeLeaveCriticalRegion();
        let before = KeAcquireSpinLockRaiseToDpc(&raw mut spin);
        KeReleaseSpinLock(&raw mut spin, before);
        KeInitializeMutex(&raw mut mutex, 0);
        let object = (&raw mut mutex).cast();
        let _ = KeWaitForSingleObject(object, _KWAIT_REASON::Executive, 0, 0, ptr::null_mut());
        KeReleaseMutex(&raw mut mutex, 0);
        ExInitializeRundownProtection(&raw mut rundown);
        if ExAcquireRundownProtection(&raw mut rundown) != 0 {
            ExReleaseRundownProtection(&raw mut rundown);
        }
    }
}
