//! Interlocked lists: `ExInterlockedInsertHeadList`, `ExInterlockedInsertTailList`, `ExInterlockedRemoveHeadList`,
//! `ExInterlockedPushEntryList`, `ExInterlockedPopEntryList`, each with the spin lock of its list; and sequenced
//! lists, which need none: `InitializeSListHead`, `ExpInterlockedPushEntrySList`, `ExpInterlockedPopEntrySList`,
//! `ExpInterlockedFlushSList`, `ExQueryDepthSList`.
//!
//! All may be called at any level, by the pages of these names in Microsoft's reference of `wdm.h`: the sequenced
//! ones are `ExInterlockedPushEntrySList`, `ExInterlockedPopEntrySList` and `ExInterlockedFlushSList` there.
// UNSAFETY: lists are in the memory of images.
#![expect(unsafe_code)]

use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::object::object;
use crate::native::kernel::call::misuse;
use crate::native::kernel::spin;

/// `LIST_ENTRY`: the next entry, and the one before. The head of a list is one.
#[repr(C)]
pub(crate) struct Entry {
    next: AtomicPtr<Self>,
    before: AtomicPtr<Self>,
}

/// Does something while this thread has the lock of a list.
fn locked<T>(lock: &AtomicUsize, change: impl FnOnce() -> T) -> T {
    super::spin::lock(lock);
    let result = change();
    spin::unlock(lock);
    result
}

/// The head of a list, and its lock.
///
/// # Safety
///
/// `head` points to a list, and `lock` to its spin lock.
unsafe fn list_and_lock<'a, H>(
    head: *const H,
    lock: *const AtomicUsize,
) -> (&'a H, &'a AtomicUsize) {
    // SAFETY: there is a lock, by this contract.
    let lock = unsafe { object(lock) };
    // SAFETY: there is a list, by this contract.
    (unsafe { object(head) }, lock)
}

/// Puts an entry between two others.
fn insert(entry: &Entry, before: &Entry, next: &Entry) {
    entry.next.store(ptr::from_ref(next).cast_mut(), Relaxed);
    entry
        .before
        .store(ptr::from_ref(before).cast_mut(), Relaxed);
    before.next.store(ptr::from_ref(entry).cast_mut(), Relaxed);
    next.before.store(ptr::from_ref(entry).cast_mut(), Relaxed);
}

/// An entry that is not the head, or null.
fn other_than(head: *const Entry, entry: *mut Entry) -> *mut Entry {
    if entry.cast_const() == head {
        ptr::null_mut()
    } else {
        entry
    }
}

/// Returns the first entry before, or null if the list was empty.
pub(crate) unsafe extern "win64" fn insert_head(
    head: *const Entry,
    entry: *const Entry,
    lock: *const AtomicUsize,
) -> *mut Entry {
    // SAFETY: the driver passes a list and its lock.
    let (list, lock) = unsafe { list_and_lock(head, lock) };
    // SAFETY: `entry` points to an entry; the driver guarantees it.
    let entry = unsafe { object(entry) };
    locked(lock, || {
        let first = list.next.load(Relaxed);
        // SAFETY: the list leads to its entries; the driver guarantees it.
        insert(entry, list, unsafe { object(first) });
        other_than(head, first)
    })
}

/// Returns the last entry before, or null if the list was empty.
pub(crate) unsafe extern "win64" fn insert_tail(
    head: *const Entry,
    entry: *const Entry,
    lock: *const AtomicUsize,
) -> *mut Entry {
    // SAFETY: the driver passes a list and its lock.
    let (list, lock) = unsafe { list_and_lock(head, lock) };
    // SAFETY: `entry` points to an entry; the driver guarantees it.
    let entry = unsafe { object(entry) };
    locked(lock, || {
        let before = list.before.load(Relaxed);
        // SAFETY: the list leads to its entries; the driver guarantees it.
        insert(entry, unsafe { object(before) }, list);
        other_than(head, before)
    })
}

/// Returns the first entry, or null.
pub(crate) unsafe extern "win64" fn remove_head(
    head: *const Entry,
    lock: *const AtomicUsize,
) -> *mut Entry {
    // SAFETY: the driver passes a list and its lock.
    let (list, lock) = unsafe { list_and_lock(head, lock) };
    locked(lock, || {
        let first = other_than(head, list.next.load(Relaxed));
        if !first.is_null() {
            // SAFETY: the list leads to its entries; the driver guarantees it.
            let next = unsafe { object(first) }.next.load(Relaxed);
            list.next.store(next, Relaxed);
            // SAFETY: as above.
            unsafe { object(next) }
                .before
                .store(head.cast_mut(), Relaxed);
        }
        first
    })
}

/// `SINGLE_LIST_ENTRY`, which the head of such a list is as well.
#[repr(C)]
pub(crate) struct Single {
    next: AtomicPtr<Self>,
}

