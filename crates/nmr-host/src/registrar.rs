//! The registrar as tests and tools hold it.

use std::marker::PhantomData;
use std::ops::Range;
use std::time::Duration;

use nmr_machine::{Blocker, Leak, ModuleId, ModuleLabel, Role, Rule};
use nmr_sys::{NMR_CLIENT_HANDLE, NMR_PROVIDER_HANDLE, NTSTATUS};

use crate::instances;
use crate::layout::{InterfaceLayout, TableLayout};
use crate::policy::Policy;
use crate::record::{Note, Record};
use crate::report::Report;
use crate::shell::Shell;
use crate::sync::Arc;
use crate::transcript::Entry;
use crate::wrapped::{HeldCall, Unwrappable, Wrapping};

/// A Network Module Registrar.
///
/// The nine functions of the NMR work on the registrar that the calling thread has
/// [entered](Self::enter), or on the [global](Self::global) one; a function that takes a handle
/// works on the registrar that issued it. So each test can have a registrar of its own, and modules
/// need not know.
///
/// Dropping a registrar that is not the global one makes its handles stale; modules that are still
/// registered with it are never called again by later registrations.
///
/// After a fork, only the global registrar goes on in the child: of the others, a lock may belong to a
/// thread that the child does not have.
///
/// # Examples
///
/// ```
/// use nmr_host::{Policy, Registrar};
///
/// let registrar = Registrar::new("detach=provider-first".parse::<Policy>()?);
/// let _entered = registrar.enter();
/// // Modules that register on this thread now register here.
/// assert!(registrar.finish().is_empty());
/// # Ok::<(), nmr_host::UnknownSetting>(())
/// ```
#[derive(Debug)]
pub struct Registrar {
    shell: Arc<Shell>,
}

