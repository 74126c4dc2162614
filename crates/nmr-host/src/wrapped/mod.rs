//! Calls between modules, made visible. The NMR hands a module's dispatch table to its peer and
//! never sees what the two do with it. For an interface that a program wants watched, the registrar
//! hands out a [copy](table) of the table instead, whose functions lead through a [trampoline]: it notes
//! the call on the [watch] of the binding, goes on to the real function, and notes the return.
//!
//! What was handed out stays until the registrar is dropped, so that a call that comes too late is
//! a report, and not a crash of its own.

mod hold;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
mod stubs;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
mod table;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", not(miri))))]
#[path = "elsewhere.rs"]
mod table;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
mod trampoline;
mod watch;

use std::collections::HashMap;
use std::fmt;

use nmr_machine::{Key, ModuleLabel, Role, Rule};
use nmr_sys::{GUID, Opaque};

use crate::layout::{Convention, InterfaceLayout, TableLayout};
use crate::record::Note;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub use hold::HeldCall;
pub(crate) use hold::Holds;
use table::Tables;
pub(crate) use watch::Watch;

/// How the calls of an interface are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wrapping {
    /// Whether a module may call its peer between its detach callback and the end of its detach. The default
    /// is that it may: what it claimed before the detach, a rundown reference or a `Call` of the crate `nmr`,
    /// covers calls that complete or cancel requests, or close what is still open, as WSK does with sockets. The
    /// registrar does not see claims. Without closing calls, such a call is an error (V-48).
    pub closing_calls: bool,
    /// Whether every call and its return get into the [record](crate::Record), too.
    pub recorded: bool,
}

impl Default for Wrapping {
    fn default() -> Self {
        Self {
            closing_calls: true,
            recorded: false,
        }
    }
}

/// Why the calls of an interface cannot be watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unwrappable {
    /// Only an x86-64 process on Linux can, and not under Miri.
    Platform,
    /// A table has functions that do not fit or are not aligned, is above 64 KiB, or has callbacks that
    /// are not among the first four arguments of its functions.
    Table(Role),
}

impl fmt::Display for Unwrappable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("calls can be watched only on x86-64 Linux"),
            Self::Table(role) => write!(f, "the {role}'s table cannot be as it is described"),
        }
    }
}

impl std::error::Error for Unwrappable {}

/// The registrar whose bindings are watched.
pub(crate) trait Host: fmt::Debug + Send + Sync {
    fn wrapped(&self) -> &Wrapped;
    /// How many entries its record has.
    fn recorded(&self) -> u64;
    fn add_note(&self, note: Note);
    /// Reports a rule that a call between modules breaks: to which binding, by whom, with whom.
    fn report_call(
        &self,
        rule: Rule,
        ends: (u64, ModuleLabel, ModuleLabel),
        function: &'static str,
        called: Option<usize>,
    );
}

/// What a registrar watches.
#[derive(Debug, Default)]
pub(crate) struct Wrapped {
    /// Whether it watches anything. Until then nothing here costs more than this.
    is_on: AtomicBool,
    state: Mutex<State>,
    /// The calls that are held.
    pub(crate) holds: Holds,
}

/// Finds out where the functions of a table are. `None` if it is not to be copied.
type Measure = Box<dyn Fn(*const ()) -> Option<TableLayout> + Send + Sync>;

#[derive(Default)]
pub(crate) struct State {
    interfaces: HashMap<GUID, (InterfaceLayout, Wrapping)>,
    /// How all other interfaces are watched, if they are.
    others: Option<(Wrapping, Measure)>,
    /// The last attach of each binding that there ever was.
    watches: HashMap<Key, Arc<Watch>>,
    tables: Tables,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("interfaces", &self.interfaces)
            .field("others", &self.others.as_ref().map(|(how, _)| how))
            .finish_non_exhaustive()
    }
}

impl Wrapped {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, tables of this interface are copied.
    pub(crate) fn add(
        &self,
        interface: InterfaceLayout,
        wrapping: Wrapping,
    ) -> Result<(), Unwrappable> {
        if let Some(role) = interface.impossible() {
            return Err(Unwrappable::Table(role));
        }
        if !Tables::WORK {
            return Err(Unwrappable::Platform);
        }
        self.lock()
            .interfaces
            .insert(interface.npi, (interface, wrapping));
        self.is_on.store(true, Ordering::Release);
        Ok(())
    }

    /// From now on, tables of every other interface are copied too, as they are found in memory.
    pub(crate) fn add_others(
        &self,
        wrapping: Wrapping,
        measure: impl Fn(*const ()) -> Option<TableLayout> + Send + Sync + 'static,
    ) -> Result<(), Unwrappable> {
        if !Tables::WORK {
            return Err(Unwrappable::Platform);
        }
        self.lock().others = Some((wrapping, Box::new(measure)));
        self.is_on.store(true, Ordering::Release);
        Ok(())
    }

    /// The machine has taken a step with what a callback answered.
    pub(crate) fn answers_are_noted(&self) {
        if self.is_on() {
            self.holds.answers_are_noted();
        }
    }

    /// What the callee of a watched call gets for a callback of the caller: a stub that leads there.
    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
    pub(crate) fn callback(&self, slot: &table::Slot, function: usize, target: usize) -> usize {
        self.lock().tables.callback(slot, function, target)
    }

    /// Returns `true` if anything is watched.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// How an interface is watched, if it is.
    pub(crate) fn wrapping(&self, npi: GUID) -> Option<Wrapping> {
        if !self.is_on() {
            return None;
        }
        let state = self.lock();
        let declared = state.interfaces.get(&npi).map(|(_, how)| *how);
        declared.or_else(|| state.others.as_ref().map(|(how, _)| *how))
    }

    /// Begins to watch an attach. What is known of an earlier try is forgotten, except by the
    /// tables that were handed out in it.
    pub(crate) fn begin(&self, binding: Key, watch: Watch) {
        self.lock().watches.insert(binding, Arc::new(watch));
    }

    /// The watch of a binding, if its interface is watched.
    pub(crate) fn watch(&self, binding: Key) -> Option<Arc<Watch>> {
        if !self.is_on() {
            return None;
        }
        self.lock().watches.get(&binding).cloned()
    }

    /// The table that the peer of `owner` gets: a copy of this one, if its calls are watched.
    pub(crate) fn hand_out(&self, binding: Key, owner: Role, dispatch: Opaque) -> Opaque {
        if dispatch == Opaque::NULL || !self.is_on() {
            return dispatch;
        }
        let mut state = self.lock();
        let State {
            interfaces,
            others,
            watches,
            tables,
        } = &mut *state;
        let copied = watches.get(&binding).and_then(|watch| {
            let caller = owner.other();
            if let Some((interface, _)) = interfaces.get(&watch.npi) {
                let layout = interface.side(owner).table.as_ref()?;
                return tables.copy(layout, interface.convention, dispatch, watch, caller);
            }
            let (_, measure) = others.as_ref()?;
            let layout = measure(dispatch.0.cast_const().cast());
            let layout = layout.filter(|layout| layout.is_possible(0))?;
            tables.copy(&layout, Convention::default(), dispatch, watch, caller)
        });
        copied.unwrap_or(dispatch)
    }
}
