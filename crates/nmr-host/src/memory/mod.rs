//! The rules about memory: what modules lend to the NMR must be there, must not change, and must not
//! be freed too early or never.
//!
//! | file | what it does |
//! |---|---|
//! | `ledger` | remembers what was lent, and says which rule a change, a free or a touch breaks |
//! | `probe` | reads memory that may not be there |
//! | `code` | knows where code is, and whether it can be paged out |
//! | `examine` | looks at the arguments of a registration with the two |
//! | `quarantine` | an allocator whose freed blocks cannot be touched unnoticed |
//! | `arena` | the pages that it takes its blocks from |
//! | `fault` | what happens when such a block is touched |
//! | `linux`, `elsewhere` | what the system is asked, and what is said where it cannot be |
//!
//! Nothing of it runs unless the policy says `memory=checked`, or a module allocates from the
//! quarantine.
//!
//! # Alternatives
//!
//! * To read memory that may not be there: a handler of `SIGSEGV` with a way back needs assembly for
//!   each processor; `/proc/self/mem` ignores protections, so it would read what the quarantine
//!   closes; a `write` to a pipe needs two calls. `process_vm_readv` is one call and knows no
//!   exceptions.
//! * To find early frees: looking at defined moments only (offer, detach, wait) misses what happens
//!   between two of them and cannot say who did it. The quarantine asks the registrars whenever a
//!   block is freed, so the report comes from the very call.
//! * To survive a touch: a module that touches a freed block would end the process, and with it the
//!   other reports. So the block is opened, filled with a pattern, and the module goes on.
#![cfg_attr(
    not(all(target_os = "linux", not(any(miri, shuttle)))),
    allow(
        dead_code,
        reason = "where the system cannot be asked, most of it has no use"
    )
)]

mod arena;
pub mod code;
#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
mod elsewhere;
mod examine;
mod extent;
mod fault;
mod ledger;
#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
mod linux;
mod probe;
pub mod quarantine;

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;

#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
use elsewhere as system;
#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
use linux as system;

pub(crate) use examine::{examine, owner};
pub use extent::Extent;
pub(crate) use extent::LARGEST;
pub(crate) use fault::Toucher;
pub(crate) use ledger::{Breach, Ledger};
pub(crate) use probe::copy;

use crate::sync::{Arc, Mutex, PoisonError, Weak, shared};
use quarantine::Block;

/// What a module lends to the NMR.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lent {
    /// The characteristics that it registered with.
    Characteristics,
    /// The interface's identifier, to which the characteristics point.
    NpiId,
    /// Its own identifier.
    ModuleId,
    /// The characteristics that are the interface's own.
    NpiSpecificCharacteristics,
    /// The context of the registration.
    RegistrationContext,
    /// The context of a binding.
    BindingContext,
    /// The dispatch table of a binding.
    Dispatch,
    /// Nothing that is lent: any memory of a module.
    Memory,
}

impl fmt::Display for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characteristics => "characteristics",
            Self::NpiId => "NpiId",
            Self::ModuleId => "ModuleId",
            Self::NpiSpecificCharacteristics => "NpiSpecificCharacteristics",
            Self::RegistrationContext => "registration context",
            Self::BindingContext => "binding context",
            Self::Dispatch => "dispatch table",
            Self::Memory => "memory",
        })
    }
}

/// The memory that a report is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LentMemory {
    /// What it is to the NMR.
    pub lent: Lent,
    /// Its address.
    pub address: usize,
    /// The block of the quarantine that it is in, if it is in one.
    pub block: Option<Block>,
}

impl fmt::Display for LentMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} at {:#x}", self.lent, self.address)?;
        self.block
            .as_ref()
            .map_or(Ok(()), |block| write!(f, " in {block}"))
    }
}

/// A registrar that wants to know of blocks of the quarantine.
pub(crate) trait Watcher: Send + Sync {
    /// A block was freed on this thread.
    fn freed(&self, block: &Block);
    /// A freed block was freed again on this thread (V-86).
    fn freed_again(&self, block: &Block);
    /// A freed block was touched. Returns whether a report explains that.
    fn touched(&self, block: &Block, toucher: &Toucher) -> bool;
}

shared! {
    static WATCHERS: Mutex<Vec<Weak<dyn Watcher>>> = Mutex::new(Vec::new());
}

/// Finds the registrar of this thread, if it wants to know of blocks.
pub(crate) type Current = fn() -> Option<Arc<dyn Watcher>>;

static CURRENT: OnceLock<Current> = OnceLock::new();

fn current_watcher() -> Option<Arc<dyn Watcher>> {
    CURRENT.get().and_then(|current| current())
}

/// Lets a registrar know of blocks.
pub(crate) fn watch(watcher: Weak<dyn Watcher>, current: Current) {
    CURRENT.get_or_init(|| current);
    let mut watchers = WATCHERS.lock().unwrap_or_else(PoisonError::into_inner);
    watchers.retain(|watcher| watcher.strong_count() > 0);
    watchers.push(watcher);
}

/// Holds the locks of what is known of registrars and of images.
pub(crate) fn lock_lists() -> impl Any {
    let watchers = WATCHERS.lock().unwrap_or_else(PoisonError::into_inner);
    (watchers, code::lock())
}

fn watchers() -> Vec<Arc<dyn Watcher>> {
    let watchers = WATCHERS.lock().unwrap_or_else(PoisonError::into_inner);
    watchers.iter().filter_map(Weak::upgrade).collect()
}
