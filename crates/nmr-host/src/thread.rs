//! Threads as the registrar counts them, and the callbacks that each is inside.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::{self, ManuallyDrop};

use nmr_machine::{Key, ModuleLabel, Role};

use crate::irql::Irql;
use crate::nested::Nested;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Arc, Mutex, shared, thread_local};

shared! {
    static NEXT: AtomicU32 = AtomicU32::new(1);
}

thread_local! {
    static NUMBER: Cell<Option<u32>> = const { Cell::new(None) };
    /// It is not dropped, so that an allocator may look at it while a thread ends; it is empty then.
    static STAYS: ManuallyDrop<RefCell<Nested<Stay>>> =
        const { ManuallyDrop::new(RefCell::new(Nested::new())) };
    /// The last callback that has returned on this thread.
    static LAST: Cell<Option<Callback>> = const { Cell::new(None) };
    /// How many stays inside the last of those are not remembered, because memory ran out.
    static MISSED: Cell<usize> = const { Cell::new(0) };
    /// The [bits](bit) of the roles in which the last registration failed.
    static FAILED: Cell<u8> = const { Cell::new(0) };
}

/// The number of a thread, in the order in which threads first met a registrar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ThreadNumber(pub u32);

impl fmt::Display for ThreadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.0)
    }
}

/// The number of this thread.
#[must_use]
pub fn current() -> ThreadNumber {
    ThreadNumber(NUMBER.with(Cell::get).unwrap_or_else(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NUMBER.with(|own| own.set(Some(number)));
        number
    }))
}

/// A callback that a thread is inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Callback {
    pub(crate) kind: nmr_machine::Callback,
    pub(crate) instance: u32,
    /// The number of the binding, which both of its modules have to wait for.
    pub(crate) binding: u64,
    /// Whose callback it is.
    pub(crate) module: ModuleLabel,
    /// The other module of the binding.
    pub(crate) peer: ModuleLabel,
    /// The level at which it was called.
    pub(crate) irql: Irql,
    /// How many locks its thread held.
    pub(crate) locks: usize,
}

impl Callback {
    /// Its name in the NMR's manual.
    pub(crate) fn function(&self) -> &'static str {
        self.kind.name(self.module.role)
    }
}

/// Who wants to know when a thread leaves the code that has completed a detach.
pub(crate) trait Completions: fmt::Debug {
    /// This thread leaves the code that has completed a detach of a registration.
    fn completer_left(&self, registration: Key);
}

/// A stay of this thread in code of modules: a callback, or a visit that was announced.
#[derive(Debug)]
struct Stay {
    callback: Option<Callback>,
    /// Whether a reference of the thread keeps the module loaded.
    referenced: bool,
    /// The handles that were deregistered inside it.
    deregistered: Vec<usize>,
    /// The registrations whose detachments it has completed.
    completed: Vec<(Arc<dyn Completions>, Key)>,
}

/// A stay begins: in a callback, or in code that a reference keeps loaded.
pub(crate) fn enter(callback: Option<Callback>) {
    begin_stay(callback, callback.is_none());
}

/// A stay begins, with no reference that keeps the module loaded.
pub(crate) fn enter_unreferenced() {
    begin_stay(None, false);
}

shared! {
    /// The last callback that any thread has begun, for one that has begun none.
    static LAST_OF_ALL: Mutex<Option<(ThreadNumber, Callback)>> = Mutex::new(None);
}

/// The callback that a crash of this thread has to do with, as a handler of signals prints it.
#[cfg_attr(
    not(all(target_os = "linux", not(any(miri, shuttle)))),
    allow(dead_code, reason = "elsewhere there are no handlers")
)]
#[derive(Clone, Copy, Debug)]
pub(crate) enum LastCallback {
    /// This thread is inside it.
    Inside(Callback),
    /// It was the last on this thread, and has returned.
    After(Callback),
    /// It was the last on another thread.
    Elsewhere(ThreadNumber, Callback),
}

impl fmt::Display for LastCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callback = match self {
            Self::Inside(callback) => {
                f.write_str("inside ")?;
                callback
            }
            Self::After(callback) => {
                f.write_str("after ")?;
                callback
            }
            Self::Elsewhere(thread, callback) => {
                write!(
                    f,
                    "outside of callbacks; the last was, on thread {thread}, "
                )?;
                callback
            }
        };
        write!(
            f,
            "{} of {}, binding {} with {}",
            callback.function(),
            callback.module,
            callback.binding,
            callback.peer
        )
    }
}

