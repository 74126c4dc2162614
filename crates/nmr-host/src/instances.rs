//! The registrars of the process: one that everybody shares, and as many others as tests make. A
//! handle says whose it is; a registration goes to the registrar that its thread has entered.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_machine::{Handle, INSTANCES};

use crate::crash;
use crate::memory;
use crate::policy::Policy;
use crate::process;
use crate::shell::Shell;
use crate::stderr;
use crate::sync::{Arc, Mutex, PoisonError, RwLock, Weak, shared, thread_local};

shared! {
    static GLOBAL: Arc<Shell> = {
        process::watch_forks();
        let shell = Shell::new(0, global_policy());
        shell.set_recording(false);
        let shell = Arc::new(shell);
        memory::watch(&shell);
        crash::install();
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
    static ENTERED: RefCell<Vec<Here>> = const { RefCell::new(Vec::new()) };
}

/// Whether there was ever another registrar than the shared one. Until then no thread has entered
/// another, and it is not looked at whether it has.
static HAS_OTHERS: AtomicBool = AtomicBool::new(false);

/// A registrar as a thread holds it, without the cost of sharing it with other threads.
#[derive(Clone)]
pub(crate) enum Here {
    Shared(&'static Arc<Shell>),
    #[expect(
        clippy::redundant_allocation,
        reason = "to copy what is not shared with other threads takes no atomic operation"
    )]
    Own(Rc<Arc<Shell>>),
}

impl Deref for Here {
    type Target = Arc<Shell>;

    fn deref(&self) -> &Arc<Shell> {
        match self {
            Self::Shared(shell) => shell,
            Self::Own(shell) => shell,
        }
    }
}

/// Runs something with the registrars that this thread has entered, unless it has ended so far that it
/// has none.
fn with_entered<T>(run: impl FnOnce(&mut Vec<Here>) -> T) -> Option<T> {
    ENTERED
        .try_with(|entered| run(&mut entered.borrow_mut()))
        .ok()
}

/// The environment variable with the policy of the shared registrar.
pub(crate) const POLICY_VARIABLE: &str = "NMR_HOST_POLICY";

/// The policy of the shared registrar: what the program or else the environment says. Unless the
/// latter says otherwise reports are printed, because nobody else may look at them.
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

/// The registrar that everybody shares.
pub(crate) fn global() -> &'static Arc<Shell> {
    &GLOBAL
}

/// Holds the locks here.
pub(crate) fn lock() -> impl Any {
    (
        OTHERS.write().unwrap_or_else(PoisonError::into_inner),
        NEXT.lock().unwrap_or_else(PoisonError::into_inner),
    )
}

/// Runs something with each registrar, in a handler of signals: without a lock that another thread may
/// hold, and without memory.
#[cfg_attr(
    not(all(target_os = "linux", not(any(miri, shuttle)))),
    allow(dead_code, reason = "elsewhere there are no handlers")
)]
pub(crate) fn for_each_in_handler(run: impl Fn(&Shell)) {
    if HAS_SHARED.load(Ordering::Acquire) {
        run(global());
    }
    let Ok(others) = OTHERS.try_read() else {
        return;
    };
    for shell in others.values().filter_map(Weak::upgrade) {
        run(&shell);
        // Its drop would free memory if it was the last.
        std::mem::forget(shell);
    }
}

/// Makes a registrar of its own.
pub(crate) fn create(policy: Policy) -> Arc<Shell> {
    crash::install();
    let mut others = OTHERS.write().unwrap_or_else(PoisonError::into_inner);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    while others.contains_key(&*next) {
        *next = if *next + 1 == INSTANCES { 1 } else { *next + 1 };
    }
    HAS_OTHERS.store(true, Ordering::Relaxed);
    let shell = Arc::new(Shell::new(*next, policy));
    memory::watch(&shell);
    others.insert(*next, Arc::downgrade(&shell));
    *next = if *next + 1 == INSTANCES { 1 } else { *next + 1 };
    shell
}

/// Forgets a registrar: from now on its handles are nobody's.
pub(crate) fn forget(shell: &Shell) {
    OTHERS
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&shell.instance);
}

/// Makes a registrar the one that this thread registers with.
pub(crate) fn enter(shell: Arc<Shell>) {
    with_entered(|entered| entered.push(Here::Own(Rc::new(shell))));
}

/// Undoes the last [`enter`].
pub(crate) fn leave() {
    with_entered(Vec::pop);
}

/// A thread's stay in a registrar that calls modules.
#[must_use = "dropping this ends the stay"]
pub(crate) struct Stay {
    entered: bool,
}

/// Enters a registrar, unless this thread is in it already.
pub(crate) fn stay(shell: &Arc<Shell>) -> Stay {
    if !has_others() {
        return Stay { entered: false };
    }
    let entered = with_entered(|entered| {
        let is_here = entered.last().is_some_and(|here| Arc::ptr_eq(here, shell));
        if is_here || entered.try_reserve(1).is_err() {
            return false;
        }
        entered.push(match shell.instance {
            0 => shared(),
            _ => Here::Own(Rc::new(Arc::clone(shell))),
        });
        true
    });
    Stay {
        entered: entered == Some(true),
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if self.entered {
            leave();
        }
    }
}

#[inline]
fn has_others() -> bool {
    HAS_OTHERS.load(Ordering::Relaxed)
}

/// The registrar that this thread has entered last.
fn innermost() -> Option<Here> {
    if !has_others() {
        return None;
    }
    with_entered(|entered| entered.last().cloned()).flatten()
}

fn shared() -> Here {
    Here::Shared(global())
}

/// The registrar that this thread registers with.
pub(crate) fn current() -> Here {
    innermost().unwrap_or_else(shared)
}

/// The registrar that issued a handle, and the handle taken apart. If nobody did, the registrar
/// that this thread registers with gets to report it.
#[inline]
pub(crate) fn route(handle: usize) -> (Here, Option<Handle>) {
    let Some(handle) = Handle::of_value(handle) else {
        return (current(), None);
    };
    let instance = handle.instance();
    if !has_others() && instance == 0 {
        return (shared(), Some(handle));
    }
    let innermost = with_entered(|entered| {
        let innermost = entered.last();
        innermost.filter(|here| here.instance == instance).cloned()
    });
    match innermost.flatten() {
        Some(here) => (here, Some(handle)),
        None => elsewhere(handle),
    }
}

/// The same for a handle of another registrar than the one that this thread has entered.
fn elsewhere(handle: Handle) -> (Here, Option<Handle>) {
    if handle.instance() == 0 {
        return match innermost() {
            Some(here) if !global().was_issued(Some(handle)) => (here, None),
            _ => (shared(), Some(handle)),
        };
    }
    let others = OTHERS.read().unwrap_or_else(PoisonError::into_inner);
    match others.get(&handle.instance()).and_then(Weak::upgrade) {
        Some(shell) => (Here::Own(Rc::new(shell)), Some(handle)),
        None => (current(), None),
    }
}