/// Returns the first entry before.
pub(crate) unsafe extern "win64" fn push(
    head: *const Single,
    entry: *mut Single,
    lock: *const AtomicUsize,
) -> *mut Single {
    // SAFETY: the driver passes a list and its lock.
    let (list, lock) = unsafe { list_and_lock(head, lock) };
    // SAFETY: `entry` points to an entry; the driver guarantees it.
    let own = unsafe { object(entry) };
    locked(lock, || {
        let first = list.next.swap(entry, Relaxed);
        own.next.store(first, Relaxed);
        first
    })
}

/// Returns the first entry, or null.
pub(crate) unsafe extern "win64" fn pop(
    head: *const Single,
    lock: *const AtomicUsize,
) -> *mut Single {
    // SAFETY: the driver passes a list and its lock.
    let (list, lock) = unsafe { list_and_lock(head, lock) };
    locked(lock, || {
        let first = list.next.load(Relaxed);
        if !first.is_null() {
            // SAFETY: the list leads to its entries; the driver guarantees it.
            let next = unsafe { object(first) }.next.load(Relaxed);
            list.next.store(next, Relaxed);
        }
        first
    })
}

/// `SLIST_HEADER`: the number of entries in the lowest 16 bits and how often the list was changed in the rest of
/// the first word; the first entry, without its lowest four bits, in the second.
#[repr(C, align(16))]
#[derive(Default)]
pub(crate) struct Sequenced {
    counts: AtomicU64,
    first: AtomicUsize,
}

const _: () = assert!(size_of::<Sequenced>() == 16);

/// Held while a sequenced list is read or changed: drivers do that with these functions only.
static CHANGING: Mutex<()> = Mutex::new(());

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sequenced {
    fn first(&self) -> *mut Single {
        ptr::with_exposed_provenance_mut(self.first.load(Relaxed) & !15)
    }

    fn depth(&self) -> u16 {
        self.counts.load(Relaxed) as u16
    }

    fn set(&self, first: *mut Single, depth: u16) {
        const CHANGE: u64 = 0x1_0000;
        let counts = (self.counts.load(Relaxed) & !0xffff).wrapping_add(CHANGE);
        self.counts.store(counts | u64::from(depth), Relaxed);
        self.first.store(first.expose_provenance(), Relaxed);
    }

    /// Puts an entry in front. Returns the first entry before.
    fn push(&self, entry: &Single) -> *mut Single {
        let _changing = changing();
        let first = self.first();
        entry.next.store(first, Relaxed);
        let depth = self.depth().wrapping_add(1);
        self.set(ptr::from_ref(entry).cast_mut(), depth);
        first
    }

    /// Takes the first entry away.
    pub(super) fn pop(&self) -> *mut Single {
        let _changing = changing();
        let first = self.first();
        if !first.is_null() {
            // SAFETY: the list leads to its entries, which the driver keeps while they are in it.
            let next = unsafe { object(first) }.next.load(Relaxed);
            self.set(next, self.depth().wrapping_sub(1));
        }
        first
    }

    /// How many entries there are.
    fn count(&self) -> u16 {
        let _changing = changing();
        self.depth()
    }
}

/// Makes an empty list.
pub(crate) unsafe extern "win64" fn initialize(head: *mut Sequenced) {
    // SAFETY: `head` points to memory for a list; the driver guarantees it.
    let _touched = unsafe { object(head) };
    // SAFETY: as above.
    unsafe { head.write(Sequenced::default()) };
}

/// Returns the first entry before.
pub(crate) unsafe extern "win64" fn push_sequenced(
    head: *const Sequenced,
    entry: *const Single,
) -> *mut Single {
    if !entry.addr().is_multiple_of(16) {
        misuse(format!("the entry {entry:p} is not aligned to 16 bytes"));
    }
    // SAFETY: `entry` points to an entry; the driver guarantees it.
    let entry = unsafe { object(entry) };
    // SAFETY: `head` points to a list; the driver guarantees it.
    unsafe { object(head) }.push(entry)
}

/// Returns the first entry, or null.
pub(crate) unsafe extern "win64" fn pop_sequenced(head: *const Sequenced) -> *mut Single {
    // SAFETY: `head` points to a list; the driver guarantees it.
    unsafe { object(head) }.pop()
}

/// Empties a list. Returns its first entry, which leads to the others, or null.
pub(crate) unsafe extern "win64" fn flush_sequenced(head: *const Sequenced) -> *mut Single {
    // SAFETY: `head` points to a list; the driver guarantees it.
    let list = unsafe { object(head) };
    let _changing = changing();
    let first = list.first();
    list.set(ptr::null_mut(), 0);
    first
}

/// How many entries there are.
pub(crate) unsafe extern "win64" fn depth(head: *const Sequenced) -> u16 {
    // SAFETY: `head` points to a list; the driver guarantees it.
    unsafe { object(head) }.count()
}
