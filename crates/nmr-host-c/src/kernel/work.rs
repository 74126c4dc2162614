//! Work items. Each runs on a thread of its own.
//!
//! An I/O work item keeps its device, and with it the driver, until its routine has returned, so it is no
//! visit that an unload could meet (V-83). One of `ExQueueWorkItem` keeps nothing, and is.
// UNSAFETY: exported functions, and the routines and items of modules.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use registrar::Visit;

use super::debug;
use super::routine::Routine;
use super::waiting;

/// How many were queued and have not returned.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// `IO_WORKITEM`.
struct Item {
    object: *mut c_void,
    queued: AtomicBool,
}

/// What a routine is called with.
struct Arguments([*mut c_void; 3]);

// SAFETY: the module passes them to another thread by queueing the item.
unsafe impl Send for Arguments {}

impl Arguments {
    fn get(&self) -> [*mut c_void; 3] {
        self.0
    }
}

/// Runs a routine on a new thread. `queued` is the word of its I/O work item, which may be queued again or
/// freed as soon as the routine runs.
fn start(routine: Routine, arguments: Arguments, queued: Option<&'static AtomicBool>) {
    RUNNING.fetch_add(1, Ordering::Relaxed);
    let started = thread::Builder::new().spawn(move || {
        // An I/O work item references its device. Nothing references the driver for the other kind.
        let visit = if queued.is_none() {
            Visit::enter_unreferenced()
        } else {
            Visit::enter()
        };
        if let Some(queued) = queued {
            queued.store(false, Ordering::Release);
        }
        // SAFETY: the module queued the routine with the context that it takes, in its convention.
        unsafe { routine.call(arguments.get()) };
        drop(visit);
        RUNNING.fetch_sub(1, Ordering::Release);
        waiting::changed();
    });
    if started.is_err() {
        debug::stop("the system has no thread for a work item");
    }
}

/// Waits until every routine has returned.
pub(super) fn drain() {
    waiting::until(None, || RUNNING.load(Ordering::Acquire) == 0);
}

#[unsafe(export_name = "nmr_kernel_IoAllocateWorkItem")]
extern "efiapi" fn allocate(object: *mut c_void) -> *mut Item {
    Box::into_raw(Box::new(Item {
        object,
        queued: AtomicBool::new(false),
    }))
}

/// # Safety
///
/// * `item` is from `IoAllocateWorkItem`, and not used afterwards.
#[unsafe(export_name = "nmr_kernel_IoFreeWorkItem")]
unsafe extern "efiapi" fn free(item: *mut Item) {
    // SAFETY: `item` is a box that `allocate` made, as this function requires.
    let item = unsafe { Box::from_raw(item) };
    if item.queued.load(Ordering::Acquire) {
        debug::stop("a work item is freed whose routine has not begun");
    }
}

/// What `IoQueueWorkItem` and `IoQueueWorkItemEx` are: the second passes the item as third argument.
#[unsafe(export_name = "nmr_kernel_io_queue")]
extern "efiapi" fn queue(
    item: &'static Item,
    routine: *const (),
    context: *mut c_void,
    convention: i32,
) {
    if item.queued.swap(true, Ordering::AcqRel) {
        debug::stop("a work item is queued whose routine has not begun");
    }
    let arguments = [item.object, context, ptr::from_ref(item).cast_mut().cast()];
    let routine = Routine::new(routine, convention);
    start(routine, Arguments(arguments), Some(&item.queued));
}

/// What `ExQueueWorkItem` is.
#[unsafe(export_name = "nmr_kernel_ex_queue")]
extern "efiapi" fn queue_system(routine: *const (), parameter: *mut c_void, convention: i32) {
    let arguments = [parameter, ptr::null_mut(), ptr::null_mut()];
    start(
        Routine::new(routine, convention),
        Arguments(arguments),
        None,
    );
}
