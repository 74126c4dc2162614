//! Push locks and executive resources: locks that are held by one thread, or by several that share.
//! Both count: -1 held by one, else how many share.
// UNSAFETY: a lock is in the memory of an image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use nmr_host::irql::{self, APC_LEVEL};

use super::object::object;
use crate::native::kernel::call::misuse;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};
use crate::native::kernel::wait;

/// `EX_PUSH_LOCK`.
pub(crate) type PushLock = AtomicIsize;

/// `ERESOURCE`, of which only these parts are used.
#[repr(C)]
pub(crate) struct Resource {
    _entry: [usize; 2],
    state: AtomicIsize,
    /// The thread that holds it alone, and how often more.
    owner: AtomicUsize,
    depth: AtomicUsize,
    _rest: [usize; 8],
}

const _: () = assert!(size_of::<Resource>() == 0x68);

const EXCLUSIVE: isize = -1;

fn check_level() {
    if irql::current() > APC_LEVEL {
        misuse(format!("called at {}", irql::current()));
        nmr_host::may_block();
    }
}

fn try_exclusive(state: &AtomicIsize) -> bool {
    state
        .compare_exchange(0, EXCLUSIVE, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

fn try_shared(state: &AtomicIsize) -> bool {
    let more = |count| (count != EXCLUSIVE).then_some(count + 1);
    state
        .fetch_update(Ordering::Acquire, Ordering::Relaxed, more)
        .is_ok()
}

fn release(state: &AtomicIsize) {
    let less = |count| match count {
        0 => None,
        EXCLUSIVE => Some(0),
        count => Some(count - 1),
    };
    let released = state.fetch_update(Ordering::Release, Ordering::Relaxed, less);
    if released.is_err() {
        misuse("nothing holds the lock");
    }
    wait::ring();
}

pub(crate) unsafe extern "win64" fn initialize(lock: *const PushLock) {
    // SAFETY: the driver passes memory for a lock.
    unsafe { object(lock) }.store(0, Ordering::Release);
}

pub(crate) unsafe extern "win64" fn acquire_exclusive(lock: *const PushLock, _flags: u32) {
    check_level();
    // SAFETY: the driver passes a lock.
    let lock = unsafe { object(lock) };
    wait::block(None, || try_exclusive(lock));
}

pub(crate) unsafe extern "win64" fn acquire_shared(lock: *const PushLock, _flags: u32) {
    check_level();
    // SAFETY: the driver passes a lock.
    let lock = unsafe { object(lock) };
    wait::block(None, || try_shared(lock));
}

pub(crate) unsafe extern "win64" fn release_exclusive(lock: *const PushLock, _flags: u32) {
    // SAFETY: the driver passes a lock.
    let lock = unsafe { object(lock) };
    if lock.load(Ordering::Relaxed) == EXCLUSIVE {
        release(lock);
    } else {
        misuse("no thread holds the lock alone");
    }
}

pub(crate) unsafe extern "win64" fn release_shared(lock: *const PushLock, _flags: u32) {
    // SAFETY: the driver passes a lock.
    let lock = unsafe { object(lock) };
    if lock.load(Ordering::Relaxed) > 0 {
        release(lock);
    } else {
        misuse("no thread shares the lock");
    }
}

fn me() -> usize {
    nmr_host::current_thread().0 as usize + 1
}

impl Resource {
    fn is_mine(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == me()
    }

    /// Takes it for one thread, which may have it already.
    fn acquire(&self, wait: bool) -> bool {
        if self.is_mine() {
            self.depth.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        let limit = (!wait).then_some(std::time::Duration::ZERO);
        let taken = wait::block(limit, || try_exclusive(&self.state));
        if taken {
            self.owner.store(me(), Ordering::Relaxed);
        }
        taken
    }

    fn release(&self) {
        if !self.is_mine() {
            release(&self.state);
            return;
        }
        let deeper = |depth: usize| depth.checked_sub(1);
        let depth = self
            .depth
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, deeper);
        if depth.is_err() {
            self.owner.store(0, Ordering::Relaxed);
            release(&self.state);
        }
    }
}

pub(crate) unsafe extern "win64" fn initialize_resource(resource: *const Resource) -> NtStatus {
    // SAFETY: the driver passes memory for a resource.
    let resource = unsafe { object(resource) };
    resource.owner.store(0, Ordering::Relaxed);
    resource.depth.store(0, Ordering::Relaxed);
    resource.state.store(0, Ordering::Release);
    STATUS_SUCCESS
}

pub(crate) unsafe extern "win64" fn delete_resource(resource: *const Resource) -> NtStatus {
    // SAFETY: the driver passes a resource.
    if unsafe { object(resource) }.state.load(Ordering::Acquire) != 0 {
        misuse("a thread holds the resource");
    }
    STATUS_SUCCESS
}

pub(crate) unsafe extern "win64" fn acquire_resource(resource: *const Resource, wait: u8) -> u8 {
    check_level();
    // SAFETY: the driver passes a resource.
    unsafe { object(resource) }.acquire(wait != 0).into()
}

pub(crate) unsafe extern "win64" fn share_resource(resource: *const Resource, wait: u8) -> u8 {
    check_level();
    // SAFETY: the driver passes a resource.
    let resource = unsafe { object(resource) };
    if resource.is_mine() {
        return resource.acquire(true).into();
    }
    let limit = (wait == 0).then_some(std::time::Duration::ZERO);
    wait::block(limit, || try_shared(&resource.state)).into()
}

pub(crate) unsafe extern "win64" fn release_resource(resource: *const Resource) {
    // SAFETY: the driver passes a resource.
    unsafe { object(resource) }.release();
}

pub(crate) unsafe extern "win64" fn has_resource(resource: *const Resource) -> u8 {
    // SAFETY: the driver passes a resource.
    unsafe { object(resource) }.is_mine().into()
}
