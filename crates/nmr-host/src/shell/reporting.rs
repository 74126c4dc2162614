//! How a broken rule becomes a report, and what happens to it.

use std::fmt;
use std::ops::Range;

use nmr_machine::{Callback, Finding, Key, Machine, ModuleLabel, Noted, Role, Rule, Severity};

use super::{Books, Shell};
use crate::findings::Findings;
use crate::irql;
use crate::policy::{Mode, OnReport};
use crate::record::Actor;
use crate::report::{Report, copy_text, severity};
use crate::stderr;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::thread;
use crate::transcript::Entry;

/// A function that gets every report, on the thread that broke the rule.
pub(crate) type Listen = Arc<dyn Fn(&Report) + Send + Sync>;

/// Who gets the reports, besides what the policy says.
#[derive(Default)]
pub(super) struct Listener(Mutex<Option<Listen>>);

impl Listener {
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Listen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self) -> Option<Listen> {
        self.lock().clone()
    }

    fn set(&self, listener: Option<Listen>) {
        // What the old one holds is dropped without the lock.
        let before = std::mem::replace(&mut *self.lock(), listener);
        drop(before);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.get().is_some();
        f.debug_tuple("Listener").field(&set).finish()
    }
}

impl Books {
    /// Makes a report of a finding on this thread.
    pub(super) fn report(&self, finding: Finding, function: &'static str, mode: Mode) -> Report {
        let name = |module: Option<ModuleLabel>| copy_text(self.names.get(&module?.id?)?);
        Report {
            rule: finding.rule,
            severity: severity(finding.rule, mode),
            function,
            called: None,
            binding: finding.binding,
            module: finding.module,
            name: name(finding.module),
            peer: finding.peer,
            peer_name: name(finding.peer),
            status: finding.status,
            blockers: Vec::new(),
            memory: None,
            recorded: self.records.len() as u64,
            thread: thread::current(),
            irql: irql::current(),
        }
    }

    /// Makes reports of findings, and returns how many there were before.
    pub(super) fn file(
        &mut self,
        findings: Noted<Finding>,
        function: &'static str,
        mode: Mode,
    ) -> usize {
        let before = self.reports.len();
        self.reports.lose(findings.lost());
        for finding in findings {
            let report = self.report(finding, function, mode);
            self.reports.push(report);
        }
        before
    }

    /// Copies the reports since `reported`, so that they can be handed on without the lock.
    fn copy(&mut self, reported: usize) -> Noted<Report> {
        let mut copies = Noted::default();
        for report in self.reports.since(reported) {
            copies.push(report.copy());
        }
        self.reports.lose(copies.lost());
        copies
    }

    /// How many reports are lost, if nothing was printed of some of them.
    fn take_news_of_lost(&mut self) -> Option<u64> {
        let lost = self.reports.lost();
        (std::mem::replace(&mut self.known_lost, lost) != lost).then_some(lost)
    }
}

impl Shell {
    /// Hands the reports since `reported` to the program, prints them, or panics with the first, as
    /// the policy says.
    #[expect(clippy::panic, reason = "the policy `report=panic` asks for it")]
    pub(super) fn announce(&self, mut books: MutexGuard<'_, Books>, reported: usize) {
        let prints = self.policy.on_report == OnReport::Print;
        // Not of each: of the first, and of each time when they have become twice as many.
        let lost = books.reports.lost();
        let has_lost = prints && lost > 0 && lost >= books.known_lost.saturating_mul(2);
        if books.reports.len() == reported && !has_lost {
            return;
        }
        let listener = self.listener.get();
        if listener.is_none() && self.policy.on_report == OnReport::Collect {
            return;
        }
        let reports = books.copy(reported);
        let lost = if has_lost {
            books.take_news_of_lost()
        } else {
            None
        };
        drop(books);
        for report in reports.iter() {
            if let Some(listener) = &listener {
                listener(report);
            }
            match self.policy.on_report {
                OnReport::Collect => {}
                OnReport::Print => stderr::line(format_args!("{report}")),
                OnReport::Panic => panic!("{report}"),
            }
        }
        lost.into_iter().for_each(print_lost);
    }

