//! Timers: callbacks that run at `DISPATCH_LEVEL` when a time has come, or at `PASSIVE_LEVEL` if the
//! driver asks for that.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nmr_host::ThreadNumber;
use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use super::call;
use super::check_irql;
use super::checks::{self, Parent, check_size};
use super::image;
use super::layout::{Callback, WDF_OBJECT_ATTRIBUTES, WDF_TIMER_CONFIG};
use super::object::{self, Kind};
use super::refuse;
use super::serial::{self, CallbackLock};
use super::violation;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED, STATUS_SUCCESS,
    STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID,
};
use crate::native::kernel::runner;
use crate::native::kernel::wait;
use crate::native::kernel::work;
use crate::native::wdf::Handle;

/// A `WDFTIMER`.
#[derive(Debug)]
pub(super) struct Timer {
    callback: Callback,
    /// Zero if it runs once.
    period: Duration,
    passive: bool,
    lock: Option<Arc<CallbackLock>>,
    state: Mutex<State>,
    /// Rings when anything changes.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// When the callback is to run next.
    due: Option<Instant>,
    /// The thread that runs the callback.
    running: Option<ThreadNumber>,
    /// Whether a thread waits for the time, or runs the callback.
    served: bool,
}

const FUNCTION: &str = "WdfTimerCreate";
/// The sizes of its configuration up to KMDF 1.7 and 1.11.
const OLDER: [usize; 2] = [0x18, 0x20];
const INHERIT: i32 = 1;
const NO_SCOPE: i32 = 4;

/// `WdfTimerCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    config: *const WDF_TIMER_CONFIG,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    if config.is_null() || output.is_null() {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "an argument is null");
    }
    // SAFETY: the configuration is valid; the driver guarantees it.
    let config = unsafe { checks::read_sized(config, &OLDER) };
    // SAFETY: the attributes are valid; the driver guarantees it.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Required, true) };
    let made = checked.and_then(|attributes| {
        let mut timer = Timer::new(config, attributes)?;
        let parent = checks::device_above(FUNCTION, attributes)?;
        let asked = config.AutomaticSerialization;
        timer.lock = serial::automatic(FUNCTION, asked, parent, timer.passive)?;
        object::make(&image(), Kind::Timer(Arc::new(timer)), None, attributes)
    });
    match made {
        Ok(handle) => {
            // SAFETY: the output is valid; the driver guarantees it.
            unsafe { output.write(handle) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

fn find(timer: Handle) -> Arc<Timer> {
    match object::kind(timer) {
        Some(Kind::Timer(timer)) => timer,
        _ => violation(format_args!("{timer:p} is not a timer")),
    }
}

/// `WdfTimerStart`. Returns whether the timer was started already.
pub(crate) extern "win64" fn start(_globals: *const c_void, handle: Handle, due: i64) -> u8 {
    check_irql(DISPATCH_LEVEL);
    let timer = find(handle);
    let (before, served) = timer.set(wait::duration(due));
    if !served {
        let (image, handle) = (image(), handle.addr());
        let system = Arc::clone(&image.system);
        runner::start(&system, move || {
            timer.serve(&image, ptr::without_provenance_mut(handle));
        });
    }
    before.into()
}

/// `WdfTimerStop`. Returns whether the timer was started.
pub(crate) extern "win64" fn stop(_globals: *const c_void, timer: Handle, wait: u8) -> u8 {
    check_irql(if wait == 0 {
        DISPATCH_LEVEL
    } else {
        PASSIVE_LEVEL
    });
    let timer = find(timer);
    if wait != 0 && timer.lock().running == Some(nmr_host::current_thread()) {
        violation("a timer's callback cannot wait for its own end");
    }
    let before = timer.cancel();
    if wait != 0 {
        timer.wait_while(|state| state.running.is_some());
    }
    before.into()
}

/// `WdfTimerGetParentObject`.
pub(crate) extern "win64" fn parent(_globals: *const c_void, timer: Handle) -> Handle {
    find(timer);
    object::parent(timer)
}

impl Timer {
    fn new(
        config: WDF_TIMER_CONFIG,
        attributes: Option<WDF_OBJECT_ATTRIBUTES>,
    ) -> Result<Self, NtStatus> {
        if !OLDER.contains(&(config.Size as usize)) {
            let expected = size_of::<WDF_TIMER_CONFIG>();
            check_size(FUNCTION, config.Size, expected, "configuration")?;
        }
        if config.EvtTimerFunc == 0 {
            let text = "there is no callback";
            return Err(refuse(FUNCTION, STATUS_INVALID_PARAMETER, text));
        }
        let scope = attributes.map_or(INHERIT, |own| own.SynchronizationScope);
        if ![INHERIT, NO_SCOPE].contains(&scope) {
            let text = "it has no SynchronizationScope";
            let status = STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID;
            return Err(refuse(FUNCTION, status, text));
        }
        let passive = serial::is_passive(attributes);
        if passive && config.Period != 0 {
            let text = "a timer at PASSIVE_LEVEL has no period";
            return Err(refuse(FUNCTION, STATUS_NOT_SUPPORTED, text));
        }
        Ok(Self {
            callback: config.EvtTimerFunc,
            period: Duration::from_millis(config.Period.into()),
            passive,
            lock: None,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the time. Returns whether there was one, and whether a thread waits for it.
    fn set(&self, after: Duration) -> (bool, bool) {
        let mut state = self.lock();
        let before = state.due.replace(Instant::now() + after).is_some();
        let served = std::mem::replace(&mut state.served, true);
        self.changed.notify_all();
        (before, served)
    }

    /// Takes the time away. Returns whether there was one.
    fn cancel(&self) -> bool {
        let before = self.lock().due.take().is_some();
        self.changed.notify_all();
        before
    }

    fn wait_while(&self, busy: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        while busy(&state) {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stops it for good: nothing of it runs any more.
    pub(super) fn finish(&self) {
        self.cancel();
        self.wait_while(|state| state.served);
    }

    /// Waits for the time and runs the callback, until there is no time.
    fn serve(&self, image: &Loaded, handle: Handle) {
        let mut state = self.lock();
        while let Some(due) = state.due {
            let left = due.saturating_duration_since(Instant::now());
            if left != Duration::ZERO {
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            state.due = (self.period != Duration::ZERO).then(|| due + self.period);
            state.running = Some(nmr_host::current_thread());
            drop(state);
            self.run(image, handle);
            state = self.lock();
            state.running = None;
            self.changed.notify_all();
        }
        state.served = false;
        self.changed.notify_all();
    }

    fn run(&self, image: &Loaded, handle: Handle) {
        let level = if self.passive {
            PASSIVE_LEVEL
        } else {
            DISPATCH_LEVEL
        };
        work::at_level(image, "EvtTimerFunc", level, || {
            serial::call(self.lock.as_deref(), || {
                call::object(image, "EvtTimerFunc", self.callback, handle);
            });
        });
    }
}
