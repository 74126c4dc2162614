//! System threads: `PsCreateSystemThread`, `PsTerminateSystemThread`; and references to their objects:
//! `ObReferenceObjectByHandle`, `ObfReferenceObject`, `ObfDereferenceObject`, `PsThreadType`. Threads are waited
//! for like [events](super::event), and `ZwClose` closes their handles.
//!
//! Levels and statuses are those of the pages of these names, `ObReferenceObject` and `ObDereferenceObject`, in
//! Microsoft's reference of `wdm.h`.
// UNSAFETY: outputs of the image, and its thread routines.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use crate::native::crossing;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::frames;
use crate::native::kernel::irql::check_level;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER,
    STATUS_OBJECT_TYPE_MISMATCH, STATUS_SUCCESS,
};
use crate::native::kernel::thread::{self, Thread};
use crate::native::kernel::{points, runner, wait, work};

/// `OBJECT_TYPE`, which begins with a list. Drivers only compare its address.
#[repr(C)]
pub(crate) struct ObjectType {
    list: [*const Self; 2],
    _rest: [usize; 25],
}

/// A pointer to an object type, as the kernel exports it.
#[repr(transparent)]
pub(crate) struct Exported(*const ObjectType);

// SAFETY: it is never written.
unsafe impl Sync for ObjectType {}
// SAFETY: it is never written.
unsafe impl Sync for Exported {}

static THREADS: ObjectType = ObjectType {
    list: [&raw const THREADS; 2],
    _rest: [0; 25],
};
static THREAD_TYPE: Exported = Exported(&raw const THREADS);

/// `PsThreadType`, which is exported as data.
pub(crate) const TYPE: *const Exported = &raw const THREAD_TYPE;

/// What a system thread is called.
const THREAD: &str = "a system thread";

/// `CLIENT_ID`.
#[repr(C)]
pub(crate) struct ClientId {
    process: usize,
    thread: usize,
}

/// `KeSetPriorityThread`, at any level. Returns the priority before.
pub(crate) extern "win64" fn set_priority(thread: usize, priority: i32) -> i32 {
    const PRIORITIES: std::ops::RangeInclusive<i32> = 1..=31;
    if !PRIORITIES.contains(&priority) {
        misuse(format!("the priority {priority} is not 1 to 31"));
    }
    call::caller().image.threads.set_priority(thread, priority)
}

/// `KeGetCurrentThread`, at any level: what is behind `gs` for code that has it inline.
pub(crate) extern "win64" fn current() -> usize {
    thread::current()
}

/// At `PASSIVE_LEVEL`.
pub(crate) unsafe extern "win64" fn create(
    output: *mut usize,
    _access: u32,
    _attributes: *const c_void,
    _process: usize,
    id: *mut ClientId,
    routine: usize,
    context: usize,
) -> NtStatus {
    /// The process of the kernel, and its first numbers.
    const SYSTEM: usize = 4;
    check_level(PASSIVE_LEVEL);
    if let Err(status) = points::may_fail() {
        return status;
    }
    let image = call::caller().image;
    let Ok(thread) = Thread::new() else {
        return STATUS_INSUFFICIENT_RESOURCES;
    };
    let thread = Arc::new(thread);
    let handle = image.threads.open(&image.system, &thread);
    // SAFETY: `output` points to a handle; the driver guarantees it.
    unsafe { output.write(handle) };
    if !id.is_null() {
        let number = image.system.next_handle() as usize * 4;
        let value = ClientId {
            process: SYSTEM,
            thread: number,
        };
        // SAFETY: `id` points to a `CLIENT_ID`; the driver guarantees it.
        unsafe { id.write(value) };
    }
    start(&image, thread, routine, context);
    STATUS_SUCCESS
}

/// Starts a thread, which counts as being in the driver from now on.
fn start(image: &Arc<Loaded>, thread: Arc<Thread>, routine: usize, context: usize) {
    let (visit, image) = (image.inside.enter(THREAD), Arc::clone(image));
    let system = Arc::clone(&image.system);
    runner::start(&system, move || {
        work::at_level(&image, THREAD, PASSIVE_LEVEL, || {
            // SAFETY: the driver has given the routine, which gets its context.
            unsafe { crossing::call_thread(&image, THREAD, routine, context) };
        });
        image.inside.leave(visit);
        thread.signal();
        wait::ring();
    });
}

/// At `PASSIVE_LEVEL`. Ends the thread, if it is a system thread of the driver: it does not return.
pub(crate) extern "win64" fn terminate(_status: NtStatus) -> NtStatus {
    check_level(PASSIVE_LEVEL);
    if !frames::is_outermost_call() || !crossing::is_thread() {
        misuse("the thread is not one of PsCreateSystemThread, or is in a callback");
        return STATUS_INVALID_PARAMETER;
    }
    end_call();
    // SAFETY: the frames above that of the thread's routine are those of the image, of the gate, and of this
    // function, which has nothing to drop any more.
    unsafe { crossing::end_thread() }
}

/// The call of this function ends, as its return through the gate would do.
fn end_call() {
    if let Some(call) = frames::end_call()
        && let Some(visit) = call.visit
    {
        call.image.inside.leave(visit);
    }
}

/// At `PASSIVE_LEVEL`. This host has objects of threads only.
pub(crate) unsafe extern "win64" fn reference_by_handle(
    handle: usize,
    _access: u32,
    object_type: *const ObjectType,
    _mode: u8,
    output: *mut usize,
    _information: *mut c_void,
) -> NtStatus {
    check_level(PASSIVE_LEVEL);
    let image = call::caller().image;
    let other = !object_type.is_null() && object_type != THREAD_TYPE.0;
    if other || image.keys.get(handle).is_some() {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    let Some(address) = image.threads.reference_handle(handle) else {
        return STATUS_INVALID_HANDLE;
    };
    // SAFETY: `output` points to a pointer; the driver guarantees it.
    unsafe { output.write(address) };
    STATUS_SUCCESS
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) extern "win64" fn reference(object: usize) -> usize {
    check_level(DISPATCH_LEVEL);
    counted(call::caller().image.threads.reference(object), object)
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) extern "win64" fn dereference(object: usize) -> usize {
    check_level(DISPATCH_LEVEL);
    counted(call::caller().image.threads.dereference(object), object)
}

fn counted(count: Option<usize>, object: usize) -> usize {
    count.unwrap_or_else(|| {
        misuse(format!(
            "{object:#x} is no thread object that is referenced"
        ));
        0
    })
}
