//! Timers: `KeInitializeTimer`, `KeInitializeTimerEx`, `KeSetTimer`, `KeSetTimerEx`, `KeCancelTimer`,
//! `KeReadStateTimer`. They can be waited for like [events](super::event), and queue a DPC when they are due.
// UNSAFETY: a timer is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nmr_host::irql::DISPATCH_LEVEL;

use super::dpc;
use super::object::{object, take};
use crate::native::kernel::call;
use crate::native::kernel::dpc::Kdpc;
use crate::native::kernel::irql::check_level;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::{runner, wait};

/// What an object that can be waited for has for its type if it is a timer of one kind or the other.
pub(super) const NOTIFICATION: u8 = 8;
pub(super) const SYNCHRONIZATION: u8 = 9;

/// `KTIMER`.
#[repr(C)]
pub(crate) struct Timer {
    kind: AtomicU8,
    _header: [u8; 3],
    state: AtomicI32,
    _waits: [usize; 2],
    _due: u64,
    /// What it is set as; 0 while it is not set.
    turn: AtomicUsize,
    _entry: usize,
    _dpc: usize,
    _period: u64,
}

const _: () = assert!(size_of::<Timer>() == 0x40);

impl Timer {
    /// Returns `true` if it is signaled.
    pub(super) fn is_signaled(&self) -> bool {
        self.state.load(Ordering::Acquire) != 0
    }

    /// Returns `true` if it is signaled. A synchronization timer lets one thread through.
    pub(super) fn take(&self, kind: u8) -> bool {
        take(&self.state, kind == SYNCHRONIZATION)
    }
}

pub(crate) unsafe extern "win64" fn initialize(timer: *const Timer) {
    // SAFETY: the driver passes memory for a timer.
    unsafe { initialize_ex(timer, 0) };
}

pub(crate) unsafe extern "win64" fn initialize_ex(timer: *const Timer, kind: i32) {
    // SAFETY: the driver passes memory for a timer.
    let timer = unsafe { object(timer) };
    timer
        .kind
        .store(NOTIFICATION + kind as u8, Ordering::Relaxed);
    timer.turn.store(0, Ordering::Relaxed);
    timer.state.store(0, Ordering::Release);
}

pub(crate) unsafe extern "win64" fn set(timer: *const Timer, due: i64, dpc: *const Kdpc) -> u8 {
    // SAFETY: the driver passes a timer, and a DPC or null.
    unsafe { set_ex(timer, due, 0, dpc) }
}

/// Returns whether it was set.
pub(crate) unsafe extern "win64" fn set_ex(
    timer: *const Timer,
    due: i64,
    period: i32,
    dpc: *const Kdpc,
) -> u8 {
    check_level(DISPATCH_LEVEL);
    let image = call::caller().image;
    // SAFETY: the driver passes a timer.
    let own = unsafe { object(timer) };
    let visit = image.inside.enter("a timer");
    let expiring = lock();
    own.state.store(0, Ordering::Relaxed);
    let before = own.turn.swap(visit as usize + 1, Ordering::AcqRel);
    let setting = Setting {
        timer: timer.expose_provenance(),
        dpc: dpc.expose_provenance(),
        visit,
        period: Duration::from_millis(u64::try_from(period).unwrap_or_default()),
    };
    let first = Instant::now() + wait::duration(due);
    let before = end(&image, before);
    drop(expiring);
    let system = Arc::clone(&image.system);
    runner::start(&system, move || setting.serve(&image, first));
    before.into()
}

/// Returns whether it was set.
pub(crate) unsafe extern "win64" fn cancel(timer: *const Timer) -> u8 {
    // SAFETY: the driver passes a timer.
    let timer = unsafe { object(timer) };
    let _expiring = lock();
    let before = timer.turn.swap(0, Ordering::AcqRel);
    end(&call::caller().image, before).into()
}

/// Ends what a timer was set as. Returns whether it was set.
fn end(image: &Loaded, turn: usize) -> bool {
    let set = turn != 0 && image.inside.leave(turn as u64 - 1);
    wait::ring();
    set
}

pub(crate) unsafe extern "win64" fn read(timer: *const Timer) -> u8 {
    // SAFETY: the driver passes a timer.
    let state = unsafe { object(timer) }.state.load(Ordering::Acquire);
    u8::from(state != 0)
}

/// A timer that is set, until it is due, canceled, or set again. What it is set as is the number of a visit:
/// nothing touches the timer once that has ended.
struct Setting {
    timer: usize,
    dpc: usize,
    visit: u64,
    period: Duration,
}

/// Held while a timer expires, so that it is either set or at rest for a driver that sets or cancels it.
static EXPIRING: Mutex<()> = Mutex::new(());

fn lock() -> MutexGuard<'static, ()> {
    EXPIRING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Setting {
    fn serve(&self, image: &Arc<Loaded>, first: Instant) {
        let mut due = first;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            let ended = || !image.inside.is_open(self.visit);
            if wait::block(Some(left), ended) || !self.expire(image) {
                return;
            }
            due += self.period;
        }
    }

    /// The timer is due: queues its DPC, and signals it. Returns whether it is due again.
    fn expire(&self, image: &Arc<Loaded>) -> bool {
        let expiring = lock();
        if !image.inside.is_open(self.visit) {
            return false;
        }
        let again = self.period != Duration::ZERO;
        let dpc = std::ptr::with_exposed_provenance::<Kdpc>(self.dpc);
        if !dpc.is_null() {
            // SAFETY: the driver keeps the DPC of a timer that is set.
            unsafe { dpc::queue(image, dpc, [0, 0]) };
        }
        // SAFETY: the driver keeps a timer that is set.
        let timer = unsafe { &*std::ptr::with_exposed_provenance::<Timer>(self.timer) };
        if !again {
            timer.turn.store(0, Ordering::Release);
            image.inside.leave(self.visit);
        }
        timer.state.store(1, Ordering::Release);
        drop(expiring);
        wait::ring();
        again
    }
}