    /// Reports every registration that was not closed (V-73), and prints how many reports are lost,
    /// if that was not printed.
    pub(crate) fn report_the_end(&self) {
        self.look_at_the_end();
        self.look_into_lanes("finish", Machine::find_unclosed);
        let lost = self.books().take_news_of_lost();
        lost.into_iter().for_each(print_lost);
    }

    /// From now on, every report is handed to a function.
    pub(crate) fn listen(&self, listener: Option<Listen>) {
        self.listener.set(listener);
    }

    /// Reports the registrations whose callbacks are in code that goes away, and counts them.
    pub(crate) fn unloading(&self, code: &Range<usize>) -> usize {
        self.look_into_lanes("unload", |machine| machine.find_callbacks_in(code))
    }

    /// Reports what a look into each lane finds, and counts it.
    fn look_into_lanes(
        &self,
        function: &'static str,
        look: impl Fn(&mut Machine) -> usize,
    ) -> usize {
        let mut found = 0;
        for lane in self.lanes.iter() {
            let mut machine = lane.machine();
            found += look(&mut machine);
            let findings = machine.take_findings();
            drop(machine);
            if !findings.is_empty() {
                self.file(findings, function);
            }
        }
        found
    }

    /// Reports what a machine found, whose lock this thread does not hold.
    pub(super) fn file(&self, findings: Noted<Finding>, function: &'static str) {
        let mut books = self.books();
        let reported = books.file(findings, function, self.policy.mode);
        self.announce(books, reported);
    }

    /// Reports a rule that the caller of a function breaks.
    pub(crate) fn report_misuse(&self, rule: Rule, entry: &Entry) {
        self.report_with(rule, None, entry);
    }

    /// The same with another severity than the rule's own.
    pub(crate) fn report_with(&self, rule: Rule, severity: Option<Severity>, entry: &Entry) {
        let finding = Finding {
            binding: entry.binding,
            peer: entry.peer,
            ..finding(rule, entry.caller)
        };
        self.add_report(finding, severity, entry.function);
    }

    /// Reports a rule that a callback breaks, or that is broken inside it.
    pub(crate) fn report_callback(&self, rule: Rule, callback: &thread::Callback) {
        let finding = Finding {
            binding: Some(callback.binding),
            peer: Some(callback.peer),
            ..finding(rule, Actor::Module(callback.module))
        };
        self.add_report(finding, None, callback.function());
    }

    /// Reports a rule that one end of a binding breaks.
    pub(super) fn report_end(
        &self,
        rule: Rule,
        binding: Key,
        culprit: Role,
        function: &'static str,
    ) {
        let mut machine = self.machine(binding);
        machine.find(rule, binding, culprit, None);
        let findings = machine.take_findings();
        drop(machine);
        self.file(findings, function);
    }

    pub(super) fn add_report(
        &self,
        finding: Finding,
        severity: Option<Severity>,
        function: &'static str,
    ) {
        let mut books = self.books();
        let mut report = books.report(finding, function, self.policy.mode);
        report.severity = severity.unwrap_or(report.severity);
        let reported = books.reports.len();
        books.reports.push(report);
        self.announce(books, reported);
    }

    pub(crate) fn report_characteristics(&self, entry: &Entry, findings: &Findings) {
        for fault in findings.iter() {
            self.report_with(fault.rule, fault.severity, entry);
        }
    }

    /// Reports a call that a cleanup callback should not make (V-62).
    pub(crate) fn report_inside_cleanup(&self, entry: &Entry) {
        if thread::callback().is_some_and(|callback| callback.kind == Callback::Cleanup) {
            self.report_misuse(Rule::V62, entry);
        }
    }
}

fn print_lost(count: u64) {
    stderr::line(format_args!("memory ran out: {count} reports were lost"));
}

/// A finding that is about no binding.
pub(super) fn finding(rule: Rule, culprit: Actor) -> Finding {
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
