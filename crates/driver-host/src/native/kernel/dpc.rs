//! Deferred procedure calls: they run once for each time that they are queued, at `DISPATCH_LEVEL`.
// UNSAFETY: a `KDPC` is in the memory of a driver.
#![expect(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nmr_host::irql::DISPATCH_LEVEL;

use super::loaded::Loaded;
use super::{wait, work};

/// `KDPC`.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct Kdpc {
    header: AtomicU64,
    _entry: AtomicUsize,
    _history: AtomicUsize,
    pub(crate) routine: AtomicUsize,
    pub(crate) context: AtomicUsize,
    pub(crate) arguments: [AtomicUsize; 2],
    /// What it is queued as; 0 while it is not.
    queued: AtomicUsize,
}

const _: () = assert!(size_of::<Kdpc>() == 0x40);

/// `DpcObject`, the type that the first byte says.
const DPC_OBJECT: u64 = 0x13;

impl Kdpc {
    pub(crate) fn initialize(&self, routine: usize, context: usize) {
        self.header.store(DPC_OBJECT, Ordering::Relaxed);
        self.routine.store(routine, Ordering::Relaxed);
        self.context.store(context, Ordering::Relaxed);
        self.queued.store(0, Ordering::Release);
    }

    /// Takes it out of the queue. Returns whether it was in it.
    pub(crate) fn remove(&self) -> bool {
        self.queued.swap(0, Ordering::AcqRel) != 0
    }

    /// Takes it out of the queue if it is there for this turn.
    fn take(&self, turn: usize) -> bool {
        let taken = self
            .queued
            .compare_exchange(turn, 0, Ordering::AcqRel, Ordering::Relaxed);
        taken.is_ok()
    }
}

/// Queues a DPC of a driver. Returns whether it was not queued yet.
///
/// # Safety
///
/// The DPC stays where it is until it has run or was removed and [flushed](flush).
pub(crate) unsafe fn queue(
    image: &Arc<Loaded>,
    dpc: *const Kdpc,
    run: impl FnOnce(&Arc<Loaded>) + Send + 'static,
) -> bool {
    let turn = image.system.next_handle() as usize;
    // SAFETY: the DPC is there, by this contract.
    let own = unsafe { &*dpc };
    if own
        .queued
        .compare_exchange(0, turn, Ordering::AcqRel, Ordering::Relaxed)
        .is_err()
    {
        return false;
    }
    image.system.dpcs.fetch_add(1, Ordering::AcqRel);
    let address = dpc.expose_provenance();
    work::start(image, "a DPC", DISPATCH_LEVEL, move |image| {
        // SAFETY: the DPC is there while it is queued, by this contract.
        let own = unsafe { &*std::ptr::with_exposed_provenance::<Kdpc>(address) };
        if own.take(turn) {
            run(image);
        }
        wait::locked(|| image.system.dpcs.fetch_sub(1, Ordering::AcqRel));
    });
    true
}

/// Waits until every DPC that is queued has run.
pub(crate) fn flush(image: &Loaded) {
    nmr_host::may_block();
    wait::block(None, || image.system.dpcs.load(Ordering::Acquire) == 0);
}
