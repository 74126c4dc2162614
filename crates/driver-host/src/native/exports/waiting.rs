//! Waits: `KeWaitForSingleObject`, `KeWaitForMultipleObjects`. What can be waited for are [events](super::event),
//! [mutexes](super::mutex), [semaphores](super::semaphore), [timers](super::timer) and [threads](super::thread).
//!
//! Levels and statuses are those of the pages of these names in Microsoft's reference of `wdm.h`. All waits of the
//! process share one [bell](crate::native::kernel::wait).
// UNSAFETY: objects are in the memory of an image.
#![expect(unsafe_code)]

use std::cell::Cell;
use std::time::Duration;

use nmr_host::irql::{self, APC_LEVEL, DISPATCH_LEVEL};

use super::bugcheck;
use super::event::{Event, NOTIFICATION, SYNCHRONIZATION};
use super::mutex::{MUTANT, Mutex as KernelMutex};
use super::object::object;
use super::semaphore::{SEMAPHORE, Semaphore};
use super::timer::{self, Timer};
use crate::native::kernel::call::misuse;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, STATUS_TIMEOUT,
};
use crate::native::kernel::thread::THREAD;
use crate::native::kernel::wait;

/// An object that can be waited for.
enum Waitable<'a> {
    Mutex(&'a KernelMutex),
    Semaphore(&'a Semaphore),
    Timer(&'a Timer, u8),
    /// Events and threads, whose states are in the same place.
    Event(&'a Event, u8),
}

impl<'a> Waitable<'a> {
    /// The object at an address. Returns `None` if it is of another type, which is reported.
    ///
    /// # Safety
    ///
    /// There is an object of the type that its first byte says, for as long as the result is used.
    unsafe fn at(address: *const Event) -> Option<Self> {
        // SAFETY: there is an object, by this contract; each begins like an event.
        let event: &'a Event = unsafe { object(address) };
        match event.kind() {
            // SAFETY: the type says that it is a mutex.
            MUTANT => Some(Self::Mutex(unsafe { object(address.cast()) })),
            // SAFETY: the type says that it is a semaphore.
            SEMAPHORE => Some(Self::Semaphore(unsafe { object(address.cast()) })),
            kind @ (timer::NOTIFICATION | timer::SYNCHRONIZATION) => {
                // SAFETY: the type says that it is a timer.
                Some(Self::Timer(unsafe { object(address.cast()) }, kind))
            }
            kind @ (NOTIFICATION | SYNCHRONIZATION | THREAD) => Some(Self::Event(event, kind)),
            kind => {
                misuse(format!(
                    "waited for an object of type {kind}: this host knows events, mutexes, \
                     semaphores, timers and threads only"
                ));
                None
            }
        }
    }

    /// Returns `true` if a wait of this thread would end.
    fn is_ready(&self) -> bool {
        match self {
            Self::Mutex(mutex) => mutex.is_ready(),
            Self::Semaphore(semaphore) => semaphore.is_signaled(),
            Self::Timer(timer, _) => timer.is_signaled(),
            Self::Event(event, _) => event.is_signaled(),
        }
    }

    /// Ends a wait, if the object is ready.
    fn take(&self) -> bool {
        match self {
            Self::Mutex(mutex) => mutex.take(),
            Self::Semaphore(semaphore) => semaphore.take(),
            Self::Timer(timer, kind) => timer.take(*kind),
            Self::Event(event, kind) => event.take(*kind),
        }
    }
}

/// How long a wait may take. Reports a wait at a level where it may not block.
///
/// # Safety
///
/// `timeout` is null or points to a time.
unsafe fn limit(timeout: *const i64) -> Option<Duration> {
    // SAFETY: the time can be read, by this contract.
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
    limit
}

/// Highest level: `APC_LEVEL`, and `DISPATCH_LEVEL` for a timeout of zero.
pub(crate) unsafe extern "win64" fn single(
    address: *const Event,
    _reason: i32,
    _mode: u8,
    _alertable: u8,
    timeout: *const i64,
) -> NtStatus {
    // SAFETY: `timeout` is null or points to a time; the driver guarantees it.
    let limit = unsafe { limit(timeout) };
    // SAFETY: `address` points to an object that can be waited for; the driver guarantees it.
    let Some(waitable) = (unsafe { Waitable::at(address) }) else {
        return STATUS_INVALID_PARAMETER;
    };
    if wait::block(limit, || waitable.take()) {
        STATUS_SUCCESS
    } else {
        STATUS_TIMEOUT
    }
}

/// As for one object. Returns the place of the object that was ready, or success if all were to be.
pub(crate) unsafe extern "win64" fn multiple(
    count: u32,
    objects: *const *const Event,
    kind: i32,
    _reason: i32,
    _mode: u8,
    _alertable: u8,
    timeout: *const i64,
    blocks: usize,
) -> NtStatus {
    const WAIT_ALL: i32 = 0;
    const MAXIMUM_WAIT_OBJECTS_EXCEEDED: u32 = 0x0c;
    // `THREAD_WAIT_OBJECTS`, and `MAXIMUM_WAIT_OBJECTS`.
    let most = if blocks == 0 { 3 } else { 64 };
    if count > most {
        bugcheck::stop(MAXIMUM_WAIT_OBJECTS_EXCEEDED, [0; 4]);
    }
    // SAFETY: `timeout` is null or points to a time; the driver guarantees it.
    let limit = unsafe { limit(timeout) };
    let mut all = Vec::new();
    for place in 0..count as usize {
        // SAFETY: `objects` points to as many pointers; the driver guarantees it.
        let address = unsafe { objects.wrapping_add(place).read() };
        // SAFETY: each points to an object that can be waited for; the driver guarantees it.
        let Some(waitable) = (unsafe { Waitable::at(address) }) else {
            return STATUS_INVALID_PARAMETER;
        };
        all.push(waitable);
    }
    let found = Cell::new(0);
    let ready = || {
        if kind == WAIT_ALL {
            return all.iter().all(Waitable::is_ready) && all.iter().all(Waitable::take);
        }
        let place = all.iter().position(Waitable::take);
        found.set(place.unwrap_or_default());
        place.is_some()
    };
    if wait::block(limit, ready) {
        found.get() as NtStatus
    } else {
        STATUS_TIMEOUT
    }
}
