//! Deferred procedure calls: they run once for each time that they are queued, at `DISPATCH_LEVEL`.
// UNSAFETY: a `KDPC` is in the memory of a driver.
#![expect(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nmr_host::irql::DISPATCH_LEVEL;

use super::loaded::Loaded;
use super::{runner, wait, work};

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

    /// Takes it out of the queue of its driver. Returns whether it was in it.
    pub(crate) fn remove(&self, image: &Loaded) -> bool {
        let turn = self.queued.swap(0, Ordering::AcqRel) as u64;
        let removed = turn != 0 && image.inside.leave(turn - 1);
        if removed {
            wait::locked(|| image.system.dpcs.fetch_sub(1, Ordering::AcqRel));
        }
        removed
    }

    /// Takes it out of the queue if it is there for this turn.
    fn take(&self, turn: usize) -> bool {
        let taken = self
            .queued
            .compare_exchange(turn, 0, Ordering::AcqRel, Ordering::Relaxed);
        taken.is_ok()
    }
}

/// Queues a DPC of a driver. Returns whether it was not queued yet. What it is queued as is the number of a visit,
/// which ends when it is removed: nothing touches it from then on.
///
/// # Safety
///
/// The DPC stays where it is until it has run or was removed.
pub(crate) unsafe fn queue(
    image: &Arc<Loaded>,
    dpc: *const Kdpc,
    run: impl FnOnce(&Arc<Loaded>) + Send + 'static,
) -> bool {
    const WHAT: &str = "a DPC";
    let visit = image.inside.enter(WHAT);
    let turn = visit as usize + 1;
    // SAFETY: the DPC is there, by this contract.
    let own = unsafe { &*dpc };
    let queued = own
        .queued
        .compare_exchange(0, turn, Ordering::AcqRel, Ordering::Relaxed);
    if queued.is_err() {
        image.inside.leave(visit);
        return false;
    }
    image.system.dpcs.fetch_add(1, Ordering::AcqRel);
    let (address, image) = (dpc.expose_provenance(), Arc::clone(image));
    let system = Arc::clone(&image.system);
    runner::start(&system, move || {
        let take = || {
            // SAFETY: the DPC is there while it is queued, by this contract.
            let own = unsafe { &*std::ptr::with_exposed_provenance::<Kdpc>(address) };
            own.take(turn)
        };
        if image.inside.while_open(visit, take) == Some(true) {
            work::at_level(&image, WHAT, DISPATCH_LEVEL, || run(&image));
            image.inside.leave(visit);
            wait::locked(|| image.system.dpcs.fetch_sub(1, Ordering::AcqRel));
        }
    });
    true
}

/// Waits until every DPC that is queued has run.
pub(crate) fn flush(image: &Loaded) {
    nmr_host::may_block();
    wait::block(None, || image.system.dpcs.load(Ordering::Acquire) == 0);
}
