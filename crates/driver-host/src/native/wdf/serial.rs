//! Synchronization scopes: which callbacks of a driver exclude each other, and at which level they run.
//!
//! A device and a queue have a callback lock. With a scope, callbacks run while their thread has it: a mutex for
//! callbacks at `PASSIVE_LEVEL`, else a spin lock, which raises the level.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use nmr_host::irql::{self, DISPATCH_LEVEL, Irql, PASSIVE_LEVEL};
use nmr_host::locks;

use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::lock::WaitLock;
use super::object::{self, Kind};
use super::{Handle, check_irql, image, refuse, violation};
use crate::native::kernel::irql as levels;
use crate::native::kernel::nt::{NtStatus, STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL};

/// Which callbacks exclude each other.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// Those of a device and of its queues.
    Device,
    /// Those of a queue.
    Queue,
    #[default]
    None,
}

/// The execution level and the synchronization scope in effect for an object.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Constraints {
    /// Whether callbacks run at `PASSIVE_LEVEL` only.
    pub(super) passive: bool,
    pub(super) scope: Scope,
}

/// `WdfExecutionLevelPassive`.
const PASSIVE: i32 = 2;

/// Returns `true` if attributes ask for callbacks at `PASSIVE_LEVEL`.
pub(super) fn is_passive(attributes: Option<WDF_OBJECT_ATTRIBUTES>) -> bool {
    attributes.is_some_and(|own| own.ExecutionLevel == PASSIVE)
}

impl Constraints {
    /// Those of an object below one with these. Its attributes have been checked.
    pub(super) fn below(self, attributes: Option<WDF_OBJECT_ATTRIBUTES>) -> Self {
        let Some(own) = attributes else {
            return self;
        };
        Self {
            passive: match own.ExecutionLevel {
                1 => self.passive,
                level => level == PASSIVE,
            },
            scope: match own.SynchronizationScope {
                1 => self.scope,
                2 => Scope::Device,
                3 => Scope::Queue,
                _ => Scope::None,
            },
        }
    }
}

/// A callback lock.
#[derive(Debug, Default)]
pub(super) struct CallbackLock {
    passive: bool,
    lock: WaitLock,
    /// The level of its owner before, if the driver has acquired it.
    before: AtomicU8,
}

/// A callback lock that this thread has.
struct Held<'a>(&'a CallbackLock);

impl CallbackLock {
    fn key(&self) -> usize {
        (&raw const *self).addr()
    }

    /// Takes the lock. A thread that has it already stops the host.
    fn acquire(&self) {
        locks::acquiring(self.key());
        self.lock.acquire(None);
        locks::acquired(self.key());
    }

    fn release(&self) -> bool {
        locks::released(self.key());
        self.lock.release()
    }

