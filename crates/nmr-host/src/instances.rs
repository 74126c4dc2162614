//! The registrars of the process: one that all modules share, and as many others as tests make. A
//! handle says whose it is; a registration goes to the registrar that its thread has entered.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_machine::{Handle, INSTANCES, Key};

use crate::crash;
use crate::held;
use crate::memory::{self, Watcher};
use crate::nested::Nested;
use crate::policy::{MemoryChecks, Policy};
use crate::process;
use crate::shell::Shell;
use crate::stderr;
use crate::sync::{Arc, Mutex, PoisonError, RwLock, Weak, shared, thread_local};
use crate::worker::CleanUp;

shared! {
    static GLOBAL: Arc<Shell> = {
        process::watch_forks(lock_all, || global().lose_threads());
        let shell = Shell::new(0, global_policy());
        shell.set_recording(false);
        let shell = Arc::new(shell);
        watch_memory(&shell);
        crash::install(print_reports_in_handler);
        HAS_SHARED.store(true, Ordering::Release);
        shell
    };
}
/// Whether the shared registrar is there.
static HAS_SHARED: AtomicBool = AtomicBool::new(false);
/// The policy of the shared registrar, if the program sets it before the first use.
static CHOSEN: OnceLock<Policy> = OnceLock::new();
shared! {
    static OTHERS: RwLock<HashMap<u32, Weak<Shell>>> = RwLock::default();
}
shared! {
    static NEXT: Mutex<u32> = Mutex::new(1);
}

thread_local! {
    /// The registrars that this thread has entered. They are not dropped, so that they are there until the
    /// thread has ended; there are none then, because every stay has.
    static ENTERED: ManuallyDrop<RefCell<Nested<Held>>> =
        const { ManuallyDrop::new(RefCell::new(Nested::new())) };
}

/// Whether there was ever another registrar than the shared one. Until then no thread has entered
/// another, and it is not looked at whether it has.
static HAS_OTHERS: AtomicBool = AtomicBool::new(false);

/// A registrar as a thread holds it, without the cost of sharing it with other threads.
#[derive(Clone)]
enum Held {
    Shared(&'static Arc<Shell>),
    #[expect(
        clippy::redundant_allocation,
        reason = "to copy what is not shared with other threads takes no atomic operation"
    )]
    Own(Rc<Arc<Shell>>),
}

impl Deref for Held {
    type Target = Arc<Shell>;

    #[inline]
    fn deref(&self) -> &Arc<Shell> {
        match self {
            Self::Shared(shell) => shell,
            Self::Own(shell) => shell,
        }
    }
}

/// A thread's stay in a registrar: what its callbacks register, they register there.
#[must_use = "dropping this ends the stay"]
pub(crate) struct Here {
    held: Held,
    /// Whether the thread was in another one before.
    entered: bool,
}

impl Deref for Here {
    type Target = Arc<Shell>;

    #[inline]
    fn deref(&self) -> &Arc<Shell> {
        &self.held
    }
}

impl Drop for Here {
    #[inline]
    fn drop(&mut self) {
        if self.entered {
            leave();
        }
    }
}

/// The environment variable with the policy of the shared registrar.
pub(crate) const POLICY_VARIABLE: &str = "NMR_HOST_POLICY";

/// The policy of the shared registrar: what the program or else the environment says. Unless the
/// latter says otherwise reports are printed, because they may not be read otherwise.
fn global_policy() -> Policy {
    if let Some(policy) = CHOSEN.get() {
        return policy.clone();
    }
    let text = std::env::var_os(POLICY_VARIABLE).unwrap_or_default();
    let text = format!("report=print,{}", text.to_string_lossy());
    text.parse().unwrap_or_else(|error| {
        stderr::line(format_args!("{POLICY_VARIABLE}: {error}"));
        process::exit()
    })
}

/// Sets the policy of the shared registrar, unless it exists already. Returns whether it has this
/// policy now.
pub(crate) fn set_global_policy(policy: &Policy) -> bool {
    CHOSEN.get_or_init(|| policy.clone());
    global().policy == *policy
}

/// The registrar that all modules share.
pub(crate) fn global() -> &'static Arc<Shell> {
    &GLOBAL
}

/// Lets a registrar know of blocks, if its policy wants that.
fn watch_memory(shell: &Arc<Shell>) {
    if shell.policy.memory == MemoryChecks::Checked {
        let watcher: Weak<Shell> = Arc::downgrade(shell);
        memory::watch(watcher, current_watcher);
    }
}

/// The registrar of this thread, if its policy says that it checks memory.
fn current_watcher() -> Option<Arc<dyn Watcher>> {
    let here = current();
    let checks = here.policy.memory == MemoryChecks::Checked;
    checks.then(|| Arc::clone(&here) as Arc<dyn Watcher>)
}

/// Holds every lock of the shared registrar, each taken before those that are taken while it is held.
fn lock_all() -> Box<dyn Any> {
    // If it is just being made, this waits for it.
    let global = global();
    Box::new((
        io::stderr().lock(),
        OTHERS.write().unwrap_or_else(PoisonError::into_inner),
        NEXT.lock().unwrap_or_else(PoisonError::into_inner),
        memory::lock_lists(),
        held::lock(),
        global.lock(),
        memory::quarantine::lock(),
    ))
}

