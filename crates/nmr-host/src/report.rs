//! Reports: a broken rule, who broke it, and what to do about it.

use std::fmt;

use nmr_machine::{Blocker, ModuleLabel, Rule, Severity};
use nmr_sys::NTSTATUS;

use crate::got::Got;
use crate::irql::Irql;
use crate::memory::LentMemory;
use crate::policy::Mode;
use crate::thread::ThreadNumber;

/// A rule of the contract that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The rule.
    pub rule: Rule,
    /// How bad it is under the registrar's mode: never [`Severity::Tolerated`].
    pub severity: Severity,
    /// The function or callback that gave it away.
    pub function: &'static str,
    /// Which function was called, by its place among those of the callee's dispatch table, from 0:
    /// if a call between the modules gave it away.
    pub called: Option<usize>,
    /// The number of the binding, if it is about one.
    pub binding: Option<u64>,
    /// The module that broke the rule, if it is known.
    pub module: Option<ModuleLabel>,
    /// The name of that module, if it was given one.
    pub name: Option<String>,
    /// The other module of the binding.
    pub peer: Option<ModuleLabel>,
    /// The name of that one, if it was given one.
    pub peer_name: Option<String>,
    /// The status that gave it away.
    pub status: Option<NTSTATUS>,
    /// What the registrar got instead of what it expected.
    pub got: Option<Got>,
    /// How often it was found: by the same module in the same function, with the same peer, status and
    /// value. The rest is of the first time.
    pub count: u64,
    /// What an unfinished wait waits for.
    pub blockers: Vec<Blocker>,
    /// The memory that it is about.
    pub memory: Option<LentMemory>,
    /// How many entries the [record](crate::Record) had.
    pub recorded: u64,
    /// The thread.
    pub thread: ThreadNumber,
    /// Its simulated IRQL.
    pub irql: Irql,
}

impl Report {
    /// Returns `true` if this is the same finding as another.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        let value = |report: &Self| match report.got {
            Some(Got::Handle(_)) => Some(Got::Handle(0)),
            got => got,
        };
        let key = |report: &Self| {
            (
                (report.rule, report.severity, report.function, report.called),
                (report.module, report.peer, report.status),
                report.memory.as_ref().map(|memory| memory.lent),
                value(report),
            )
        };
        key(self) == key(other)
    }

    /// The same report, as far as there is memory for names and blockers.
    pub(crate) fn copy(&self) -> Self {
        let mut blockers = Vec::new();
        if blockers.try_reserve_exact(self.blockers.len()).is_ok() {
            blockers.extend_from_slice(&self.blockers);
        }
        Self {
            name: self.name.as_deref().and_then(copy_text),
            peer_name: self.peer_name.as_deref().and_then(copy_text),
            blockers,
            memory: self.memory.clone(),
            ..*self
        }
    }
}

/// A copy of a text, if there is memory for it.
pub(crate) fn copy_text(text: &str) -> Option<String> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len()).ok()?;
    copy.push_str(text);
    Some(copy)
}

/// The severity of a rule under a mode.
pub(crate) fn severity(rule: Rule, mode: Mode) -> Severity {
    match (rule.severity(), mode) {
        (Severity::Tolerated, Mode::Strict) => Severity::Error,
        (Severity::Tolerated, Mode::Compatible) => Severity::Warning,
        (severity, _) => severity,
    }
}

/// One line: rule, severity, function, culprit, binding and peer, thread and level, what was expected,
/// what to do, where to read more.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        write!(f, "{} {severity} in {}", self.rule, self.function)?;
        if let Some(called) = self.called {
            write!(f, ", function {called}")?;
        }
        module(f, "by", self.module, self.name.as_deref())?;
        if let Some(binding) = self.binding {
            write!(f, ", binding {binding}")?;
        }
        module(f, "with", self.peer, self.peer_name.as_deref())?;
        if let Some(status) = self.status {
            write!(f, ", status {status:#010x}")?;
        }
        if let Some(got) = self.got {
            write!(f, ", got {got}")?;
        }
        if self.count > 1 {
            write!(f, ", {} times", self.count)?;
        }
        write!(f, ", thread {} at {}: ", self.thread, self.irql)?;
        write!(
            f,
            "expected: {}; {}",
            self.rule.expected(),
            self.rule.advice()
        )?;
        if let Some(memory) = &self.memory {
            write!(f, "; it is {memory}")?;
        }
        for blocker in &self.blockers {
            write!(f, "; waiting for {blocker}")?;
        }
        write!(f, "; see {}#v-{:02}", Rule::PAGE, self.rule as u8)
    }
}

/// Writes who it was, if that is known: ` by Adder (client {…})`.
fn module(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    module: Option<ModuleLabel>,
    name: Option<&str>,
) -> fmt::Result {
    match (module, name) {
        (Some(module), Some(name)) => write!(f, " {word} {name} ({module})"),
        (Some(module), None) => write!(f, " {word} {module}"),
        (None, _) => Ok(()),
    }
}
