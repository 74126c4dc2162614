//! Work items of the I/O manager: `IoAllocateWorkItem`, `IoQueueWorkItem`, `IoFreeWorkItem`; and of the
//! executive: `ExQueueWorkItem`.
// UNSAFETY: work items are addresses, and their routines addresses in an image.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use nmr_host::irql::PASSIVE_LEVEL;

use super::object::object;
use super::pool;
use crate::native::crossing;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::work;

/// `IO_WORKITEM`, whose content is the kernel's.
#[repr(C)]
pub(crate) struct WorkItem {
    mark: u64,
    device: usize,
}

const MARK: u64 = u64::from_le_bytes(*b"IoWorkIt");
const TAG: u32 = u32::from_le_bytes(*b"IoWI");

/// Pool of the driver's, so that one that is not freed is reported.
pub(crate) unsafe extern "win64" fn allocate(device: *const c_void) -> *mut WorkItem {
    const NON_PAGED: u64 = 0x40;
    if device.is_null() {
        misuse("the device object is null");
        return ptr::null_mut();
    }
    let item = pool::allocate_2(NON_PAGED, size_of::<WorkItem>(), TAG).cast::<WorkItem>();
    if !item.is_null() {
        let value = WorkItem {
            mark: MARK,
            device: device.expose_provenance(),
        };
        // SAFETY: the block is new, and large enough.
        unsafe { item.write(value) };
    }
    item
}

pub(crate) unsafe extern "win64" fn free(item: *mut WorkItem) {
    pool::free(item.cast());
}

pub(crate) unsafe extern "win64" fn queue(
    item: *const WorkItem,
    routine: usize,
    _kind: i32,
    context: usize,
) {
    // SAFETY: the driver passes a work item.
    let own = unsafe { object(item) };
    if own.mark != MARK {
        misuse("it is not a work item");
        return;
    }
    start(routine, [own.device, context]);
}

/// `WORK_QUEUE_ITEM`: a list entry, the routine, and its argument.
#[repr(C)]
pub(crate) struct QueueItem {
    _entry: [usize; 2],
    routine: usize,
    argument: usize,
}

pub(crate) unsafe extern "win64" fn queue_executive(item: *const QueueItem, _kind: i32) {
    // SAFETY: the driver passes an item, which may be gone once the routine runs.
    let item = unsafe { object(item) };
    start(item.routine, [item.argument, 0]);
}

fn start(routine: usize, arguments: [usize; 2]) {
    let image = call::caller().image;
    let run = move |image: &Arc<Loaded>| {
        // SAFETY: the driver has given the routine, which gets its own arguments.
        unsafe { crossing::call(image, work::ITEM, routine, arguments) };
    };
    work::start(&image, work::ITEM, PASSIVE_LEVEL, run);
}