    /// Calls a callback with the lock, at its level.
    pub(super) fn hold(&self, callback: impl FnOnce()) {
        let level = if self.passive {
            PASSIVE_LEVEL
        } else {
            DISPATCH_LEVEL
        };
        let _raised = irql::raise(level);
        self.acquire();
        let _held = Held(self);
        callback();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Calls a callback, with a lock if there is one.
pub(super) fn call(lock: Option<&CallbackLock>, callback: impl FnOnce()) {
    match lock {
        Some(lock) => lock.hold(callback),
        None => callback(),
    }
}

/// How the callbacks of a driver, a device or a queue are called.
#[derive(Clone, Debug, Default)]
pub(super) struct Serial {
    pub(super) constraints: Constraints,
    lock: Arc<CallbackLock>,
}

impl Serial {
    /// With a lock of its own.
    pub(super) fn new(constraints: Constraints) -> Self {
        Self::with(constraints, constraints.passive)
    }

    /// That of a driver, whose callbacks always run at `PASSIVE_LEVEL`.
    pub(super) fn of_driver(constraints: Constraints) -> Self {
        Self::with(constraints, true)
    }

    fn with(constraints: Constraints, passive: bool) -> Self {
        let lock = CallbackLock {
            passive,
            ..CallbackLock::default()
        };
        Self {
            constraints,
            lock: Arc::new(lock),
        }
    }

    /// That of a queue of a device with this. Fails if the queue is to share the lock of a device with another level.
    pub(super) fn of_queue(
        &self,
        attributes: Option<WDF_OBJECT_ATTRIBUTES>,
    ) -> Result<Self, &'static str> {
        let constraints = self.constraints.below(attributes);
        if constraints.scope != Scope::Device {
            return Ok(Self::new(constraints));
        }
        if constraints.passive != self.constraints.passive {
            return Err("its scope is the device, which has another ExecutionLevel");
        }
        Ok(Self {
            constraints,
            lock: Arc::clone(&self.lock),
        })
    }

    /// The lock that callbacks are called with.
    pub(super) fn scope_lock(&self) -> Option<&CallbackLock> {
        (self.constraints.scope != Scope::None).then_some(&*self.lock)
    }

    /// Returns `true` if this thread must not call a callback: it has the lock, or is above the callback's level.
    pub(super) fn must_defer(&self) -> bool {
        self.constraints.passive && irql::current() > PASSIVE_LEVEL || self.lock.lock.is_owned()
    }
}

/// What an object below a device is called with, if its configuration asks for automatic serialization: the lock of the
/// queue or the device that it is below. Fails if that has a scope, and `parent` calls back at another level.
pub(super) fn automatic(
    function: &'static str,
    asked: u8,
    parent: Handle,
    passive: bool,
) -> Result<Option<Arc<CallbackLock>>, NtStatus> {
    if asked == 0 {
        return Ok(None);
    }
    let image = image();
    let is_passive = match object::kind(parent) {
        Some(Kind::Queue(queue)) => queue.serial.constraints.passive,
        Some(Kind::Device(device)) => device.is_passive,
        _ => false,
    };
    let above = object::ancestors(&image, parent);
    let serial = above.into_iter().find_map(|kind| serial_of(&kind));
    let Some(serial) = serial.filter(|serial| serial.constraints.scope != Scope::None) else {
        return Ok(None);
    };
    if is_passive == passive {
        return Ok(Some(serial.lock));
    }
    let text = if passive {
        "AutomaticSerialization, and its parent has a synchronization scope and no callbacks at PASSIVE_LEVEL"
    } else {
        "AutomaticSerialization, and its parent has a synchronization scope and callbacks at PASSIVE_LEVEL"
    };
    let status = STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL;
    Err(refuse(function, status, text))
}

fn serial_of(kind: &Kind) -> Option<Serial> {
    match kind {
        Kind::Queue(queue) => Some(queue.serial.clone()),
        Kind::Device(device) => Some(device.serial.clone()),
        _ => None,
    }
}

/// The callback lock of a driver, a device or a queue.
fn lock_of(handle: Handle) -> Arc<CallbackLock> {
    let serial = match object::kind(handle) {
        Some(Kind::Driver) => {
            let driver = image().framework().lock().driver.clone();
            driver.map(|driver| driver.serial)
        }
        kind => kind.as_ref().and_then(serial_of),
    };
    let Some(serial) = serial else {
        violation(format_args!(
            "{handle:p} has no callback lock: it is no driver, device or queue"
        ))
    };
    serial.lock
}

/// `WdfObjectAcquireLock`.
pub(crate) extern "win64" fn acquire(_globals: *const c_void, object: Handle) {
    let lock = lock_of(object);
    if lock.passive {
        check_irql(PASSIVE_LEVEL);
        nmr_host::may_block();
        lock.acquire();
    } else {
        check_irql(DISPATCH_LEVEL);
        let before = levels::raise(DISPATCH_LEVEL.max(irql::current()));
        lock.acquire();
        lock.before.store(before.0, Ordering::Relaxed);
    }
}

/// `WdfObjectReleaseLock`.
pub(crate) extern "win64" fn release(_globals: *const c_void, object: Handle) {
    let lock = lock_of(object);
    let before = Irql(lock.before.load(Ordering::Relaxed));
    if !lock.release() {
        violation("the thread does not own the callback lock");
    }
    if !lock.passive {
        levels::lower(before);
    }
}
