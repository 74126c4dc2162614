//! Cancel-safe queues of IRPs: `IoCsqInitialize`, `IoCsqInitializeEx`, `IoCsqInsertIrp`, `IoCsqInsertIrpEx`, `IoCsqRemoveIrp`,
//! `IoCsqRemoveNextIrp`. The list and its lock are the driver's, in callbacks.
//!
//! Levels and statuses are those of the pages of these names in Microsoft's reference of `wdm.h`.
// UNSAFETY: queues are in the memory of images, with callbacks of the image.
#![expect(unsafe_code)]

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_host::irql::DISPATCH_LEVEL;

use super::irp::release_cancel_lock;
use super::object::object;
use crate::native::crossing;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::irp::Irp;
use crate::native::kernel::irql::check_level;
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, failed};

/// `IO_CSQ`.
#[repr(C)]
pub(crate) struct Queue {
    kind: u32,
    insert: usize,
    remove: usize,
    peek: usize,
    acquire: usize,
    release: usize,
    complete_canceled: usize,
    _reserved: usize,
}

/// `IO_CSQ_IRP_CONTEXT`: the IRP, while it is in the queue.
#[repr(C)]
pub(crate) struct Context {
    kind: u32,
    irp: AtomicUsize,
    queue: AtomicUsize,
}

const _: () = assert!(size_of::<Queue>() == 0x40);
const _: () = assert!(size_of::<Context>() == 0x18);

/// `IO_TYPE_CSQ`, `IO_TYPE_CSQ_EX` and `IO_TYPE_CSQ_IRP_CONTEXT`.
const QUEUE: u32 = 2;
const QUEUE_THAT_REFUSES: u32 = 3;
const CONTEXT: u32 = 1;

/// The cancel routine of a request in a queue, which drivers find in the request only.
const CANCEL: &str = "the cancel routine of a cancel-safe queue";

