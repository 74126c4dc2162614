//! Events and waits: `KeInitializeEvent`, `KeSetEvent`, `KeClearEvent`, `KeResetEvent`,
//! `KeReadStateEvent`, `KeWaitForSingleObject`, `KeDelayExecutionThread`; and the clock for them,
//! `KeQueryUnbiasedInterruptTime`.
//!
//! [Mutexes](super::mutex) are waited for in the same way.
//!
//! The state of an event is where Windows has it, in the memory of the image. All waits of the
//! process share one [bell](crate::native::kernel::wait).
// UNSAFETY: an event is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::time::Duration;

use nmr_host::irql::{self, APC_LEVEL, DISPATCH_LEVEL};

use super::mutex::{MUTANT, Mutex as KernelMutex};
use super::object::{object, take};
use super::timer::{self, Timer};
use crate::native::kernel::call::misuse;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, STATUS_TIMEOUT,
};
use crate::native::kernel::thread::THREAD;
use crate::native::kernel::wait;

/// The beginning of a `KEVENT`.
#[repr(C, align(8))]
pub(crate) struct Event {
    kind: AtomicU8,
    _header: [u8; 3],
    state: AtomicI32,
}

/// The kinds of object that can be waited for here.
const NOTIFICATION: u8 = 0;
const SYNCHRONIZATION: u8 = 1;

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

pub(crate) unsafe extern "win64" fn wait_for(
    address: *const Event,
    _reason: i32,
    _mode: u8,
    _alertable: u8,
    timeout: *const i64,
) -> NtStatus {
    // SAFETY: it is null or a time; the driver guarantees it.
    let limit = (!timeout.is_null()).then(|| wait::duration(unsafe { timeout.read() }));
    let highest = if limit == Some(Duration::ZERO) {
        DISPATCH_LEVEL
    } else {
        APC_LEVEL
    };
    if irql::current() > highest {
        misuse(format!("waited at {}", irql::current()));
        nmr_host::may_block();
    }
    // SAFETY: it is an object that can be waited for; the driver guarantees it.
    let event = unsafe { object(address) };
    let kind = event.kind.load(Ordering::Relaxed);
    let timers = [timer::NOTIFICATION, timer::SYNCHRONIZATION];
    if ![NOTIFICATION, SYNCHRONIZATION, MUTANT, THREAD].contains(&kind) && !timers.contains(&kind) {
        misuse(format!(
            "waited for an object of type {kind}: this host knows events, mutexes, timers and threads only"
        ));
        return STATUS_INVALID_PARAMETER;
    }
    let mutex = address.cast::<KernelMutex>();
    let take = || match kind {
        // SAFETY: the type says that it is a mutex.
        MUTANT => unsafe { object(mutex) }.take(),
        // SAFETY: the type says that it is a timer.
        kind if timers.contains(&kind) => unsafe { object(address.cast::<Timer>()) }.take(kind),
        _ => event.take(kind),
    };
    if wait::block(limit, take) {
        STATUS_SUCCESS
    } else {
        STATUS_TIMEOUT
    }
}

impl Event {
    /// Whether it is signalled. A synchronization event lets one thread through.
    fn take(&self, kind: u8) -> bool {
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
