//! A registrar of a test's own.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use nmr_host::{Entered, MemoryChecks, Policy, Registrar, Report, Role, Rule};

use super::log::{Entry, Log};
use super::module::Module;
use super::shape::Shape;

/// A registrar, entered on this thread, and the log of its modules. See the [module](super).
pub(crate) struct Rig {
    pub(crate) registrar: Arc<Registrar>,
    log: &'static Log,
    _entered: Entered,
}

impl Rig {
    /// A registrar with the default policy.
    pub(crate) fn new() -> Self {
        Self::under(Policy::default())
    }

    /// A registrar with a policy in its text form.
    pub(crate) fn with(policy: &str) -> Self {
        Self::under(policy.parse().expect("a policy"))
    }

    pub(crate) fn strict() -> Self {
        Self::under(Policy::strict())
    }

    /// A registrar with any policy, which also looks at memory: no honest test may notice.
    pub(crate) fn under(mut policy: Policy) -> Self {
        policy.memory = MemoryChecks::Checked;
        Self::as_said(policy)
    }

    /// A registrar that does not look at memory.
    pub(crate) fn trusting() -> Self {
        Self::as_said(Policy::default())
    }

    /// A registrar that looks at nothing, and keeps no record.
    pub(crate) fn light() -> Self {
        let rig = Self::as_said("verify=light".parse().expect("a policy"));
        rig.registrar.set_recording(false);
        rig
    }

    fn as_said(policy: Policy) -> Self {
        let registrar = Arc::new(Registrar::new(policy));
        Self {
            _entered: registrar.enter(),
            registrar,
            log: Box::leak(Box::default()),
        }
    }

    /// A client named "client".
    pub(crate) fn client(&self) -> Module {
        self.named(Role::Client, "client")
    }

    /// A provider named "provider".
    pub(crate) fn provider(&self) -> Module {
        self.named(Role::Provider, "provider")
    }

    pub(crate) fn module(&self, role: Role) -> Module {
        self.named(role, &role.to_string())
    }

    pub(crate) fn named(&self, role: Role, name: &str) -> Module {
        self.shaped(role, name, |_| ())
    }

    /// A module with other characteristics than usual.
    pub(crate) fn shaped(&self, role: Role, name: &str, change: impl FnOnce(&mut Shape)) -> Module {
        let mut shape = Shape::new();
        change(&mut shape);
        Module::new(&self.registrar, self.log, role, name, shape)
    }

    /// A client and a provider that are not registered.
    pub(crate) fn pair(&self) -> (Module, Module) {
        (self.client(), self.provider())
    }

    /// A client and a provider that are attached to each other.
    pub(crate) fn attached(&self) -> (Module, Module) {
        let (client, provider) = self.pair();
        (client.registered(), provider.registered())
    }

    /// The same, the one of this role first.
    pub(crate) fn attached_as(&self, role: Role) -> (Module, Module) {
        let (client, provider) = self.attached();
        match role {
            Role::Client => (client, provider),
            Role::Provider => (provider, client),
        }
    }

    /// Runs something on another thread that has entered the registrar.
    pub(crate) fn thread<T: Send + 'static>(
        &self,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> Other<T> {
        let registrar = Arc::clone(&self.registrar);
        Other(thread::spawn(move || {
            let _entered = registrar.enter();
            run()
        }))
    }

    /// What was called and noted, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.entries().map(|entry| entry.text).collect()
    }

    /// The same with the ends of callbacks.
    pub(crate) fn calls_and_returns(&self) -> Vec<String> {
        self.log
            .entries()
            .into_iter()
            .map(|entry| entry.text)
            .collect()
    }

    /// The beginnings of callbacks and the notes.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + use<> {
        self.log.entries().into_iter().filter(|entry| !entry.end)
    }

    /// The first entry with a text.
    pub(crate) fn entry(&self, text: &str) -> Entry {
        let found = self.entries().find(|entry| entry.text == text);
        found.unwrap_or_else(|| panic!("no {text} in {:?}", self.calls()))
    }

    /// The place of the first entry with a text, ends of callbacks counted.
    pub(crate) fn place(&self, text: &str) -> usize {
        let calls = self.calls_and_returns();
        let found = calls.iter().position(|call| call == text);
        found.unwrap_or_else(|| panic!("no {text} in {calls:?}"))
    }

    /// Writes a note into the log.
    pub(crate) fn note(&self, text: &str) {
        self.notes().write(text);
    }

    /// A way to write notes from scripts and other threads.
    pub(crate) fn notes(&self) -> Notes {
        Notes(self.log)
    }

    /// Forgets the log so far.
    pub(crate) fn clear(&self) {
        self.log.clear();
    }

    /// Keeps no log and no record, for tests that run often. Each module then has one binding at a
    /// time.
    pub(crate) fn silence(&self) {
        self.log.silence();
        self.registrar.set_recording(false);
    }

    /// Takes the reports, which must be of these rules, each as often as it was found.
    pub(crate) fn expect(&self, rules: &[Rule]) -> Vec<Report> {
        let reports = self.registrar.take_reports();
        let times = |report: &Report| {
            (0..report.count).map({
                let rule = report.rule;
                move |_| rule
            })
        };
        let found: Vec<Rule> = reports.iter().flat_map(times).collect();
        assert_eq!(found, rules, "{reports:#?}");
        reports
    }

    /// Takes the only report, which must be of this rule.
    pub(crate) fn expect_one(&self, rule: Rule) -> Report {
        self.expect(&[rule]).remove(0)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        assert!(!self.log.has_failed(), "a callback panicked");
        let reports = self.registrar.finish();
        let lines: Vec<String> = reports.iter().map(ToString::to_string).collect();
        assert!(reports.is_empty(), "unexpected: {lines:#?}");
    }
}

/// Closes modules, one after the other.
pub(crate) fn close_all(modules: impl IntoIterator<Item = Module>) {
    modules.into_iter().for_each(Module::close);
}

/// A thread that a rig started.
pub(crate) struct Other<T>(JoinHandle<T>);

impl<T> Other<T> {
    /// What the thread returned.
    pub(crate) fn join(self) -> T {
        self.0.join().expect("the thread does not panic")
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// Writes notes into a log.
#[derive(Clone, Copy)]
pub(crate) struct Notes(&'static Log);

impl Notes {
    pub(crate) fn write(self, text: &str) {
        self.0.add(text.to_owned(), 0, false);
    }
}
