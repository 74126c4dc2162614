//! The framework's locks: spin locks, which raise the IRQL, and wait locks, which do not.
// UNSAFETY: functions that images call.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nmr_host::irql::{self, DISPATCH_LEVEL, PASSIVE_LEVEL};
use nmr_host::locks;

use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::object::{self, Kind};
use super::violation;
use crate::native::kernel::irql as levels;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS, STATUS_TIMEOUT};
use crate::native::wdf::Handle;

/// A `WDFSPINLOCK`.
#[derive(Debug, Default)]
pub(super) struct SpinLock {
    owner: AtomicI32,
    /// The IRQL before, for the owner only.
    before: AtomicI32,
}

/// A `WDFWAITLOCK`: the number of its owner, if it has one.
#[derive(Debug, Default)]
pub(super) struct WaitLock {
    owner: Mutex<i32>,
    free: Condvar,
}

fn me() -> i32 {
    nmr_host::current_thread().0.cast_signed() + 1
}

fn spin_lock(lock: Handle) -> Arc<SpinLock> {
    match object::kind(lock) {
        Some(Kind::SpinLock(lock)) => lock,
        _ => violation(format_args!("{lock:p} is not a spin lock")),
    }
}

fn wait_lock(lock: Handle) -> Arc<WaitLock> {
    match object::kind(lock) {
        Some(Kind::WaitLock(lock)) => lock,
        _ => violation(format_args!("{lock:p} is not a wait lock")),
    }
}

/// `WdfSpinLockCreate`.
pub(crate) unsafe extern "win64" fn create_spin(
    _globals: *const c_void,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    let kind = Kind::SpinLock(Arc::default());
    // SAFETY: its arguments are valid; the driver guarantees it.
    unsafe { object::create_simple("WdfSpinLockCreate", attributes, output, kind) }
}

/// `WdfSpinLockAcquire`.
pub(crate) extern "win64" fn acquire_spin(_globals: *const c_void, handle: Handle) {
    let lock = spin_lock(handle);
    locks::acquiring(handle.addr());
    if lock.owner.load(Ordering::Relaxed) == me() {
        violation("the thread owns the spin lock already");
    }
    let before = levels::raise(DISPATCH_LEVEL.max(irql::current()));
    while lock
        .owner
        .compare_exchange_weak(0, me(), Ordering::Acquire, Ordering::Relaxed)
        .is_err()
    {
        std::thread::yield_now();
    }
    locks::acquired(handle.addr());
    lock.before.store(before.0.into(), Ordering::Relaxed);
}

/// `WdfSpinLockRelease`.
pub(crate) extern "win64" fn release_spin(_globals: *const c_void, handle: Handle) {
    let lock = spin_lock(handle);
    locks::released(handle.addr());
    let before = lock.before.load(Ordering::Relaxed);
    if lock
        .owner
        .compare_exchange(me(), 0, Ordering::Release, Ordering::Relaxed)
        .is_err()
    {
        violation("the thread does not own the spin lock");
    }
    levels::lower(irql::Irql(u8::try_from(before).unwrap_or_default()));
}

/// `WdfWaitLockCreate`.
pub(crate) unsafe extern "win64" fn create_wait(
    _globals: *const c_void,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    let kind = Kind::WaitLock(Arc::default());
    // SAFETY: its arguments are valid; the driver guarantees it.
    unsafe { object::create_simple("WdfWaitLockCreate", attributes, output, kind) }
}

/// `WdfWaitLockAcquire`. The time is relative, in steps of 100 nanoseconds below zero.
pub(crate) unsafe extern "win64" fn acquire_wait(
    _globals: *const c_void,
    lock: Handle,
    timeout: *const i64,
) -> NtStatus {
    if irql::current() > PASSIVE_LEVEL && timeout.is_null() {
        nmr_host::may_block();
        violation("a thread may block at PASSIVE_LEVEL only");
    }
    // SAFETY: it is null or a time; the driver guarantees it.
    let limit = (!timeout.is_null()).then(|| unsafe { timeout.read() });
    let limit = limit.map(|limit| Duration::from_nanos(limit.unsigned_abs().saturating_mul(100)));
    let found = wait_lock(lock);
    locks::acquiring(lock.addr());
    if found.acquire(limit) {
        locks::acquired(lock.addr());
        STATUS_SUCCESS
    } else {
        locks::abandoned(lock.addr());
        STATUS_TIMEOUT
    }
}

/// `WdfWaitLockRelease`.
pub(crate) extern "win64" fn release_wait(_globals: *const c_void, lock: Handle) {
    locks::released(lock.addr());
    if !wait_lock(lock).release() {
        violation("the thread does not own the wait lock");
    }
}

impl WaitLock {
    /// Returns `true` if this thread has it.
    pub(super) fn is_owned(&self) -> bool {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) == me()
    }

    /// Takes the lock, and returns `true`, unless the time ends before.
    pub(super) fn acquire(&self, limit: Option<Duration>) -> bool {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        if *owner == me() {
            drop(owner);
            violation("the thread owns the lock already");
        }
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        while *owner != 0 {
            owner = match deadline.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self
                    .free
                    .wait(owner)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    let waited = self.free.wait_timeout(owner, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *owner = me();
        true
    }

    /// Gives the lock back. Returns `false` if this thread does not have it.
    pub(super) fn release(&self) -> bool {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = *owner == me();
        if mine {
            *owner = 0;
            self.free.notify_one();
        }
        mine
    }
}
