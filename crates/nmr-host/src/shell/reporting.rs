//! How a broken rule becomes a report, and what happens to it.

use std::collections::HashMap;

use super::{Shell, State};
use crate::irql;
use crate::machine::Finding;
use crate::module::{ModuleId, ModuleLabel};
use crate::policy::{Mode, OnReport};
use crate::record::Actor;
use crate::report::{Report, severity};
use crate::rule::{Rule, Severity};
use crate::sync::MutexGuard;
use crate::thread;
use crate::transcript::Entry;
use crate::validate::Findings;

impl State {
    /// Turns what the machine found into reports, and returns how many there were before.
    pub(super) fn collect_findings(&mut self, function: &'static str, mode: Mode) -> usize {
        let before = self.reports.len();
        let findings = self.machine.take_findings();
        let reports = findings.map(|finding| report(finding, function, mode, &self.names));
        self.reports.extend(reports);
        before
    }
}

impl Shell {
    /// Prints the reports since `reported`, or panics with the first, as the policy says.
    pub(super) fn announce(&self, state: MutexGuard<'_, State>, reported: usize) {
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

    pub(super) fn report_characteristics(
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
}

/// Makes a report of a finding on this thread.
pub(super) fn report(
    finding: Finding,
    function: &'static str,
    mode: Mode,
    names: &HashMap<ModuleId, String>,
) -> Report {
    let name = |module: Option<ModuleLabel>| names.get(&module?.id?).cloned();
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
        thread: thread::current(),
        irql: irql::current(),
    }
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
