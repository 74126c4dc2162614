//! The threaded shell around the machine: one lock, never held across a callback (I-6). It carries
//! out what the machine says, keeps the record and the reports, and blocks the threads that wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nmr_sys::{NTSTATUS, STATUS_INVALID_PARAMETER};

use crate::callback;
use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL, PASSIVE_LEVEL};
use crate::machine::{Action, Blocker, Event, Finding, Handle, Key, Leak, Machine, Task};
use crate::module::{Module, ModuleId, ModuleLabel, Role};
use crate::policy::{Mode, OnReport, Policy};
use crate::record::{Actor, Note, Record};
use crate::report::{Report, severity};
use crate::rule::{Rule, Severity};
use crate::thread;
use crate::transcript::{self, Callback, Entry};
use crate::validate::Findings;
use crate::worker::Worker;

/// A registrar, shared by all threads that are inside it.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) instance: u32,
    pub(crate) policy: Policy,
    state: Mutex<State>,
    /// Signalled when a registration that a thread waits for is finished.
    finished: Condvar,
    recording: AtomicBool,
    worker: Worker,
}

#[derive(Debug)]
struct State {
    machine: Machine,
    names: HashMap<ModuleId, String>,
    records: Vec<Record>,
    reports: Vec<Report>,
}

impl State {
    fn note(&mut self, note: Note) {
        let sequence = self.records.len() as u64;
        self.records.push(note.at(sequence));
    }

    /// Turns what the machine found into reports, and returns how many there were before.
    fn collect_findings(&mut self, function: &'static str, mode: Mode) -> usize {
        let before = self.reports.len();
        let findings = self.machine.take_findings();
        let reports = findings.map(|finding| report(finding, function, mode, &self.names));
        self.reports.extend(reports);
        before
    }
}

/// Makes a report of a finding on this thread.
fn report(
    finding: Finding,
    function: &'static str,
    mode: Mode,
    names: &HashMap<ModuleId, String>,
) -> Report {
    Report {
        rule: finding.rule,
        severity: severity(finding.rule, mode),
        function,
        binding: finding.binding,
        module: finding.module,
        name: finding
            .module
            .and_then(|module| names.get(&module.id?).cloned()),
        peer: finding.peer,
        status: finding.status,
        blockers: Vec::new(),
        thread: thread::current(),
        irql: irql::current(),
    }
}