/// Prints the reports of each registrar that were not printed, in a handler of signals: without a lock that
/// another thread may hold, and without memory.
#[cfg(all(target_os = "linux", not(any(miri, shuttle, sanitized))))]
fn print_reports_in_handler() {
    let print = |shell: &Shell| shell.print_the_rest(&|text| stderr::line_of_handler(text));
    if HAS_SHARED.load(Ordering::Acquire) {
        print(global());
    }
    let Ok(others) = OTHERS.try_read() else {
        return;
    };
    for shell in others.values().filter_map(Weak::upgrade) {
        print(&shell);
        // Its drop would free memory if it was the last.
        std::mem::forget(shell);
    }
}

/// Elsewhere there are no handlers.
#[cfg(not(all(target_os = "linux", not(any(miri, shuttle, sanitized)))))]
fn print_reports_in_handler() {}

/// Makes a registrar of its own.
pub(crate) fn create(policy: Policy) -> Arc<Shell> {
    crash::install(print_reports_in_handler);
    let mut others = OTHERS.write().unwrap_or_else(PoisonError::into_inner);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    while others.contains_key(&*next) {
        *next = if *next + 1 == INSTANCES { 1 } else { *next + 1 };
    }
    HAS_OTHERS.store(true, Ordering::Relaxed);
    let shell = Arc::new(Shell::new(*next, policy));
    watch_memory(&shell);
    others.insert(*next, Arc::downgrade(&shell));
    *next = if *next + 1 == INSTANCES { 1 } else { *next + 1 };
    shell
}

/// Forgets a registrar: from now on its handles are invalid.
pub(crate) fn forget(shell: &Shell) {
    OTHERS
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&shell.instance);
}

/// Makes a registrar the one that this thread registers with.
pub(crate) fn enter(shell: Arc<Shell>) {
    let own = Held::Own(Rc::new(shell));
    ENTERED.with(|entered| entered.borrow_mut().push(own));
}

/// Undoes the last [`enter`].
pub(crate) fn leave() {
    let left = ENTERED.with(|entered| entered.borrow_mut().pop(|held| held.clone()));
    // The registrar may end with it, which looks for the one that this thread is in.
    drop(left);
}

/// Enters a registrar, unless this thread is in it already. Without memory it does not.
fn stay(held: Held) -> Here {
    let is_here = Arc::ptr_eq(&innermost().unwrap_or_else(shared), &held);
    let entered = !is_here
        && ENTERED.with(|entered| {
            let entered = &mut *entered.borrow_mut();
            let room = entered.reserve().is_ok();
            if room {
                entered.push(held.clone());
            }
            room
        });
    Here { held, entered }
}

/// The worker has no registrar of its own.
impl CleanUp for Shell {
    fn clean_up(self: &Arc<Self>, binding: Key) {
        let _stay = stay(match self.instance {
            0 => shared(),
            _ => Held::Own(Rc::new(Arc::clone(self))),
        });
        self.run_cleanups(binding);
    }
}

#[inline]
fn has_others() -> bool {
    HAS_OTHERS.load(Ordering::Relaxed)
}

/// The registrar that this thread has entered last.
#[inline]
fn innermost() -> Option<Held> {
    if !has_others() {
        return None;
    }
    ENTERED.with(|entered| entered.borrow().innermost().cloned())
}

fn shared() -> Held {
    Held::Shared(global())
}

/// The registrar that this thread registers with.
#[expect(clippy::inline_always, reason = "what it returns stays in registers")]
#[inline(always)]
pub(crate) fn current() -> Here {
    Here {
        held: innermost().unwrap_or_else(shared),
        entered: false,
    }
}

/// The registrar that issued a handle, which this thread enters, and the handle taken apart. If no
/// registrar did, the one that this thread registers with gets to report it.
#[expect(clippy::inline_always, reason = "what it returns stays in registers")]
#[inline(always)]
pub(crate) fn route(handle: usize) -> (Here, Option<Handle>) {
    let Some(handle) = Handle::of_value(handle) else {
        return (current(), None);
    };
    let here = current();
    if here.instance == handle.instance() {
        return (here, Some(handle));
    }
    elsewhere(here, handle)
}

/// The same for a handle of another registrar than the one that this thread has entered.
#[cold]
fn elsewhere(here: Here, handle: Handle) -> (Here, Option<Handle>) {
    if handle.instance() == 0 {
        return if global().was_issued(Some(handle)) {
            (stay(shared()), Some(handle))
        } else {
            (here, None)
        };
    }
    let others = OTHERS.read().unwrap_or_else(PoisonError::into_inner);
    let issuer = others.get(&handle.instance()).and_then(Weak::upgrade);
    drop(others);
    match issuer {
        Some(shell) => (stay(Held::Own(Rc::new(shell))), Some(handle)),
        None => (here, None),
    }
}
