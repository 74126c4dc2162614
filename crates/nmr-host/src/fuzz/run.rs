//! A run of a program: the modules' part of it, which does not depend on what answers the calls.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use nmr_machine::{Finding, Role};
use nmr_sys::NTSTATUS;

use super::module::Registered;
use super::program::Program;
use super::{answer, call};

/// The nine functions, of the registrar or of the oracle.
pub(super) trait Nmr {
    /// Stores the handle in the module's place.
    fn register(&self, module: &Registered) -> NTSTATUS;
    fn deregister(&self, role: Role, handle: usize) -> NTSTATUS;
    /// `None` if the wait would block and was left out.
    fn wait(&self, role: Role, handle: usize) -> Option<NTSTATUS>;
    fn complete(&self, role: Role, handle: usize);
    /// The status, and what the outputs hold.
    fn attach(&self, handle: usize, context: usize, dispatch: usize) -> (NTSTATUS, [usize; 2]);
    fn fail_reservation(&self, skip: u64);
}

/// Something that the modules saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A function is called, with a handle if it takes one.
    Call(&'static str, Role, usize),
    /// It returned.
    Return(&'static str, NTSTATUS),
    /// What `NmrClientAttachProvider` put into its outputs.
    Outputs([usize; 2]),
    /// An attach callback: the module's number, the handle of its registration, the binding handle,
    /// the peer's number, context and table.
    Attach(Role, [usize; 6]),
    /// A detach callback with its context.
    Detach(Role, usize),
    /// A cleanup callback with its context.
    Cleanup(Role, usize),
}

/// How a run ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(super) trace: Vec<Step>,
    /// Which waits were left out, in order.
    pub(super) blocked: Vec<bool>,
    /// The rules that the machine saw broken.
    pub(super) broken: Vec<Finding>,
    /// How many registrations were left.
    pub(super) leaks: usize,
}

/// A run in progress.
pub(super) struct State {
    pub(super) program: Program,
    nmr: Rc<dyn Nmr>,
    pub(super) modules: Vec<Rc<Registered>>,
    /// Every handle that the modules have seen.
    pub(super) handles: Vec<(Role, usize)>,
    /// The binding handle of each context.
    pub(super) bindings: HashMap<(Role, usize), usize>,
    /// The binding handles of the ends that have to complete.
    pub(super) pending: Vec<(Role, usize)>,
    /// How many contexts were given out.
    pub(super) contexts: usize,
    /// How many callbacks are running.
    pub(super) depth: usize,
    /// How many calls were made.
    pub(super) calls: usize,
    trace: Vec<Step>,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Uses the run in progress on this thread. Nothing is called in here, so it does not nest.
pub(super) fn with<T>(use_it: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(|state| use_it(state.as_mut().expect("a run is in progress")))
}

pub(super) fn nmr() -> Rc<dyn Nmr> {
    with(|state| Rc::clone(&state.nmr))
}

pub(super) fn note(step: Step) {
    with(|state| state.trace.push(step));
}

pub(super) fn choose(count: usize) -> usize {
    with(|state| state.program.choose(count))
}

pub(super) fn rarely(count: usize) -> bool {
    with(|state| state.program.rarely(count))
}

pub(super) fn pick<T: Copy>(choices: &[T]) -> T {
    with(|state| state.program.pick(choices))
}

/// Runs a program, and then closes what it left open, as honest modules would. Returns what the
/// modules saw.
pub(super) fn run(bytes: &[u8], nmr: Rc<dyn Nmr>) -> Vec<Step> {
    STATE.set(Some(State {
        program: Program::new(bytes),
        nmr,
        modules: Vec::new(),
        handles: Vec::new(),
        bindings: HashMap::new(),
        pending: Vec::new(),
        contexts: 0,
        depth: 0,
        calls: 0,
        trace: Vec::new(),
    }));
    // The first choices are the policy's.
    super::policy(choose);
    while with(|state| !state.program.is_over()) {
        call::any();
    }
    call::close_all();
    answer::assert_outside();
    STATE.take().expect("the run ends here").trace
}