/// The callback that a crash of this thread has to do with. It waits for no lock and takes no memory.
#[cfg_attr(
    not(all(target_os = "linux", not(any(miri, shuttle)))),
    allow(dead_code, reason = "elsewhere there are no handlers")
)]
pub(crate) fn last_callback() -> Option<LastCallback> {
    if let Some(callback) = callback() {
        return Some(LastCallback::Inside(callback));
    }
    if let Some(callback) = LAST.with(Cell::get) {
        return Some(LastCallback::After(callback));
    }
    let (thread, callback) = (*LAST_OF_ALL.try_lock().ok()?)?;
    Some(LastCallback::Elsewhere(thread, callback))
}

fn begin_stay(callback: Option<Callback>, referenced: bool) {
    // If another thread begins one now, that is as good.
    if let (Some(callback), Ok(mut last)) = (callback, LAST_OF_ALL.try_lock()) {
        *last = Some((current(), callback));
    }
    let stay = Stay {
        callback,
        referenced,
        deregistered: Vec::new(),
        completed: Vec::new(),
    };
    let missed = MISSED.with(Cell::get);
    let has_room = missed == 0 && with_stays(|stays| stays.reserve().is_ok());
    if has_room {
        with_stays(|stays| stays.push(stay));
    } else {
        MISSED.with(|count| count.set(missed + 1));
    }
}

fn with_stays<T>(run: impl FnOnce(&mut Nested<Stay>) -> T) -> T {
    STAYS.with(|stays| run(&mut stays.borrow_mut()))
}

/// Appends a value. Returns whether there was memory for it.
fn push<T>(list: &mut Vec<T>, value: T) -> bool {
    let room = list.try_reserve(1).is_ok();
    if room {
        list.push(value);
    }
    room
}

/// The innermost stay ends.
pub(crate) fn leave() {
    let missed = MISSED.with(Cell::get);
    if missed > 0 {
        MISSED.with(|count| count.set(missed - 1));
        return;
    }
    let completed = with_stays(|stays| {
        stays.pop(|stay| {
            if stay.callback.is_some() {
                LAST.with(|last| last.set(stay.callback));
            }
            mem::take(&mut stay.completed)
        })
    });
    for (registrar, registration) in completed.unwrap_or_default() {
        registrar.completer_left(registration);
    }
}

/// The callback that this thread is inside. It does not allocate, and may be called where a signal has
/// interrupted the thread.
pub(crate) fn callback() -> Option<Callback> {
    STAYS.with(|stays| {
        stays
            .try_borrow()
            .ok()?
            .iter()
            .find_map(|stay| stay.callback)
    })
}

/// The callbacks that this thread is inside, the innermost last.
pub(crate) fn callbacks() -> Vec<Callback> {
    let mut callbacks = Vec::new();
    with_stays(|stays| {
        // Nothing but a report depends on them, so none are announced if there is no memory.
        let inside = || stays.iter().filter_map(|stay| stay.callback);
        if callbacks.try_reserve_exact(inside().count()).is_ok() {
            callbacks.extend(inside());
        }
    });
    callbacks.reverse();
    callbacks
}

/// Changes the innermost stay, if there is one. Returns whether that worked.
fn change(change: impl FnOnce(&mut Stay) -> bool) -> bool {
    with_stays(|stays| stays.innermost_mut().is_some_and(change))
}

/// A registration was deregistered, perhaps inside a callback.
pub(crate) fn note_deregistered(handle: usize) {
    change(|stay| push(&mut stay.deregistered, handle));
}

/// Returns `true` if a callback that this thread is inside has deregistered this.
pub(crate) fn has_deregistered(handle: usize) -> bool {
    let by_callback = |stay: &Stay| stay.callback.is_some() && stay.deregistered.contains(&handle);
    with_stays(|stays| stays.iter().any(by_callback))
}

/// A detachment of a registration is being completed. Returns `true` if that is inside a stay whose end
/// will be reported, and no reference keeps the module loaded until then.
pub(crate) fn note_completed(registrar: Arc<dyn Completions>, registration: Key) -> bool {
    change(|stay| !stay.referenced && push(&mut stay.completed, (registrar, registration)))
}

/// Remembers whether the last registration in a role failed on this thread.
pub(crate) fn set_register_failed(role: Role, failed: bool) {
    FAILED.with(|flags| {
        let others = flags.get() & !bit(role);
        flags.set(if failed { others | bit(role) } else { others });
    });
}

fn bit(role: Role) -> u8 {
    match role {
        Role::Client => 1,
        Role::Provider => 2,
    }
}

/// Returns `true` if it did.
pub(crate) fn register_failed(role: Role) -> bool {
    FAILED.with(Cell::get) & bit(role) != 0
}

/// The number of the binding whose callback this thread is inside, if it is inside one: so that a
/// module under test can identify the binding that is being made.
#[must_use]
pub fn current_binding() -> Option<u64> {
    callback().map(|callback| callback.binding)
}