/// That routine.
pub(crate) fn routines() -> [(&'static str, *const ()); 1] {
    [(CANCEL, cancel as *const ())]
}

impl Queue {
    fn address(&self) -> usize {
        ptr::from_ref(self).expose_provenance()
    }

    /// Calls a callback of the queue with two arguments behind the queue, of which it may take fewer.
    fn call(&self, what: &str, callback: usize, [first, second]: [usize; 2]) -> usize {
        let arguments = [self.address(), first, second];
        // SAFETY: the driver has given the callback for this queue; the arguments are those that it takes.
        unsafe { crossing::call(&call::caller().image, what, callback, arguments) }
    }

    /// Does something with the lock of the queue.
    fn locked<T>(&self, change: impl FnOnce() -> T) -> T {
        let mut level = 0_u8;
        let output = (&raw mut level).expose_provenance();
        self.call("CsqAcquireLock", self.acquire, [output, 0]);
        let result = change();
        // SAFETY: it is a local, which the callback has written.
        let level = unsafe { (&raw const level).read_volatile() };
        self.call("CsqReleaseLock", self.release, [level.into(), 0]);
        result
    }

    fn remove(&self, irp: &Irp) {
        self.call("CsqRemoveIrp", self.remove, [irp.address(), 0]);
    }

    /// Takes an IRP that is not being canceled out of the queue, with the lock held. Returns `false` if it is.
    fn take(&self, irp: &Irp) -> bool {
        if irp.set_cancel_routine(0) == 0 {
            return false;
        }
        self.remove(irp);
        let context = irp.context();
        if context != self.address() {
            forget(context);
        }
        true
    }
}

/// The IRP is not in the queue any more.
fn forget(context: usize) {
    // SAFETY: the driver keeps the context of an IRP that is in the queue.
    let context = unsafe { object(ptr::with_exposed_provenance::<Context>(context)) };
    context.irp.store(0, Ordering::Relaxed);
}

/// The IRP in flight at an address, or a report.
fn find(irp: usize) -> Option<Arc<Irp>> {
    let found = call::caller().image.system.irps.find(irp);
    if found.is_none() {
        misuse(format!("{irp:#x} is not an IRP"));
    }
    found
}

/// At any level.
pub(crate) unsafe extern "win64" fn initialize(
    queue: *mut Queue,
    insert: usize,
    remove: usize,
    peek: usize,
    acquire: usize,
    release: usize,
    complete_canceled: usize,
) -> NtStatus {
    let callbacks = [insert, remove, peek, acquire, release, complete_canceled];
    // SAFETY: `queue` points to memory for a queue; the driver guarantees it.
    unsafe { write(queue, QUEUE, callbacks) }
}

/// At any level. The callback that inserts returns a status.
pub(crate) unsafe extern "win64" fn initialize_ex(
    queue: *mut Queue,
    insert: usize,
    remove: usize,
    peek: usize,
    acquire: usize,
    release: usize,
    complete_canceled: usize,
) -> NtStatus {
    let callbacks = [insert, remove, peek, acquire, release, complete_canceled];
    // SAFETY: `queue` points to memory for a queue; the driver guarantees it.
    unsafe { write(queue, QUEUE_THAT_REFUSES, callbacks) }
}

/// # Safety
///
/// `queue` points to memory for a queue.
unsafe fn write(queue: *mut Queue, kind: u32, callbacks: [usize; 6]) -> NtStatus {
    let [insert, remove, peek, acquire, release, complete_canceled] = callbacks;
    let value = Queue {
        kind,
        insert,
        remove,
        peek,
        acquire,
        release,
        complete_canceled,
        _reserved: 0,
    };
    // SAFETY: the memory is there, by this contract.
    unsafe { queue.write(value) };
    STATUS_SUCCESS
}

/// Highest level: `DISPATCH_LEVEL`. Marks the IRP pending.
pub(crate) unsafe extern "win64" fn insert(queue: *const Queue, irp: usize, context: *mut Context) {
    // SAFETY: `queue` points to a queue, and `context` to memory or is null; the driver guarantees it.
    unsafe { insert_ex(queue, irp, context, 0) };
}

/// Highest level: `DISPATCH_LEVEL`. Marks the IRP pending. Returns what the callback of the driver answers: one that fails has
/// not put the IRP into the queue.
pub(crate) unsafe extern "win64" fn insert_ex(
    queue: *const Queue,
    irp: usize,
    context: *mut Context,
    insert_context: usize,
) -> NtStatus {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `queue` points to a queue; the driver guarantees it.
    let queue = unsafe { object(queue) };
    let Some(irp) = find(irp) else {
        return STATUS_INVALID_PARAMETER;
    };
    if !context.is_null() {
        let value = Context {
            kind: CONTEXT,
            irp: AtomicUsize::new(irp.address()),
            queue: AtomicUsize::new(queue.address()),
        };
        // SAFETY: `context` is null or points to memory for a context; the driver guarantees it.
        unsafe { context.write(value) };
    }
    let mark = match context.expose_provenance() {
        0 => queue.address(),
        context => context,
    };
    let routine = call::caller().image.routine(CANCEL).unwrap_or_default();
    let inserted = queue.locked(|| {
        irp.mark_pending();
        irp.set_context(mark);
        let arguments = [irp.address(), insert_context];
        let answer = queue.call("CsqInsertIrp", queue.insert, arguments) as NtStatus;
        if queue.kind == QUEUE_THAT_REFUSES && failed(answer) {
            irp.set_context(0);
            return Err(answer);
        }
        irp.set_cancel_routine(routine);
        Ok(irp.is_canceled() && queue.take(&irp))
    });
    match inserted {
        Ok(canceled) => {
            if canceled {
                complete_canceled(queue, &irp);
            }
            STATUS_SUCCESS
        }
        Err(status) => {
            if !context.is_null() {
                forget(context.expose_provenance());
            }
            status
        }
    }
}

fn complete_canceled(queue: &Queue, irp: &Irp) {
    let arguments = [irp.address(), 0];
    queue.call("CsqCompleteCanceledIrp", queue.complete_canceled, arguments);
}

/// Highest level: `DISPATCH_LEVEL`. Returns null if there is none.
pub(crate) unsafe extern "win64" fn remove_next(queue: *const Queue, peek: usize) -> usize {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `queue` points to a queue; the driver guarantees it.
    let queue = unsafe { object(queue) };
    queue.locked(|| {
        let next = |after| queue.call("CsqPeekNextIrp", queue.peek, [after, peek]);
        let mut address = next(0);
        while address != 0 {
            let taken = find(address).is_none_or(|irp| queue.take(&irp));
            if taken {
                break;
            }
            address = next(address);
        }
        address
    })
}

/// Highest level: `DISPATCH_LEVEL`. Returns null if the IRP of the context is canceled or taken.
pub(crate) unsafe extern "win64" fn remove(queue: *const Queue, context: *const Context) -> usize {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `queue` points to a queue; the driver guarantees it.
    let queue = unsafe { object(queue) };
    // SAFETY: `context` points to a context; the driver guarantees it.
    let context = unsafe { object(context) };
    queue.locked(|| match context.irp.load(Ordering::Relaxed) {
        0 => 0,
        address => {
            let taken = find(address).is_some_and(|irp| queue.take(&irp));
            if taken { address } else { 0 }
        }
    })
}

/// Called with the cancel spin lock held.
extern "win64" fn cancel(_device: usize, address: usize) {
    let Some(irp) = find(address) else {
        return;
    };
    release_cancel_lock(irp.cancel_level().0);
    let mark = irp.context();
    // SAFETY: the mark is the address of the queue or of a context, which the driver keeps; both begin with their
    // kind.
    let kind = unsafe { ptr::with_exposed_provenance::<u32>(mark).read() };
    let place = if kind == CONTEXT {
        // SAFETY: the kind says that it is a context.
        let context = unsafe { object(ptr::with_exposed_provenance::<Context>(mark)) };
        context.queue.load(Ordering::Relaxed)
    } else {
        mark
    };
    // SAFETY: the driver keeps the queue of its requests.
    let queue = unsafe { object(ptr::with_exposed_provenance::<Queue>(place)) };
    queue.locked(|| {
        queue.remove(&irp);
        if kind == CONTEXT {
            forget(mark);
        }
    });
    complete_canceled(queue, &irp);
}