impl Shell {
    pub(crate) fn new(instance: u32, policy: Policy) -> Self {
        let machine = Machine::new(instance, &policy);
        let state = State {
            machine,
            names: HashMap::new(),
            records: Vec::new(),
            reports: Vec::new(),
        };
        Self {
            instance,
            policy,
            state: Mutex::new(state),
            finished: Condvar::new(),
            recording: AtomicBool::new(true),
            worker: Worker::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a module, or refuses to because of what was found in its characteristics.
    /// `publish` gets the handle before any thread makes the first callback.
    pub(crate) fn register(
        self: &Arc<Self>,
        role: Role,
        module: Option<Module>,
        findings: &Findings,
        publish: impl FnMut(Handle),
    ) -> NTSTATUS {
        let caller = module.map_or(Actor::Unknown, |module| Actor::Module(module.label));
        let entry = Entry {
            function: register_name(role),
            caller,
            binding: None,
            returns: true,
        };
        self.report_characteristics(&entry, module.map(|module| module.label), findings);
        if irql::current() > PASSIVE_LEVEL {
            self.report_misuse(Rule::V10, &entry);
        }
        self.report_inside_cleanup(&entry);
        let Some(module) = module else {
            self.note_entry(&entry);
            self.note_return(&entry, STATUS_INVALID_PARAMETER);
            return STATUS_INVALID_PARAMETER;
        };
        let mut task = Task::default();
        self.note_entry(&entry);
        let event = Event::Register {
            module,
            thread: thread::current(),
        };
        let publish = |task: &Task| task.registered.into_iter().for_each(publish);
        let action = self.tell_and(&mut task, event, &entry, publish);
        self.carry_out(&mut task, action, &entry)
    }

    /// Runs one of the functions that take a handle.
    pub(crate) fn call(self: &Arc<Self>, task: &mut Task, event: Event, entry: &Entry) -> NTSTATUS {
        self.note_entry(entry);
        let action = self.tell(task, event, entry);
        self.carry_out(task, action, entry)
    }

    /// Runs a cleanup that was handed to the worker.
    pub(crate) fn clean_up(self: &Arc<Self>, binding: Key) {
        let function = "the cleanup worker";
        let entry = Entry {
            function,
            caller: Actor::Unknown,
            binding: None,
            returns: false,
        };
        let mut task = Task::default();
        let action = self.tell(&mut task, Event::CleanupStarted { binding }, &entry);
        let mut action = action;
        while let Some(event) = self.perform(action) {
            action = self.tell(&mut task, event, &entry);
        }
    }

    /// Carries out actions until the call returns.
    fn carry_out(self: &Arc<Self>, task: &mut Task, first: Action, entry: &Entry) -> NTSTATUS {
        let mut action = first;
        loop {
            if let Action::Return(status) = action {
                self.note_return(entry, status);
                return status;
            }
            if let Action::Block { registration } = action {
                self.block(registration, entry);
            }
            let event = self.perform(action).expect("only a return has no outcome");
            action = self.tell(task, event, entry);
        }
    }

    /// Tells the machine what happened, under the lock.
    fn tell(&self, task: &mut Task, event: Event, entry: &Entry) -> Action {
        self.tell_and(task, event, entry, |_| ())
    }

    /// The same, and does something with the outcome before another thread can see it.
    fn tell_and(
        &self,
        task: &mut Task,
        event: Event,
        entry: &Entry,
        then: impl FnOnce(&Task),
    ) -> Action {
        let recording = self.recording.load(Ordering::Relaxed);
        let mut state = self.lock();
        if recording {
            let note = transcript::event(&state.machine, &event);
            self.note_callback(&mut state, note);
        }
        let action = state.machine.step(task, event);
        then(task);
        if recording {
            let note = transcript::action(&state.machine, &action);
            self.note_callback(&mut state, note);
        }
        let function = transcript::callback(&event).unwrap_or(entry.function);
        let reported = state.collect_findings(function, self.policy.mode);
        if state.machine.take_wake() {
            self.finished.notify_all();
        }
        self.announce(state, reported);
        action
    }

    /// Carries out an action, without the lock, and says how it ended.
    fn perform(self: &Arc<Self>, action: Action) -> Option<Event> {
        Some(match action {
            Action::Return(_) => return None,
            Action::Block { registration } => Event::WaitAgain { registration },
            Action::ClientAttach {
                binding,
                client,
                handle,
                provider,
            } => {
                let call = || callback::attach_client(&client, handle, provider);
                let status = self.inside(Callback::Attach, Role::Client, binding, call);
                Event::ClientAttachReturned { binding, status }
            }
            Action::ProviderAttach {
                binding,
                provider,
                handle,
                client,
                context,
                dispatch,
            } => {
                let call =
                    || callback::attach_provider(&provider, handle, client, context, dispatch);
                let answer = self.inside(Callback::Attach, Role::Provider, binding, call);
                Event::ProviderAttachReturned { binding, answer }
            }
            Action::Detach {
                binding,
                module,
                context,
            } => {
                let role = module.role();
                let call = || callback::detach(&module, context);
                let status = self.inside(Callback::Detach, role, binding, call);
                Event::DetachReturned {
                    binding,
                    role,
                    status,
                }
            }
            Action::Cleanup {
                binding,
                module,
                context,
            } => {
                let role = module.role();
                let call = || callback::clean_up(&module, context);
                self.inside(Callback::Cleanup, role, binding, call);
                Event::CleanupReturned { binding, role }
            }
            Action::Defer { binding } => {
                self.worker.hand_over(self, binding);
                Event::CleanupDeferred
            }
        })
    }

    /// Notes a callback, at the IRQL at which it runs.
    fn note_callback(&self, state: &mut State, note: Option<(Callback, Note)>) {
        if let Some((callback, note)) = note {
            let _level = self.raise_for(callback);
            state.note(note);
        }
    }

    /// Raises this thread to the IRQL that the policy says for a callback.
    fn raise_for(&self, callback: Callback) -> Option<irql::Raised> {
        let raised = callback != Callback::Attach && self.policy.detaches_at_dispatch();
        raised.then(|| irql::raise(DISPATCH_LEVEL))
    }

    /// Runs a callback, at the IRQL that the policy says. What it registers, it registers here.
    fn inside<T>(
        self: &Arc<Self>,
        callback: Callback,
        role: Role,
        binding: Key,
        run: impl FnOnce() -> T,
    ) -> T {
        let serial = self
            .lock()
            .machine
            .describe(binding)
            .map_or(0, |(serial, ..)| serial);
        let _level = self.raise_for(callback);
        let callback = thread::Callback {
            function: callback.name(role),
            instance: self.instance,
            binding: serial,
        };
        instances::enter(Arc::clone(self));
        let result = thread::inside(callback, run);
        instances::leave();
        result
    }

    /// Blocks until a registration is finished. With a watchdog, reports once whom it waits for.
    fn block(&self, registration: Key, entry: &Entry) {
        let mut state = self.lock();
        let mut limit = self.policy.watchdog;
        while !state.machine.is_finished(registration) {
            let Some(patience) = limit else {
                state = self
                    .finished
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.finished.wait_timeout(state, patience);
            let (again, result) = waited.unwrap_or_else(PoisonError::into_inner);
            state = again;
            if result.timed_out() && !state.machine.is_finished(registration) {
                limit = None;
                state = self.report_unfinished(state, registration, entry);
            }
        }
    }

    fn report_unfinished<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        registration: Key,
        entry: &Entry,
    ) -> MutexGuard<'a, State> {
        let blockers = state.machine.blockers(registration);
        let breach = blockers.iter().find_map(Blocker::breach);
        let finding = breach.unwrap_or_else(|| finding(Rule::V41, Actor::Unknown));
        let mut report = report(finding, entry.function, self.policy.mode, &state.names);
        report.blockers = blockers;
        let reported = state.reports.len();
        state.reports.push(report);
        self.announce(state, reported);
        self.lock()
    }

    /// Prints the reports since `reported`, or panics with the first, as the policy says.
    fn announce(&self, state: MutexGuard<'_, State>, reported: usize) {
        if state.reports.len() == reported || self.policy.on_report == OnReport::Collect {
            return;
        }
        let reports = state.reports[reported..].to_vec();
        drop(state);
        for report in reports {
            assert!(self.policy.on_report == OnReport::Print, "{report}");
            eprintln!("nmr-host: {report}");
        }
    }

    /// Reports a rule that the caller of a function breaks.
    pub(crate) fn report_misuse(&self, rule: Rule, entry: &Entry) {
        self.report_with(rule, None, entry.caller, entry.function);
    }

    /// The same with another severity than the rule's own.
    pub(crate) fn report_with(
        &self,
        rule: Rule,
        severity: Option<Severity>,
        culprit: Actor,
        function: &'static str,
    ) {
        let mut state = self.lock();
        let found = finding(rule, culprit);
        let mut report = report(found, function, self.policy.mode, &state.names);
        report.severity = severity.unwrap_or(report.severity);
        let reported = state.reports.len();
        state.reports.push(report);
        self.announce(state, reported);
    }

    fn report_characteristics(
        &self,
        entry: &Entry,
        module: Option<ModuleLabel>,
        findings: &Findings,
    ) {
        let culprit = module.map_or(Actor::Unknown, Actor::Module);
        for fault in &findings.0 {
            self.report_with(fault.rule, fault.severity, culprit, entry.function);
        }
    }

    /// Reports a call that a cleanup callback should not make (V-62).
    pub(crate) fn report_inside_cleanup(&self, entry: &Entry) {
        let innermost = thread::callbacks().last().map(|callback| callback.function);
        if innermost.is_some_and(|function| function.contains("Cleanup")) {
            self.report_misuse(Rule::V62, entry);
        }
    }

    fn note_entry(&self, entry: &Entry) {
        if self.recording.load(Ordering::Relaxed) {
            self.lock().note(entry.called());
        }
    }

    fn note_return(&self, entry: &Entry, status: NTSTATUS) {
        if self.recording.load(Ordering::Relaxed) {
            self.lock().note(entry.returned(status));
        }
    }

    /// The module whose registration or binding a handle stands for, and the number of the binding.
    pub(crate) fn identify(&self, handle: Option<Handle>) -> (Actor, Option<u64>) {
        handle
            .and_then(|handle| self.lock().machine.identify(handle))
            .map_or((Actor::Unknown, None), |(label, binding)| {
                (Actor::Module(label), binding)
            })
    }

    /// Why the registration of a handle is not finished. Nothing if it is no handle of this role.
    pub(crate) fn blockers(&self, handle: Option<Handle>, role: Role) -> Vec<Blocker> {
        self.lock().machine.blockers_of_handle(handle, role)
    }

    pub(crate) fn leaks(&self) -> Vec<Leak> {
        self.lock().machine.leaks()
    }

    pub(crate) fn fail_reservation(&self, skip: u64) {
        self.lock().machine.fail_reservation(skip);
    }

    pub(crate) fn set_recording(&self, on: bool) {
        self.recording.store(on, Ordering::Relaxed);
    }

    pub(crate) fn add_note(&self, note: Note) {
        if self.recording.load(Ordering::Relaxed) {
            self.lock().note(note);
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    pub(crate) fn recorded(&self) -> u64 {
        self.lock().records.len() as u64
    }

    pub(crate) fn records_since(&self, recorded: u64) -> Vec<Record> {
        let state = self.lock();
        let start = usize::try_from(recorded).unwrap_or(usize::MAX);
        state.records.get(start..).unwrap_or_default().to_vec()
    }

    pub(crate) fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut self.lock().reports)
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.lock().reports.clone()
    }

    pub(crate) fn name(&self, id: ModuleId, name: &str) {
        self.lock().names.insert(id, name.to_owned());
    }
}

fn finding(rule: Rule, culprit: Actor) -> Finding {
    let module = if let Actor::Module(module) = culprit {
        Some(module)
    } else {
        None
    };
    Finding {
        rule,
        binding: None,
        module,
        peer: None,
        status: None,
    }
}

fn register_name(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrRegisterClient",
        Role::Provider => "NmrRegisterProvider",
    }
}
