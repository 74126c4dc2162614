//! System threads: their objects, which can be waited for, with the handles and the references that a driver has.
// UNSAFETY: asks the system for the number of the thread.
#![expect(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::structure::Structure;
use super::system::System;
use super::wait;

/// What an object that can be waited for has for its type if it is a thread.
pub(crate) const THREAD: u8 = 6;

const KIND: usize = 0x00;
const STATE: usize = 0x04;
const SIZE: usize = 0x20;

/// What stands for the object of this thread, unless a driver has created it: an address of the kernel at which nothing is, and
/// which no other thread has. A handler of signals may ask.
pub(crate) fn current() -> usize {
    const FIRST: usize = 0xffff_c000_0000_0000;
    // SAFETY: it has no requirements.
    let number = unsafe { libc::gettid() };
    FIRST + ((number as usize) << 12)
}

/// A thread object.
#[derive(Debug)]
pub(crate) struct Thread(Structure);

impl Thread {
    pub(crate) fn new() -> io::Result<Self> {
        let touch = "touched a thread object after its last reference was released";
        let object = Structure::new(SIZE, touch)?;
        object.set(KIND, THREAD);
        Ok(Self(object))
    }

    pub(crate) fn address(&self) -> usize {
        self.0.address()
    }

    /// The thread has ended.
    pub(crate) fn signal(&self) {
        wait::locked(|| self.0.state(STATE).store(1, Ordering::Release));
    }
}

/// What a driver has of threads.
#[derive(Debug, Default)]
pub(crate) struct Threads(Mutex<Own>);

#[derive(Debug, Default)]
struct Own {
    handles: BTreeMap<usize, Arc<Thread>>,
    /// The threads that the driver has referenced, by their addresses, and how often.
    references: BTreeMap<usize, (Arc<Thread>, usize)>,
    /// The priorities that the driver has set, by the addresses of the threads.
    priorities: BTreeMap<usize, i32>,
}

impl Threads {
    /// Sets the priority of a thread, which makes no difference. Returns the one before.
    pub(crate) fn set_priority(&self, thread: usize, priority: i32) -> i32 {
        /// That of a system thread.
        const FIRST: i32 = 8;
        let before = self.lock().priorities.insert(thread, priority);
        before.unwrap_or(FIRST)
    }

    fn lock(&self) -> MutexGuard<'_, Own> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a handle. Handles of the kernel have their top bit set.
    pub(crate) fn open(&self, system: &System, thread: &Arc<Thread>) -> usize {
        let handle = 0xffff_ffff_8000_0000 | (system.next_handle() as usize) << 2;
        self.lock().handles.insert(handle, Arc::clone(thread));
        handle
    }

    /// Closes a handle. Returns `true` if it was open.
    pub(crate) fn close(&self, handle: usize) -> bool {
        self.lock().handles.remove(&handle).is_some()
    }

    /// References the thread of a handle. Returns the address of its object.
    pub(crate) fn reference_handle(&self, handle: usize) -> Option<usize> {
        let mut own = self.lock();
        let thread = Arc::clone(own.handles.get(&handle)?);
        let address = thread.address();
        own.references.entry(address).or_insert((thread, 0)).1 += 1;
        Some(address)
    }

    /// References a thread that is referenced. Returns how often it is now.
    pub(crate) fn reference(&self, address: usize) -> Option<usize> {
        let mut own = self.lock();
        let (_, count) = own.references.get_mut(&address)?;
        *count += 1;
        Some(*count)
    }

    /// Releases a reference. Returns how many there are still.
    pub(crate) fn dereference(&self, address: usize) -> Option<usize> {
        let mut own = self.lock();
        let (_, count) = own.references.get_mut(&address)?;
        *count -= 1;
        let left = *count;
        if left == 0 {
            own.references.remove(&address);
        }
        Some(left)
    }

    /// How many handles and references there are.
    pub(crate) fn left(&self) -> (usize, usize) {
        let own = self.lock();
        let references = own.references.values().map(|(_, count)| count).sum();
        (own.handles.len(), references)
    }
}

#[cfg(test)]
mod tests {
    use nmr_host::Policy;

    use super::*;

    #[test]
    fn a_thread_stays_while_it_is_referenced() {
        let system = System::new(Policy::default(), None);
        let (threads, thread) = (Threads::default(), Arc::new(Thread::new().unwrap()));
        let handle = threads.open(&system, &thread);
        let address = threads.reference_handle(handle).unwrap();
        assert_eq!(threads.reference(address), Some(2));
        assert!(threads.close(handle) && !threads.close(handle));
        assert_eq!(threads.left(), (0, 2));
        assert_eq!(threads.dereference(address), Some(1));
        assert_eq!(threads.dereference(address), Some(0));
        assert_eq!(threads.dereference(address), None);
        assert_eq!(Arc::strong_count(&thread), 1);
    }
}