impl Registrar {
    /// Makes a registrar.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            shell: instances::create(policy),
        }
    }

    /// The registrar that the whole process shares. Its policy comes from the environment variable
    /// `NMR_HOST_POLICY`; without it, reports go to standard error.
    #[must_use]
    pub fn global() -> Self {
        Self {
            shell: Arc::clone(instances::global()),
        }
    }

    /// Lets this thread register with this registrar until the result is dropped.
    pub fn enter(&self) -> Entered {
        instances::enter(Arc::clone(&self.shell));
        Entered {
            thread: PhantomData,
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.shell.policy
    }

    /// Everything that happened, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.shell.records()
    }

    /// How many entries the record has.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.shell.recorded()
    }

    /// What happened since the record had this many entries: for a tool that follows it.
    #[must_use]
    pub fn records_since(&self, recorded: u64) -> Vec<Record> {
        self.shell.records_since(recorded)
    }

    /// Stops or continues the record. It is on from the start, except in the global registrar.
    pub fn set_recording(&self, on: bool) {
        self.shell.set_recording(on);
    }

    /// Adds a note to the record, on behalf of this thread.
    pub fn note(&self, note: Note) {
        self.shell.add_note(note);
    }

    /// The rules that were broken so far.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.shell.reports()
    }

    /// Takes the reports away, so that later ones stand alone.
    #[must_use]
    pub fn take_reports(&self) -> Vec<Report> {
        self.shell.take_reports()
    }

    /// From now on, hands every report to a function as well, on the thread that broke the rule and
    /// with no lock held, and again with its new count when it repeats. It replaces an earlier function.
    pub fn on_report(&self, listener: impl Fn(&Report) + Send + Sync + 'static) {
        self.shell.listen(Some(Arc::new(listener)));
    }

    /// Adds a report on behalf of a tool that sees what the registrar cannot.
    pub fn accuse(&self, rule: Rule, module: Option<ModuleLabel>, function: &'static str) {
        self.shell
            .report_misuse(rule, &Entry::of_tool(module, function));
    }

    /// Says that code is about to go away, and reports every registration whose callbacks are in it
    /// (V-79). Returns how many there are.
    #[expect(clippy::must_use_candidate, reason = "the reports say the same")]
    pub fn unloading(&self, code: &Range<usize>) -> usize {
        self.shell.unloading(code)
    }

    /// The registrations that were not closed.
    #[must_use]
    pub fn leaks(&self) -> Vec<Leak> {
        self.shell.leaks()
    }

    /// Reports every registration that was not closed (V-73), and what is wrong with the memory that
    /// was lent (V-12, V-60, V-80), and returns all reports.
    #[must_use]
    pub fn finish(&self) -> Vec<Report> {
        self.shell.report_the_end();
        self.reports()
    }

    /// How many reports were not kept, or not handed to the function of [`on_report`](Self::on_report),
    /// because memory ran out or there were 1000 others. The first for which there was none is always kept, so that
    /// [`reports`](Self::reports) is not empty then. [`take_reports`](Self::take_reports) begins the
    /// count anew.
    #[must_use]
    pub fn lost_reports(&self) -> u64 {
        self.shell.report_counts().1
    }

    /// Reports the binding contexts at these addresses whose owners are gone (V-60). For a loader of
    /// images, before it takes away what an image has left.
    pub fn report_unfreed(&self, contexts: &[usize]) {
        self.shell.report_unfreed(contexts);
    }

    /// Declares an interface, so that the structures that its modules exchange are watched: whether there
    /// is a table (V-31, V-32), and whether it and the interface's own characteristics stay as they are
    /// (V-34, V-11), as far as their length is described. An [`Interface`](crate::Interface) will do if
    /// its functions are at the end of their tables. A later declaration of the same interface replaces
    /// this one.
    pub fn declare(&self, interface: impl Into<InterfaceLayout>) {
        self.shell.declare(interface.into());
    }

    /// Declares an interface, and watches every call that its modules make to each other: see
    /// `docs/verifier.md`, "Wrapped dispatch". It is about the bindings that are made from now on.
    /// Their modules get copies of each other's tables, at other addresses and with other addresses
    /// of functions in them, and must not look at either. Of a table that is longer than declared
    /// they get the part that is declared. Functions in tables that a table points to, and callbacks in
    /// arguments, are watched if the [layout](InterfaceLayout) describes them; a callee then gets another
    /// address for a callback, which it may call whenever it likes.
    ///
    /// Fails where calls cannot be watched, and then declares nothing.
    pub fn wrap(
        &self,
        interface: impl Into<InterfaceLayout>,
        wrapping: Wrapping,
    ) -> Result<(), Unwrappable> {
        self.shell.wrap(interface.into(), wrapping)
    }

    /// Watches every call of the interfaces that were not declared, too, for a program that knows
    /// nothing of them but can find the functions of a table in memory: a loader of images, which
    /// knows where code is. `layout` gets the address of each table that a module hands over. It is
    /// about the bindings that are made from now on, and has the conditions of [`wrap`](Self::wrap).
    ///
    /// Fails where calls cannot be watched.
    pub fn wrap_others(
        &self,
        wrapping: Wrapping,
        layout: impl Fn(*const ()) -> Option<TableLayout> + Send + Sync + 'static,
    ) -> Result<(), Unwrappable> {
        self.shell.wrap_others(wrapping, layout)
    }

    /// Holds the next watched call, after `skip` others: it begins, and does not reach its function
    /// before the detach callback of the module that makes it has returned, or
    /// [`release_call`](Self::release_call) lets it go on. So that detach finds a call in progress.
    ///
    /// Calls are not held that are made inside of a callback of the NMR, with a lock, or above
    /// `PASSIVE_LEVEL`.
    pub fn hold_call(&self, skip: u64) {
        self.shell.wrapped.holds.arm(skip);
    }

    /// Waits until a call is held. `None` if none was for so long.
    #[must_use]
    pub fn wait_for_held_call(&self, limit: Duration) -> Option<HeldCall> {
        self.shell.wrapped.holds.wait(limit)
    }

    /// Lets the held call go on and holds no other. Returns what the detach callback of its module
    /// answered, if it did while the call was held.
    #[expect(clippy::must_use_candidate, reason = "the call goes on")]
    pub fn release_call(&self) -> Option<NTSTATUS> {
        self.shell.wrapped.holds.release()
    }

    /// Gives a module a name for reports.
    pub fn name(&self, id: ModuleId, name: &str) {
        self.shell.name(id, name);
    }

    /// Makes one reservation of memory fail: the next one after `skip` that succeed. A registration
    /// makes two, and one more for each module it is offered.
    pub fn fail_reservation(&self, skip: u64) {
        self.shell.fail_reservation(skip);
    }

    /// Makes a call of a function that may fail, fail with a status: the `n`-th from now of
    /// `NmrRegisterClient`, `NmrRegisterProvider` and `NmrClientAttachProvider`. 1 is the next one;
    /// 0 takes it back. A registration is not made then; a provider is not asked, and to the client
    /// it is as if it had declined.
    ///
    /// # Panics
    ///
    /// If the status is no failure.
    pub fn fail_call(&self, n: u64, status: NTSTATUS) {
        self.shell.faults.begin.set(n, status);
    }

    /// Returns `true` if the call that is to fail is still to come.
    #[must_use]
    pub fn will_fail_call(&self) -> bool {
        self.shell.faults.begin.is_set()
    }

    /// Makes a call of a function that ends a registration fail with a status, and do nothing: the
    /// `n`-th from now of those that deregister and those that wait. No NMR does that to a module
    /// that calls them rightly; it shows whether a module frees what the NMR still uses when it
    /// gets an answer that it does not know (V-80).
    ///
    /// # Panics
    ///
    /// If the status is no failure.
    pub fn fail_end(&self, n: u64, status: NTSTATUS) {
        self.shell.faults.end.set(n, status);
    }

    /// Why a client's registration is not finished. Empty if nothing is left to wait for.
    #[must_use]
    pub fn client_blockers(&self, handle: NMR_CLIENT_HANDLE) -> Vec<Blocker> {
        let (_, handle) = instances::route(handle.0.addr());
        self.shell.blockers(handle, Role::Client)
    }

    /// Why a provider's registration is not finished. Empty if nothing is left to wait for.
    #[must_use]
    pub fn provider_blockers(&self, handle: NMR_PROVIDER_HANDLE) -> Vec<Blocker> {
        let (_, handle) = instances::route(handle.0.addr());
        self.shell.blockers(handle, Role::Provider)
    }
}

impl Drop for Registrar {
    fn drop(&mut self) {
        instances::forget(&self.shell);
    }
}

/// A thread's stay in a registrar.
#[must_use = "dropping this leaves the registrar again"]
#[derive(Debug)]
pub struct Entered {
    thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        instances::leave();
    }
}
