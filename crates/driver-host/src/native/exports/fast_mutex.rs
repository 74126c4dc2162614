//! Fast mutexes, and the critical regions that some of their functions need. The kernel's inline
//! functions initialize them: the count is 1 while nobody owns one.
// UNSAFETY: a fast mutex is in the memory of an image.
#![expect(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

use nmr_host::irql::{self, APC_LEVEL};

use super::super::gate;
use super::super::imports::Target;
use super::super::report::Fault;
use super::object::object;
use super::{event, lower_irql, misuse, raise_irql};

pub(crate) fn find(name: &str) -> Option<Target> {
    Some(Target::gated(match name {
        "ExAcquireFastMutex" => acquire as *const (),
        "ExTryToAcquireFastMutex" => try_to_acquire as *const (),
        "ExReleaseFastMutex" => release as *const (),
        "ExAcquireFastMutexUnsafe" => acquire_unsafe as *const (),
        "ExReleaseFastMutexUnsafe" => release_unsafe as *const (),
        "KeEnterCriticalRegion" => enter_critical_region as *const (),
        "KeLeaveCriticalRegion" => leave_critical_region as *const (),
        _ => return None,
    }))
}

/// `FAST_MUTEX`.
#[repr(C)]
struct FastMutex {
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
            let call = gate::caller();
            let what = format!("{} of a mutex that the thread owns", call.function);
            call.image.stop(Fault::Hang { what });
        }
        event::block(None, || self.take());
    }

    fn release(&self) {
        if self.owner.load(Ordering::Relaxed) != me() {
            misuse("the thread does not own the mutex");
            return;
        }
        self.owner.store(0, Ordering::Relaxed);
        self.count.store(FREE, Ordering::Release);
        event::ring();
    }
}

fn check_at_most_apc() {
    if irql::current() > APC_LEVEL {
        misuse(format!("called at {}", irql::current()));
        nmr_host::may_block();
    }
}

unsafe extern "win64" fn acquire(mutex: *const FastMutex) {
    check_at_most_apc();
    // SAFETY: the caller vouches for a fast mutex.
    let mutex = unsafe { object(mutex) };
    let before = raise_irql(APC_LEVEL.0.max(irql::current().0));
    mutex.acquire();
    mutex.before.store(before.into(), Ordering::Relaxed);
}

unsafe extern "win64" fn try_to_acquire(mutex: *const FastMutex) -> u8 {
    check_at_most_apc();
    // SAFETY: the caller vouches for a fast mutex.
    let mutex = unsafe { object(mutex) };
    let before = raise_irql(APC_LEVEL.0.max(irql::current().0));
    let taken = mutex.take();
    if taken {
        mutex.before.store(before.into(), Ordering::Relaxed);
    } else {
        lower_irql(before);
    }
    taken.into()
}

unsafe extern "win64" fn release(mutex: *const FastMutex) {
    if irql::current() != APC_LEVEL {
        misuse(format!("called at {}", irql::current()));
    }
    // SAFETY: the caller vouches for a fast mutex.
    let mutex = unsafe { object(mutex) };
    let before = mutex.before.load(Ordering::Relaxed);
    mutex.release();
    lower_irql(u8::try_from(before).unwrap_or_default());
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

unsafe extern "win64" fn acquire_unsafe(mutex: *const FastMutex) {
    check_held_off();
    // SAFETY: the caller vouches for a fast mutex.
    unsafe { object(mutex) }.acquire();
}

unsafe extern "win64" fn release_unsafe(mutex: *const FastMutex) {
    check_held_off();
    // SAFETY: the caller vouches for a fast mutex.
    unsafe { object(mutex) }.release();
}

extern "win64" fn enter_critical_region() {
    check_at_most_apc();
    REGIONS.set(REGIONS.get() + 1);
}

extern "win64" fn leave_critical_region() {
    check_at_most_apc();
    match REGIONS.get().checked_sub(1) {
        Some(left) => REGIONS.set(left),
        None => misuse("the thread is in no critical region"),
    }
}
