//! Dispatcher objects: events, mutexes and time.
// UNSAFETY: exported functions.
#![expect(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use registrar::{current_thread, locks, may_block};

use super::waiting;

const STATUS_SUCCESS: i32 = 0;
const STATUS_TIMEOUT: i32 = 0x102;

/// From 1601, where the time of Windows begins, to 1970, in seconds.
const EPOCH: u64 = 11_644_473_600;

const NOTIFICATION: i32 = 0;
const SYNCHRONIZATION: i32 = 1;

/// `KEVENT` and `KMUTEX`.
#[repr(C)]
struct Object {
    kind: AtomicI32,
    /// Of an event whether it is set, of a mutex how often its owner has it.
    signal: AtomicI32,
    /// The thread that has the mutex, or 0.
    owner: AtomicU64,
}

impl Object {
    /// Takes it if it can be taken.
    fn take(&self) -> bool {
        match self.kind.load(Ordering::Relaxed) {
            NOTIFICATION => self.signal.load(Ordering::Acquire) != 0,
            SYNCHRONIZATION => self.signal.swap(0, Ordering::Acquire) != 0,
            _ => self.take_mutex(),
        }
    }

    fn take_mutex(&self) -> bool {
        let me = u64::from(current_thread().0);
        let taken = self.owner.load(Ordering::Relaxed) == me
            || (self
                .owner
                .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed))
            .is_ok();
        if taken {
            self.signal.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    fn is_mutex(&self) -> bool {
        self.kind.load(Ordering::Relaxed) > SYNCHRONIZATION
    }

    fn set(&self, signal: i32) -> i32 {
        self.signal.swap(signal, Ordering::AcqRel)
    }
}

/// When a wait ends: after so many units of 100 ns if it is negative, at that time otherwise.
fn deadline(timeout: i64) -> Instant {
    let units = timeout.unsigned_abs();
    let span = Duration::from_nanos(units.saturating_mul(100));
    let now = Instant::now();
    if timeout < 0 {
        return now + span;
    }
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(units / 10);
    let at = at.checked_sub(Duration::from_secs(EPOCH));
    let left = at.and_then(|at| at.duration_since(SystemTime::now()).ok());
    now + left.unwrap_or_default()
}

#[unsafe(export_name = "nmr_kernel_KeSetEvent")]
extern "efiapi" fn set_event(event: &Object, _increment: i32, _wait: u8) -> i32 {
    let old = event.set(1);
    waiting::changed();
    old
}

#[unsafe(export_name = "nmr_kernel_KeResetEvent")]
extern "efiapi" fn reset_event(event: &Object) -> i32 {
    event.set(0)
}

#[unsafe(export_name = "nmr_kernel_KeReleaseMutex")]
extern "efiapi" fn release_mutex(mutex: &Object, _wait: u8) -> i32 {
    if mutex.owner.load(Ordering::Relaxed) != u64::from(current_thread().0) {
        super::debug::stop("a mutex is released by a thread that does not have it");
    }
    let before = mutex.signal.fetch_sub(1, Ordering::Relaxed);
    if before == 1 {
        locks::released(ptr::from_ref(mutex).addr());
        mutex.owner.store(0, Ordering::Release);
        waiting::changed();
    }
    1 - before
}

#[unsafe(export_name = "nmr_kernel_KeWaitForSingleObject")]
extern "efiapi" fn wait(
    object: &Object,
    _reason: u32,
    _mode: i8,
    _alertable: u8,
    timeout: Option<&i64>,
) -> i32 {
    if timeout != Some(&0) {
        may_block();
    }
    let (mutex, address) = (object.is_mutex(), ptr::from_ref(object).addr());
    if mutex {
        locks::acquiring(address);
    }
    let taken = waiting::until(timeout.copied().map(deadline), || object.take());
    match (mutex, taken) {
        (true, true) if object.signal.load(Ordering::Relaxed) == 1 => locks::acquired(address),
        (true, _) => locks::abandoned(address),
        (false, _) => {}
    }
    if taken {
        STATUS_SUCCESS
    } else {
        STATUS_TIMEOUT
    }
}

#[unsafe(export_name = "nmr_kernel_KeDelayExecutionThread")]
extern "efiapi" fn delay(_mode: i8, _alertable: u8, interval: &i64) -> i32 {
    may_block();
    thread::sleep(deadline(*interval).saturating_duration_since(Instant::now()));
    STATUS_SUCCESS
}

#[unsafe(export_name = "nmr_kernel_KeQuerySystemTimePrecise")]
extern "efiapi" fn system_time(time: &mut i64) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default() + Duration::from_secs(EPOCH);
    *time = i64::try_from(since.as_nanos() / 100).unwrap_or(i64::MAX);
}
