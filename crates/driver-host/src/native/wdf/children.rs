//! The children of a bus device, and their enumeration: what Plug and Play does when a bus driver reports that one came or went.
//!
//! A child that is reported gets its device on a thread of the host, once the bus device is started, and is started at once,
//! as if a driver that does nothing were on it. One that is missing is removed there.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::child_list::{self, Description};
use super::device;
use super::io::Phase;
use super::object;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::failed;
use crate::native::kernel::runner;
use crate::native::wdf::Handle;

/// Whether a child is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    /// Reported, and not enumerated yet.
    Pending,
    Present,
    /// Reported as missing, and not removed yet.
    Missing,
}

/// A child.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) number: u64,
    /// What identifies it in the child list. A static child has a device from the start instead.
    pub(super) description: Option<Arc<Description>>,
    /// The number of its device, once it has one.
    pub(super) device: Option<usize>,
    pub(super) presence: Presence,
    /// Whether it was reported in the scan that goes on.
    pub(super) seen: bool,
}

/// The children of a device.
#[derive(Debug, Default)]
pub(super) struct Children {
    state: Mutex<State>,
    /// Rings when an enumeration ends.
    idle: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) all: Vec<Child>,
    last: u64,
    /// How many scans and iterations go on, during which no child comes or goes.
    held: usize,
    enumerating: bool,
    /// Whether the bus device is being removed.
    closed: bool,
}

impl State {
    /// Adds a child.
    pub(super) fn add(&mut self, description: Option<Arc<Description>>, device: Option<usize>) {
        self.last += 1;
        self.all.push(Child {
            number: self.last,
            description,
            device,
            presence: Presence::Pending,
            seen: true,
        });
    }

    fn find(&mut self, number: u64) -> Option<&mut Child> {
        self.all.iter_mut().find(|child| child.number == number)
    }
}

impl Children {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps children from coming and going.
    pub(super) fn hold(&self) {
        self.lock().held += 1;
    }

    /// Undoes a [`hold`](Self::hold). Returns `false` if there is none.
    pub(super) fn let_go(&self) -> bool {
        let mut state = self.lock();
        let held = state.held.checked_sub(1);
        state.held = held.unwrap_or(0);
        held.is_some()
    }

    /// The device of a child has been created.
    pub(super) fn set_device(&self, number: u64, device: Handle) {
        if let Some(child) = self.lock().find(number) {
            child.device = object::id(device);
        }
    }

    /// Keeps children from coming from now on, and waits for an enumeration. Returns those that there are.
    fn close(&self) -> Vec<Child> {
        let mut state = self.lock();
        state.closed = true;
        while state.enumerating {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        mem::take(&mut state.all)
    }

    /// Returns `true` if an enumeration is to begin, which the caller has to do.
    fn begin(&self) -> bool {
        let mut state = self.lock();
        let begins = !state.enumerating && !state.closed && state.held == 0;
        state.enumerating |= begins;
        begins
    }

    /// The next child to create or to remove, or the end of the enumeration.
    fn next(&self) -> Option<Child> {
        let mut state = self.lock();
        let work = |child: &&Child| child.presence != Presence::Present;
        let next = state.all.iter().find(work).cloned();
        if state.held != 0 || state.closed || next.is_none() {
            state.enumerating = false;
            self.idle.notify_all();
            return None;
        }
        next
    }
}

/// Removes the children of a device that is being removed, the youngest first.
pub(super) fn remove_all(image: &Arc<Loaded>, children: &Children) {
    for child in children.close().into_iter().rev() {
        if let Some(device) = child.device {
            device::remove(image, object::handle(device));
        }
        if let Some(description) = &child.description {
            description.clean_up(image);
        }
    }
}

/// Enumerates the children of a bus device on a thread of the host, if it is started.
pub(super) fn schedule(image: &Arc<Loaded>, bus: usize) {
    let Some(device) = device::of(image, bus) else {
        return;
    };
    if device.io.lock().phase != Phase::Started || !device.children.begin() {
        return;
    }
    let (system, image) = (Arc::clone(&image.system), Arc::clone(image));
    runner::start(&system, move || run(&image, bus, &device.children));
}

/// Enumerates the children of a device that has just been started.
pub(super) fn enumerate(image: &Arc<Loaded>, bus: usize) {
    let Some(device) = device::of(image, bus) else {
        return;
    };
    if device.children.begin() {
        run(image, bus, &device.children);
    }
}

fn run(image: &Arc<Loaded>, bus: usize, children: &Children) {
    while let Some(child) = children.next() {
        let stays = match child.presence {
            Presence::Missing => {
                if let Some(device) = child.device {
                    device::remove(image, object::handle(device));
                }
                false
            }
            _ => come(image, bus, children, &child),
        };
        let mut state = children.lock();
        if stays {
            if let Some(own) = state
                .find(child.number)
                .filter(|own| own.presence == child.presence)
            {
                own.presence = Presence::Present;
            }
        } else {
            state.all.retain(|own| own.number != child.number);
            drop(state);
            if let Some(description) = &child.description {
                description.clean_up(image);
            }
        }
    }
}

/// Creates the device of a child if it has none yet, and starts it. Returns `true` if the child stays.
fn come(image: &Arc<Loaded>, bus: usize, children: &Children, child: &Child) -> bool {
    if let Some(description) = &child.description {
        let status = child_list::create_device(image, bus, child.number, description);
        let created = children
            .lock()
            .find(child.number)
            .and_then(|own| own.device);
        let Some(device) = created else {
            return false;
        };
        if failed(status) {
            device::remove(image, object::handle(device));
            return false;
        }
        return start(image, device);
    }
    child.device.is_some_and(|device| start(image, device))
}

fn start(image: &Arc<Loaded>, device: usize) -> bool {
    let handle = object::handle(device);
    let started = !failed(device::start(image, handle));
    if !started {
        device::remove(image, handle);
    }
    started
}
