//! Which locks threads hold and want, and which of them wait for the end of a registration meanwhile.

use std::any::Any;
use std::cell::RefCell;

use nmr_machine::Blocker;

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, shared, thread_local};
use crate::thread::{self, Callback, ThreadNumber};

thread_local! {
    static HELD: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

shared! {
    static TABLE: Mutex<Table> = Mutex::default();
}

/// Who wants which lock, and who waits for the end of a registration while holding some.
#[derive(Default)]
struct Table {
    wanted: Vec<Wanted>,
    waiting: Vec<Waiting>,
}

/// A thread wants a lock.
#[derive(Clone, Debug)]
struct Wanted {
    lock: usize,
    thread: ThreadNumber,
    /// The callbacks that it is inside.
    callbacks: Vec<Callback>,
}

/// A thread waits for the end of a registration.
#[derive(Clone)]
struct Waiting {
    held: Vec<usize>,
    thread: ThreadNumber,
    /// The registrar.
    instance: u32,
    /// Reports V-81.
    report: Arc<dyn Fn() + Send + Sync>,
    /// The bindings that it waits for.
    bindings: Vec<u64>,
    /// Whether V-81 was reported for it.
    reported: bool,
}

impl Waiting {
    /// Returns `true` if this wait cannot end before the other thread gets its lock.
    fn blocks(&self, wanted: &Wanted) -> bool {
        let inside = |callback: &Callback| {
            callback.instance == self.instance && self.bindings.contains(&callback.binding)
        };
        self.held.contains(&wanted.lock) && wanted.callbacks.iter().any(inside)
    }

    /// Returns `true` if it is still to be reported, and is from now on.
    fn claim(&mut self) -> bool {
        !std::mem::replace(&mut self.reported, true)
    }
}

/// Runs something with the locks that this thread holds, unless it has ended so far that it has none.
fn with_held<T>(run: impl FnOnce(&mut Vec<usize>) -> T) -> Option<T> {
    HELD.try_with(|held| run(&mut held.borrow_mut())).ok()
}

/// Holds the lock of what threads want and wait for.
pub(crate) fn lock() -> impl Any {
    table()
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The attach callback that this thread is inside and that it has entered with this lock, which it is about
/// to take again.
pub(crate) fn attach_that_holds(lock: usize) -> Option<Callback> {
    let held = with_held(|held| held.iter().position(|&other| other == lock)).flatten()?;
    let attaches = |callback: &Callback| {
        callback.kind == nmr_machine::Callback::Attach && held < callback.locks
    };
    thread::callbacks().into_iter().rfind(attaches)
}

/// This thread wants a lock. Reports the waits that cannot end before it has got it.
pub(crate) fn want(lock: usize) {
    let wanted = Wanted {
        lock,
        thread: thread::current(),
        callbacks: thread::callbacks(),
    };
    let mut table = table();
    let stuck: Vec<Waiting> = table
        .waiting
        .iter_mut()
        .filter_map(|waiting| (waiting.blocks(&wanted) && waiting.claim()).then(|| waiting.clone()))
        .collect();
    // Without memory this wait is not known.
    if table.wanted.try_reserve(1).is_ok() {
        table.wanted.push(wanted);
    }
    drop(table);
    for waiting in stuck {
        (waiting.report)();
    }
}

/// This thread has a lock now, or has given up: it wants it no more.
pub(crate) fn stop_wanting(lock: usize) {
    let thread = thread::current();
    table()
        .wanted
        .retain(|wanted| (wanted.lock, wanted.thread) != (lock, thread));
}

/// This thread has a lock.
pub(crate) fn add(lock: usize) {
    with_held(|held| {
        if held.try_reserve(1).is_ok() {
            held.push(lock);
        }
    });
}

/// It has given one back.
pub(crate) fn remove(lock: usize) {
    with_held(|held| {
        if let Some(place) = held.iter().rposition(|&other| other == lock) {
            held.remove(place);
        }
    });
}

/// How many locks this thread holds.
pub(crate) fn count() -> usize {
    with_held(|held| held.len()).unwrap_or(0)
}

/// A wait that this thread makes while it holds locks. Dropping it ends it.
pub(crate) struct Wait(ThreadNumber);

impl Wait {
    /// The thread is about to block. `None` if it holds no lock. `report` reports V-81.
    pub(crate) fn begin(
        instance: u32,
        blockers: &[Blocker],
        report: impl Fn() + Send + Sync + 'static,
    ) -> Option<Self> {
        let held = with_held(|held| held.clone()).unwrap_or_default();
        if held.is_empty() {
            return None;
        }
        let thread = thread::current();
        let mut waiting = Waiting {
            held,
            thread,
            instance,
            report: Arc::new(report),
            bindings: blockers.iter().map(|blocker| blocker.binding).collect(),
            reported: false,
        };
        let mut table = table();
        let stuck = table.wanted.iter().any(|wanted| waiting.blocks(wanted));
        waiting.reported = stuck;
        table.waiting.push(waiting.clone());
        drop(table);
        if stuck {
            (waiting.report)();
        }
        Some(Self(thread))
    }

    /// Returns `true` if another thread wants a lock that this one holds, for the first time.
    pub(crate) fn is_in_the_way(&self) -> bool {
        let mut table = table();
        let Table { wanted, waiting } = &mut *table;
        let own = waiting.iter_mut().find(|waiting| waiting.thread == self.0);
        own.is_some_and(|own| {
            let mut others = wanted.iter().filter(|wanted| wanted.thread != self.0);
            others.any(|wanted| own.held.contains(&wanted.lock)) && own.claim()
        })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        table().waiting.retain(|waiting| waiting.thread != self.0);
    }
}
