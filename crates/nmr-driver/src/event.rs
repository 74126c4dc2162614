//! [`KernelEvent`], on functions of the kernel.
// UNSAFETY: functions of the kernel, and memory that it writes to.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr;
use core::time::Duration;

use nmr::{Error, Event, NtStatus, Shared};

const NOTIFICATION_EVENT: i32 = 0;
const NO_BOOST: i32 = 0;
const EXECUTIVE: i32 = 0;
const KERNEL_MODE: i8 = 0;
const FALSE: u8 = 0;
const STATUS_SUCCESS: NtStatus = 0;

/// How many of the kernel's steps of time, of 100 nanoseconds, are in a second.
const STEPS_PER_SECOND: u64 = 10_000_000;
const NANOSECONDS_PER_STEP: u32 = 100;

// The Microsoft convention, as in nmr-sys. What calls these is inline, so that a program that does not use the
// event needs no kernel to link.
unsafe extern "efiapi" {
    fn KeInitializeEvent(event: *mut [u64; 3], kind: i32, state: u8);
    fn KeSetEvent(event: *mut [u64; 3], increment: i32, wait: u8) -> i32;
    fn KeResetEvent(event: *mut [u64; 3]) -> i32;
    fn KeWaitForSingleObject(
        object: *mut c_void,
        reason: i32,
        mode: i8,
        alertable: u8,
        timeout: *const i64,
    ) -> NtStatus;
    fn KeQueryUnbiasedInterruptTime() -> u64;
}

/// A `KEVENT` of the type `NotificationEvent`, in non-paged pool.
///
/// Its waits are in kernel mode and not alertable, and are counted on the clock that stands still
/// while the system sleeps.
///
/// # Invariants
///
/// The event is initialized.
pub struct KernelEvent(Shared<Place>);

/// Where an event stays: the kernel keeps pointers into it. 24 bytes on x64 and ARM64.
struct Place(UnsafeCell<[u64; 3]>);

// SAFETY: only functions of the kernel access it, which may be called from any thread.
unsafe impl Sync for Place {}

impl KernelEvent {
    fn as_ptr(&self) -> *mut [u64; 3] {
        self.0.0.get()
    }
}

impl Event for KernelEvent {
    /// Interrupt time, in steps of 100 nanoseconds.
    type Deadline = u64;

    #[inline]
    fn new() -> Result<Self, NtStatus> {
        let place = Shared::new(Place(UnsafeCell::new([0; 3]))).map_err(Error::status)?;
        // SAFETY: the memory must be an event's, not paged and for this function alone: it is in the
        // driver's pool, and was made just now.
        unsafe { KeInitializeEvent(place.0.get(), NOTIFICATION_EVENT, FALSE) };
        // INVARIANT: it is.
        Ok(Self(place))
    }

    #[inline]
    fn set(&self) {
        // SAFETY: the event must be initialized, by the invariant; no wait follows.
        unsafe { KeSetEvent(self.as_ptr(), NO_BOOST, FALSE) };
    }

    #[inline]
    fn reset(&self) {
        // SAFETY: the event must be initialized, by the invariant.
        unsafe { KeResetEvent(self.as_ptr()) };
    }

    #[inline]
    fn deadline(limit: Duration) -> u64 {
        let seconds = limit.as_secs().saturating_mul(STEPS_PER_SECOND);
        let rest = limit.subsec_nanos().div_ceil(NANOSECONDS_PER_STEP);
        now().saturating_add(seconds).saturating_add(rest.into())
    }

    #[inline]
    fn wait(&self, deadline: Option<u64>) -> bool {
        // Negative: from now.
        let left = |deadline: u64| {
            let left = deadline.saturating_sub(now());
            -i64::try_from(left).unwrap_or(i64::MAX)
        };
        let timeout = deadline.map(left);
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: the event must be initialized, by the invariant, and stay, which this borrow sees to;
        // the time must be null or valid.
        let status = unsafe {
            KeWaitForSingleObject(self.as_ptr().cast(), EXECUTIVE, KERNEL_MODE, FALSE, timeout)
        };
        status == STATUS_SUCCESS
    }
}

#[inline]
fn now() -> u64 {
    // SAFETY: it can be called anywhere.
    unsafe { KeQueryUnbiasedInterruptTime() }
}
