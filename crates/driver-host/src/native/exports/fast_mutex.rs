//! Fast mutexes, and the critical regions that some of their functions need. The kernel's inline
//! functions initialize them: the count of one without an owner is 1.
// UNSAFETY: a fast mutex is in the memory of an image.
#![expect(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

use nmr_host::irql::{self, APC_LEVEL};

use super::object::object;
use crate::native::kernel::call;
use crate::native::kernel::call::misuse;
use crate::native::kernel::irql as levels;
use crate::native::kernel::report::Fault;
use crate::native::kernel::wait;

/// `FAST_MUTEX`.
#[repr(C)]
pub(crate) struct FastMutex {
    count: AtomicI32,
    owner: AtomicUsize,
    _contention: u32,
    _event: [u64; 3],
    /// The IRQL before, for the owner only.
    before: AtomicU32,
}

const _: () = assert!(size_of::<FastMutex>() == 0x38);
const _: () = assert!(std::mem::offset_of!(FastMutex, before) == 0x30);

const FREE: i32 = 1;
const TAKEN: i32 = 0;

/// What a fast mutex holds while this thread owns it.
fn me() -> usize {
    nmr_host::current_thread().0 as usize + 1
}

impl FastMutex {
    fn take(&self) -> bool {
        let taken = self
            .count
            .compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if taken {
            self.owner.store(me(), Ordering::Relaxed);
        }
        taken
    }

    /// Waits until this thread owns it.
    fn acquire(&self) {
        if self.owner.load(Ordering::Relaxed) == me() {
            let call = call::caller();
            let what = format!("{} of a mutex that the thread owns", call.function);
            call.image.stop(Fault::Hang { what });
        }
        wait::block(None, || self.take());
    }

    fn release(&self) {
        if self.owner.load(Ordering::Relaxed) != me() {
            misuse("the thread does not own the mutex");
            return;
        }
        self.owner.store(0, Ordering::Relaxed);
        self.count.store(FREE, Ordering::Release);
        wait::ring();
    }
}

fn check_at_most_apc() {
    if irql::current() > APC_LEVEL {
        misuse(format!("called at {}", irql::current()));
        nmr_host::may_block();
    }
}

pub(crate) unsafe extern "win64" fn acquire(mutex: *const FastMutex) {
    check_at_most_apc();
    // SAFETY: it is a fast mutex; the driver guarantees it.
    let mutex = unsafe { object(mutex) };
    let before = levels::raise(APC_LEVEL.max(irql::current()));
    mutex.acquire();
    mutex.before.store(before.0.into(), Ordering::Relaxed);
}

pub(crate) unsafe extern "win64" fn try_to_acquire(mutex: *const FastMutex) -> u8 {
    check_at_most_apc();
    // SAFETY: it is a fast mutex; the driver guarantees it.
    let mutex = unsafe { object(mutex) };
    let before = levels::raise(APC_LEVEL.max(irql::current()));
    let taken = mutex.take();
    if taken {
        mutex.before.store(before.0.into(), Ordering::Relaxed);
    } else {
        levels::lower(before);
    }
    taken.into()
}

pub(crate) unsafe extern "win64" fn release(mutex: *const FastMutex) {
    if irql::current() != APC_LEVEL {
        misuse(format!("called at {}", irql::current()));
    }
    // SAFETY: it is a fast mutex; the driver guarantees it.
    let mutex = unsafe { object(mutex) };
    let before = mutex.before.load(Ordering::Relaxed);
    mutex.release();
    levels::lower(irql::Irql(u8::try_from(before).unwrap_or_default()));
}

thread_local! {
    /// How many critical regions the thread is in.
    static REGIONS: Cell<usize> = const { Cell::new(0) };
}

/// Those that do not raise the IRQL leave it to the caller to hold off asynchronous procedure calls.
fn check_held_off() {
    check_at_most_apc();
    if irql::current() < APC_LEVEL && REGIONS.get() == 0 {
        misuse("called outside of a critical region and below APC_LEVEL");
    }
}

pub(crate) unsafe extern "win64" fn acquire_unsafe(mutex: *const FastMutex) {
    check_held_off();
    // SAFETY: it is a fast mutex; the driver guarantees it.
    unsafe { object(mutex) }.acquire();
}

pub(crate) unsafe extern "win64" fn release_unsafe(mutex: *const FastMutex) {
    check_held_off();
    // SAFETY: it is a fast mutex; the driver guarantees it.
    unsafe { object(mutex) }.release();
}

pub(crate) extern "win64" fn enter_critical_region() {
    check_at_most_apc();
    REGIONS.set(REGIONS.get() + 1);
}

pub(crate) extern "win64" fn leave_critical_region() {
    check_at_most_apc();
    match REGIONS.get().checked_sub(1) {
        Some(left) => REGIONS.set(left),
        None => misuse("the thread is in no critical region"),
    }
}
