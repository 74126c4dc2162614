//! Events: `KeInitializeEvent`, `KeSetEvent`, `KeClearEvent`, `KeResetEvent`, `KeReadStateEvent`; and
//! `KeDelayExecutionThread` with the clock for it, `KeQueryUnbiasedInterruptTime`.
//!
//! The state of an event is where Windows has it, in the memory of the image. [Waits](super::waiting) look at it.
// UNSAFETY: an event is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use nmr_host::irql::{self, APC_LEVEL};

use super::object::{object, take};
use crate::native::kernel::call::misuse;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};
use crate::native::kernel::wait;

/// The beginning of a `KEVENT`.
#[repr(C, align(8))]
pub(crate) struct Event {
    kind: AtomicU8,
    _header: [u8; 3],
    state: AtomicI32,
}

/// What an object that can be waited for has for its type if it is an event of one kind or the other.
pub(super) const NOTIFICATION: u8 = 0;
pub(super) const SYNCHRONIZATION: u8 = 1;

pub(crate) unsafe extern "win64" fn initialize(event: *const Event, kind: i32, state: u8) {
    // SAFETY: it is memory for an event; the driver guarantees it.
    let event = unsafe { object(event) };
    event.kind.store(kind as u8, Ordering::Relaxed);
    event.state.store(i32::from(state != 0), Ordering::Release);
}

pub(crate) unsafe extern "win64" fn set(event: *const Event, _increment: i32, _wait: u8) -> i32 {
    // SAFETY: it is an event; the driver guarantees it.
    let event = unsafe { object(event) };
    wait::locked(|| event.state.swap(1, Ordering::AcqRel))
}

pub(crate) unsafe extern "win64" fn clear(event: *const Event) {
    // SAFETY: it is an event; the driver guarantees it.
    unsafe { object(event) }.state.store(0, Ordering::Release);
}

pub(crate) unsafe extern "win64" fn reset(event: *const Event) -> i32 {
    // SAFETY: it is an event; the driver guarantees it.
    unsafe { object(event) }.state.swap(0, Ordering::AcqRel)
}

pub(crate) unsafe extern "win64" fn read(event: *const Event) -> i32 {
    // SAFETY: it is an event; the driver guarantees it.
    unsafe { object(event) }.state.load(Ordering::Acquire)
}

impl Event {
    /// The type of the object.
    pub(super) fn kind(&self) -> u8 {
        self.kind.load(Ordering::Relaxed)
    }

    /// Returns `true` if it is signaled.
    pub(super) fn is_signaled(&self) -> bool {
        self.state.load(Ordering::Acquire) != 0
    }

    /// Returns `true` if it is signalled. A synchronization event lets one thread through.
    pub(super) fn take(&self, kind: u8) -> bool {
        take(&self.state, kind == SYNCHRONIZATION)
    }
}

pub(crate) unsafe extern "win64" fn delay(
    _mode: u8,
    _alertable: u8,
    interval: *const i64,
) -> NtStatus {
    if irql::current() > APC_LEVEL {
        misuse(format!("slept at {}", irql::current()));
        nmr_host::may_block();
    }
    // SAFETY: it is a time; the driver guarantees it.
    std::thread::sleep(wait::duration(unsafe { interval.read() }));
    STATUS_SUCCESS
}

/// The time since the start, in steps of 100 nanoseconds.
pub(crate) unsafe extern "win64" fn interrupt_time() -> u64 {
    wait::interrupt_time()
}
