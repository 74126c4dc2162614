//! Mutexes: `KeInitializeMutex`, `KeReleaseMutex`, `KeReadStateMutex`. They are waited for like
//! [events](super::event), and by one thread as often as it likes.
// UNSAFETY: a mutex is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicU8, AtomicUsize, Ordering};

use nmr_host::irql::{self, DISPATCH_LEVEL};

use super::object::object;
use crate::native::kernel::call;
use crate::native::kernel::call::misuse;
use crate::native::kernel::wait;

/// What an object that can be waited for has for its type if it is a mutex.
pub(super) const MUTANT: u8 = 2;

/// `KMUTEX`.
#[repr(C)]
pub(crate) struct Mutex {
    kind: AtomicU8,
    _header: [u8; 3],
    /// 1 without an owner, else less by one for each time that its owner has it.
    state: AtomicI32,
    _lists: [usize; 4],
    owner: AtomicUsize,
    _flags: usize,
}

const _: () = assert!(size_of::<Mutex>() == 0x38);

/// What a mutex holds while this thread owns it.
fn me() -> usize {
    nmr_host::current_thread().0 as usize + 1
}

pub(crate) unsafe extern "win64" fn initialize(mutex: *const Mutex, _level: u32) {
    // SAFETY: it is memory for a mutex; the driver guarantees it.
    let mutex = unsafe { object(mutex) };
    mutex.kind.store(MUTANT, Ordering::Relaxed);
    mutex.owner.store(0, Ordering::Relaxed);
    mutex.state.store(1, Ordering::Release);
}

impl Mutex {
    /// Takes it for this thread, if it is free or this thread's. The caller has the lock of the
    /// waits.
    pub(super) fn take(&self) -> bool {
        if !self.is_ready() {
            return false;
        }
        self.owner.store(me(), Ordering::Relaxed);
        self.state.fetch_sub(1, Ordering::AcqRel);
        true
    }

    /// Returns `true` if this thread can take it.
    pub(super) fn is_ready(&self) -> bool {
        let owner = self.owner.load(Ordering::Relaxed);
        owner == 0 || owner == me()
    }

    /// Gives it back once. Returns the state before, or nothing if it is not this thread's.
    fn give_back(&self) -> Option<i32> {
        if self.owner.load(Ordering::Relaxed) != me() {
            return None;
        }
        let before = self.state.load(Ordering::Relaxed);
        if before == 0 {
            self.owner.store(0, Ordering::Relaxed);
        }
        Some(self.state.fetch_add(1, Ordering::AcqRel))
    }
}

pub(crate) unsafe extern "win64" fn release(mutex: *const Mutex, _wait: u8) -> i32 {
    if irql::current() > DISPATCH_LEVEL {
        misuse(format!("released at {}", irql::current()));
    }
    // SAFETY: it is a mutex; the driver guarantees it.
    let mutex = unsafe { object(mutex) };
    let Some(before) = wait::locked(|| mutex.give_back()) else {
        // Windows raises STATUS_MUTANT_NOT_OWNED, which no driver handles.
        let what = "the thread does not own the mutex that it releases".to_owned();
        call::caller().stop(what, std::ptr::from_ref(mutex).addr())
    };
    before
}

pub(crate) unsafe extern "win64" fn read(mutex: *const Mutex) -> i32 {
    // SAFETY: it is a mutex; the driver guarantees it.
    unsafe { object(mutex) }.state.load(Ordering::Acquire)
}
