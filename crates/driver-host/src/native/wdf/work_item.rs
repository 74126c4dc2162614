//! Work items: callbacks that run on a thread of the host.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::call;
use super::checks::{self, Parent, check_size};
use super::image;
use super::layout::{Callback, WDF_OBJECT_ATTRIBUTES, WDF_WORKITEM_CONFIG};
use super::object::{self, Kind};
use super::refuse;
use super::serial::{self, CallbackLock};
use super::violation;
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};
use crate::native::kernel::runner;
use crate::native::wdf::Handle;

/// A `WDFWORKITEM`.
#[derive(Debug)]
pub(super) struct WorkItem {
    callback: Callback,
    lock: Option<Arc<CallbackLock>>,
    state: Mutex<State>,
    idle: Condvar,
}

/// Enqueuing an item that waits to run changes nothing; one that runs runs again.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct State {
    queued: bool,
    running: bool,
}

const FUNCTION: &str = "WdfWorkItemCreate";

/// `WdfWorkItemCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    config: *const WDF_WORKITEM_CONFIG,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    if config.is_null() || output.is_null() {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "an argument is null");
    }
    // SAFETY: the configuration is valid; the driver guarantees it.
    let config = unsafe { config.read() };
    if let Err(status) = check(config) {
        return status;
    }
    // SAFETY: the attributes are valid; the driver guarantees it.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Required, false) };
    let made = checked.and_then(|attributes| {
        let parent = checks::device_above(FUNCTION, attributes)?;
        let asked = config.AutomaticSerialization;
        let lock = serial::automatic(FUNCTION, asked, parent, true)?;
        let item = WorkItem {
            callback: config.EvtWorkItemFunc,
            lock,
            state: Mutex::default(),
            idle: Condvar::new(),
        };
        object::make(&image(), Kind::WorkItem(Arc::new(item)), None, attributes)
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

fn check(config: WDF_WORKITEM_CONFIG) -> Result<(), NtStatus> {
    check_size(
        FUNCTION,
        config.Size,
        size_of::<WDF_WORKITEM_CONFIG>(),
        "configuration",
    )?;
    if config.EvtWorkItemFunc == 0 {
        return Err(refuse(
            FUNCTION,
            STATUS_INVALID_PARAMETER,
            "there is no callback",
        ));
    }
    Ok(())
}

fn find(item: Handle) -> Arc<WorkItem> {
    match object::kind(item) {
        Some(Kind::WorkItem(item)) => item,
        _ => violation(format_args!("{item:p} is not a work item")),
    }
}

/// `WdfWorkItemEnqueue`.
pub(crate) extern "win64" fn enqueue(_globals: *const c_void, handle: Handle) {
    let item = find(handle);
    if !item.queue() {
        return;
    }
    let (image, handle) = (image(), handle.addr());
    let system = Arc::clone(&image.system);
    // From now on a thread is going to be in the image.
    let visit = image.inside.enter("a work item");
    runner::start(&system, move || {
        item.begin();
        let handle = ptr::without_provenance_mut(handle);
        serial::call(item.lock.as_deref(), || {
            call::object(&image, "EvtWorkItem", item.callback, handle);
        });
        image.inside.leave(visit);
        item.end();
    });
}

impl WorkItem {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.idle.notify_all();
        result
    }

    /// Returns whether it was not queued yet.
    fn queue(&self) -> bool {
        self.change(|state| !std::mem::replace(&mut state.queued, true))
    }

    /// Waits until no other thread runs it, and runs it.
    fn begin(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.running {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *state = State {
            queued: false,
            running: true,
        };
    }

    fn end(&self) {
        self.change(|state| state.running = false);
    }

    /// Waits until it neither waits nor runs.
    pub(super) fn flush(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while *state != State::default() {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// `WdfWorkItemFlush`.
pub(crate) extern "win64" fn flush(_globals: *const c_void, item: Handle) {
    nmr_host::may_block();
    find(item).flush();
}

/// `WdfWorkItemGetParentObject`.
pub(crate) extern "win64" fn parent(_globals: *const c_void, item: Handle) -> Handle {
    object::parent(item)
}
