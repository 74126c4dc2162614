//! The registrars of the process: one that everybody shares, and as many others as tests make. A
//! handle says whose it is; a registration goes to the registrar that its thread has entered.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_machine::{Handle, INSTANCES};

use crate::memory;
use crate::nested::Nested;
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
        shell
    };
}
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

/// Makes a registrar of its own.
pub(crate) fn create(policy: Policy) -> Arc<Shell> {
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
    let own = Held::Own(Rc::new(shell));
    ENTERED.with(|entered| entered.borrow_mut().push(own));
}

/// Undoes the last [`enter`].
pub(crate) fn leave() {
    let left = ENTERED.with(|entered| entered.borrow_mut().pop(Held::clone));
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

/// Enters a registrar on a thread of its own.
pub(crate) fn stay_in(shell: &Arc<Shell>) -> Here {
    stay(match shell.instance {
        0 => shared(),
        _ => Held::Own(Rc::new(Arc::clone(shell))),
    })
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
#[inline]
pub(crate) fn current() -> Here {
    Here {
        held: innermost().unwrap_or_else(shared),
        entered: false,
    }
}

/// The registrar that issued a handle, which this thread enters, and the handle taken apart. If no
/// registrar did, the one that this thread registers with gets to report it.
#[inline]
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
