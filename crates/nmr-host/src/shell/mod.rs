//! The threaded shell around the machine: one lock, never held across a callback (I-6). It carries
//! out what the machine says, keeps the record and the reports, and blocks the threads that wait.

mod completing;
mod lending;
mod reading;
mod reporting;
mod waiting;
mod watching;
mod wrapping;

use std::collections::HashMap;

use nmr_sys::{NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER};

use crate::callback;
use crate::faults::Faults;
use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL, PASSIVE_LEVEL};
use crate::locks;
use crate::machine::{Action, Event, Handle, Key, Machine, Task};
use crate::memory::Ledger;
use crate::module::{Module, ModuleId, Role};
use crate::policy::Policy;
use crate::record::{Actor, Note, Record};
use crate::report::Report;
use crate::rule::Rule;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use crate::thread;
use crate::transcript::{self, Callback, Entry};
use crate::validate::Findings;
use crate::worker::Worker;
use crate::wrapped::Wrapped;
use completing::Completer;
pub(crate) use reporting::Listen;
use reporting::Listener;
use watching::Watch;

/// A registrar, shared by all threads that are inside it.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) instance: u32,
    pub(crate) policy: Policy,
    pub(crate) faults: Faults,
    state: Mutex<State>,
    /// Signalled when a registration that a thread waits for is finished.
    finished: Condvar,
    recording: AtomicBool,
    worker: Worker,
    wrapped: Wrapped,
    listener: Listener,
}

#[derive(Debug)]
struct State {
    machine: Machine,
    ledger: Ledger,
    names: HashMap<ModuleId, String>,
    records: Vec<Record>,
    reports: Vec<Report>,
    /// The threads that have completed a detach and have not left the code that did.
    completers: Vec<Completer>,
}

impl State {
    fn note(&mut self, note: Note) {
        let sequence = self.records.len() as u64;
        self.records.push(note.at(sequence));
    }
}

impl Shell {
    pub(crate) fn new(instance: u32, policy: Policy) -> Self {
        let machine = Machine::new(instance, &policy);
        let state = State {
            machine,
            ledger: Ledger::default(),
            names: HashMap::new(),
            records: Vec::new(),
            reports: Vec::new(),
            completers: Vec::new(),
        };
        Self {
            instance,
            faults: Faults::at(policy.fault, STATUS_INSUFFICIENT_RESOURCES),
            policy,
            state: Mutex::new(state),
            finished: Condvar::new(),
            recording: AtomicBool::new(true),
            worker: Worker::default(),
            wrapped: Wrapped::default(),
            listener: Listener::default(),
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
            peer: None,
            returns: true,
        };
        let fault = self.faults.begin();
        self.report_characteristics(&entry, findings);
        if irql::current() > PASSIVE_LEVEL {
            self.report_misuse(Rule::V10, &entry);
        }
        self.report_inside_cleanup(&entry);
        let module = module.ok_or(STATUS_INVALID_PARAMETER);
        let module = match module.and_then(|module| fault.map_or(Ok(module), Err)) {
            Ok(module) => module,
            Err(status) => return self.refuse(&entry, status),
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

    /// Refuses a call before anything happens.
    pub(crate) fn refuse(&self, entry: &Entry, status: NTSTATUS) -> NTSTATUS {
        self.note_entry(entry);
        self.note_return(entry, status);
        status
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
            peer: None,
            returns: false,
        };
        let mut task = Task::default();
        let mut action = self.tell(&mut task, Event::CleanupStarted { binding }, &entry);
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
        let subject = self.checks_memory().then(|| state.subject(&event));
        let action = state.machine.step(task, event);
        then(task);
        if recording {
            let note = transcript::action(&state.machine, &action);
            self.note_callback(&mut state, note);
        }
        let function = transcript::callback(&event).unwrap_or(entry.function);
        let reported = state.collect_findings(function, self.policy.mode);
        if let Some(subject) = subject {
            state.keep_books(subject, task, &event, &action, &self.policy, function);
        }
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
                self.watch_attached(binding, status);
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
                let dispatch = self.watch_attach(binding, provider.npi, dispatch);
                let call =
                    || callback::attach_provider(&provider, handle, client, context, dispatch);
                let answer = self.inside(Callback::Attach, Role::Provider, binding, call);
                self.watch_answer(binding, answer.status);
                self.watch_outputs(binding, &answer);
                Event::ProviderAttachReturned { binding, answer }
            }
            Action::Detach {
                binding,
                module,
                context,
            } => {
                let role = module.role();
                let call = || callback::detach(&module, context);
                let inside = || self.inside(Callback::Detach, role, binding, call);
                let status = self.watch_detach(binding, role, Callback::Detach.name(role), inside);
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
        kind: Callback,
        role: Role,
        binding: Key,
        run: impl FnOnce() -> T,
    ) -> T {
        let found = self.lock().machine.describe(binding);
        let (binding, client, provider) = found.expect("a callback is about a live binding");
        let (module, peer) = match role {
            Role::Client => (client.label, provider.label),
            Role::Provider => (provider.label, client.label),
        };
        let _level = self.raise_for(kind);
        let callback = thread::Callback {
            kind,
            instance: self.instance,
            binding,
            module,
            peer,
            irql: irql::current(),
            locks: locks::count(),
        };
        let watch = Watch::begin(self, callback);
        instances::enter(Arc::clone(self));
        thread::enter(Some(callback));
        let result = run();
        thread::leave();
        instances::leave();
        watch.end();
        result
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
}

fn register_name(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrRegisterClient",
        Role::Provider => "NmrRegisterProvider",
    }
}
