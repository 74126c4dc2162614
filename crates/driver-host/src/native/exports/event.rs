//! Events and waits: `KeInitializeEvent`, `KeSetEvent`, `KeClearEvent`, `KeResetEvent`,
//! `KeReadStateEvent`, `KeWaitForSingleObject`, `KeDelayExecutionThread`; and the clock for them,
//! `KeQueryUnbiasedInterruptTime`.
//!
//! [Mutexes](super::mutex) are waited for in the same way.
//!
//! The state of an event is where Windows has it, in the memory of the image. All waits of the
//! process share one bell: drivers under test wait seldom.
// UNSAFETY: an event is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use nmr_host::irql::{self, APC_LEVEL, DISPATCH_LEVEL};

use super::super::imports::Target;
use super::super::kernel::{NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, STATUS_TIMEOUT};
use super::misuse;
use super::mutex::{MUTANT, Mutex as KernelMutex};
use super::object::object;

pub(crate) fn find(name: &str) -> Option<Target> {
    Some(Target::gated(match name {
        "KeInitializeEvent" => initialize as *const (),
        "KeSetEvent" => set as *const (),
        "KeClearEvent" => clear as *const (),
        "KeResetEvent" => reset as *const (),
        "KeReadStateEvent" => read as *const (),
        "KeWaitForSingleObject" | "KeWaitForMutexObject" => wait as *const (),
        "KeDelayExecutionThread" => delay as *const (),
        "KeQueryUnbiasedInterruptTime" => interrupt_time as *const (),
        _ => return None,
    }))
}

/// The beginning of a `KEVENT`.
#[repr(C, align(8))]
pub(super) struct Event {
    kind: AtomicU8,
    _header: [u8; 3],
    state: AtomicI32,
}

/// The kinds of object that can be waited for here.
const NOTIFICATION: u8 = 0;
const SYNCHRONIZATION: u8 = 1;

/// When the time of interrupts begins.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

static LOCK: Mutex<()> = Mutex::new(());
static BELL: Condvar = Condvar::new();

unsafe extern "win64" fn initialize(event: *const Event, kind: i32, state: u8) {
    // SAFETY: the caller vouches for memory for an event.
    let event = unsafe { object(event) };
    event.kind.store(kind as u8, Ordering::Relaxed);
    event.state.store(i32::from(state != 0), Ordering::Release);
}

unsafe extern "win64" fn set(event: *const Event, _increment: i32, _wait: u8) -> i32 {
    // SAFETY: the caller vouches for an event.
    let event = unsafe { object(event) };
    locked(|| event.state.swap(1, Ordering::AcqRel))
}

unsafe extern "win64" fn clear(event: *const Event) {
    // SAFETY: the caller vouches for an event.
    unsafe { object(event) }.state.store(0, Ordering::Release);
}

unsafe extern "win64" fn reset(event: *const Event) -> i32 {
    // SAFETY: the caller vouches for an event.
    unsafe { object(event) }.state.swap(0, Ordering::AcqRel)
}

unsafe extern "win64" fn read(event: *const Event) -> i32 {
    // SAFETY: the caller vouches for an event.
    unsafe { object(event) }.state.load(Ordering::Acquire)
}

unsafe extern "win64" fn wait(
    address: *const Event,
    _reason: i32,
    _mode: u8,
    _alertable: u8,
    timeout: *const i64,
) -> NtStatus {
    // SAFETY: the caller vouches for null or a time.
    let limit = (!timeout.is_null()).then(|| duration(unsafe { timeout.read() }));
    let highest = if limit == Some(Duration::ZERO) {
        DISPATCH_LEVEL
    } else {
        APC_LEVEL
    };
    if irql::current() > highest {
        misuse(format!("waited at {}", irql::current()));
        nmr_host::may_block();
    }
    // SAFETY: the caller vouches for an object that can be waited for.
    let event = unsafe { object(address) };
    let kind = event.kind.load(Ordering::Relaxed);
    if ![NOTIFICATION, SYNCHRONIZATION, MUTANT].contains(&kind) {
        misuse(format!(
            "waited for an object of type {kind}: this host knows events and mutexes only"
        ));
        return STATUS_INVALID_PARAMETER;
    }
    let mutex = address.cast::<KernelMutex>();
    let take = || match kind {
        // SAFETY: the type says that it is a mutex.
        MUTANT => unsafe { object(mutex) }.take(),
        _ => event.take(kind),
    };
    if block(limit, take) {
        STATUS_SUCCESS
    } else {
        STATUS_TIMEOUT
    }
}

impl Event {
    /// Whether it is signalled. A synchronization event lets one thread through.
    fn take(&self, kind: u8) -> bool {
        let next = i32::from(kind != SYNCHRONIZATION);
        self.state
            .compare_exchange(1, next, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

/// Blocks until something is true or the time is over. Whatever makes it true [rings](ring).
pub(super) fn block(limit: Option<Duration>, ready: impl Fn() -> bool) -> bool {
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if ready() {
            return true;
        }
        lock = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => BELL.wait(lock).unwrap_or_else(PoisonError::into_inner),
            Some(Duration::ZERO) => return false,
            Some(left) => {
                BELL.wait_timeout(lock, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
    }
}

/// Changes something while nobody who [blocks](block) looks, and wakes them to look again.
pub(super) fn locked<T>(change: impl FnOnce() -> T) -> T {
    let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let result = change();
    BELL.notify_all();
    result
}

/// Wakes everyone who [blocks](block), to look again.
pub(super) fn ring() {
    let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    BELL.notify_all();
}

/// Windows counts in steps of 100 nanoseconds: from now if negative, else from the year 1601.
pub(crate) fn duration(time: i64) -> Duration {
    const UNIX: u64 = 116_444_736_000_000_000;
    let steps = if time <= 0 {
        time.unsigned_abs()
    } else {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let now = UNIX + u64::try_from(since.as_nanos() / 100).unwrap_or(u64::MAX - UNIX);
        time.unsigned_abs().saturating_sub(now)
    };
    // A century is as good as for ever, and can be added to the present.
    Duration::from_nanos(steps.saturating_mul(100)).min(Duration::from_hours(24 * 36_525))
}

unsafe extern "win64" fn delay(_mode: u8, _alertable: u8, interval: *const i64) -> NtStatus {
    if irql::current() > APC_LEVEL {
        misuse(format!("slept at {}", irql::current()));
        nmr_host::may_block();
    }
    // SAFETY: the caller vouches for a time.
    std::thread::sleep(duration(unsafe { interval.read() }));
    STATUS_SUCCESS
}

/// The time since the start, in steps of 100 nanoseconds.
unsafe extern "win64" fn interrupt_time() -> u64 {
    u64::try_from(START.elapsed().as_nanos() / 100).unwrap_or(u64::MAX)
}
