//! Reports: made from broken rules, stored and delivered.

use std::fmt;
use std::ops::Range;
use std::sync::TryLockError;

use nmr_machine::{
    Callback, Finding, Handle, Key, Machine, ModuleLabel, Noted, Role, Rule, Severity,
};

use super::lane::Lane;
use super::reports::News;
use super::{Books, Shell};
use crate::findings::Findings;
use crate::got::Got;
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
            got: None,
            count: 1,
            blockers: Vec::new(),
            memory: None,
            recorded: self.records.len() as u64,
            thread: thread::current(),
            irql: irql::current(),
        }
    }

    /// How many reports are lost, if nothing was printed of some of them.
    fn take_news_of_lost(&mut self) -> Option<u64> {
        let lost = self.reports.lost();
        (std::mem::replace(&mut self.known_lost, lost) != lost).then_some(lost)
    }
}

impl Shell {
    /// Writes findings down. `entry` is the call that led to them, if it is known.
    pub(super) fn write_down(
        &self,
        books: &mut Books,
        findings: Noted<Finding>,
        function: &'static str,
        entry: Option<&Entry>,
    ) {
        books.reports.lose(findings.lost());
        for finding in findings {
            if books.reports.explain(finding.rule, finding.module) {
                continue;
            }
            // The machine names no module where the lookup of a handle failed.
            let unnamed = entry.filter(|_| finding.module.is_none());
            let finding = unnamed.map_or(finding, |entry| self.name_culprit(finding, entry));
            let report = books.report(finding, function, self.policy.mode);
            books.reports.push(Report {
                got: unnamed.map(|entry| Got::Handle(entry.handle)),
                ..report
            });
        }
    }

    /// Names the module that has used a handle whose lookup failed: the one that it has led to, or else
    /// the one whose callback this thread is inside.
    fn name_culprit(&self, finding: Finding, entry: &Entry) -> Finding {
        let handle = Handle::of_value(entry.handle);
        let handle = handle.filter(|handle| handle.instance() == self.instance);
        let late = handle.and_then(|handle| self.past.find(handle));
        match (late, thread::callback()) {
            // The handle of the other end of the binding.
            (Some(late), _) if finding.rule == Rule::V45 && late.peer.is_some() => Finding {
                binding: late.binding,
                module: late.peer,
                peer: Some(late.module),
                ..finding
            },
            (Some(late), _) => Finding {
                binding: late.binding,
                module: Some(late.module),
                peer: late.peer,
                ..finding
            },
            (None, Some(callback)) => Finding {
                module: Some(callback.module),
                ..finding
            },
            (None, None) => finding,
        }
    }

    /// Remembers the registration that is being deregistered, for reports of its dead handle.
    pub(crate) fn remember(&self, entry: &Entry) {
        if let (Actor::Module(module), Some(handle)) =
            (entry.caller, Handle::of_value(entry.handle))
        {
            self.past.register(handle.key(), module);
        }
    }

    /// Hands what is new to the program, prints it, or panics with the first, as the policy says.
    #[expect(clippy::panic, reason = "the policy `report=panic` asks for it")]
    pub(super) fn announce(&self, mut books: MutexGuard<'_, Books>) {
        let prints = self.policy.on_report == OnReport::Print;
        // Not of each: of the first, and of each time when they have become twice as many.
        let lost = books.reports.lost();
        let has_lost = prints && lost > 0 && lost >= books.known_lost.saturating_mul(2);
        if !books.reports.take_has_news() && !has_lost {
            return;
        }
        let listener = self.listener.get();
        if listener.is_none() && self.policy.on_report == OnReport::Collect {
            return;
        }
        let news = books.reports.take_news(prints);
        let lost = if has_lost {
            books.take_news_of_lost()
        } else {
            None
        };
        drop(books);
        for News { report, prints } in news {
            if let Some(listener) = &listener {
                listener(&report);
            }
            if prints {
                stderr::line(format_args!("{report}"));
            }
            match self.policy.on_report {
                OnReport::Collect | OnReport::Print => {}
                OnReport::Panic => panic!("{report}"),
            }
        }
        lost.into_iter().for_each(print_lost);
    }

    /// Reports every registration that was not closed (V-73). Prints how often those reports were found
    /// that have been printed with a lower count, and how many are lost.
    pub(crate) fn report_the_end(&self) {
        self.look_at_the_end();
        for lane in self.lanes.iter() {
            self.report_unclosed(lane);
        }
        let mut books = self.books();
        books
            .reports
            .print_counts(|report| stderr::line(format_args!("{report}")));
        let lost = books.take_news_of_lost();
        drop(books);
        lost.into_iter().for_each(print_lost);
    }

    /// Prints the reports that were not printed, where the process may end: whatever the policy says, and
    /// without waiting for a lock.
    pub(crate) fn print_the_rest(&self, print: &dyn Fn(fmt::Arguments<'_>)) {
        let books = match self.books.try_lock() {
            Ok(books) => Some(books),
            Err(TryLockError::Poisoned(books)) => Some(books.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match books {
            Some(mut books) => books
                .reports
                .print_rest(|report| print(format_args!("{report}"))),
            None => print(format_args!(
                "the reports cannot be read: the registrar is in use"
            )),
        }
    }

    /// Reports the registrations of a lane that were not closed, and which half of the end is missing.
    fn report_unclosed(&self, lane: &Lane) {
        let mut books = self.books();
        for leak in lane.machine().leaks() {
            let finding = finding(Rule::V73, Actor::Module(leak.module));
            let report = books.report(finding, "finish", self.policy.mode);
            let got = if leak.deregistered {
                "a deregistration and no wait"
            } else {
                "no deregistration"
            };
            books.reports.push(Report {
                got: Some(Got::Words(got)),
                ..report
            });
        }
        self.announce(books);
    }

    /// From now on, every report is handed to a function.
    pub(crate) fn listen(&self, listener: Option<Listen>) {
        self.listener.set(listener);
    }

    /// Reports the registrations whose callbacks are in code that goes away, and counts them.
    pub(crate) fn unloading(&self, code: &Range<usize>) -> usize {
        self.look_into_lanes("unload", |machine| machine.report_callbacks_in(code))
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
                self.file(findings, function, None);
            }
        }
        found
    }

    /// Reports what a machine found, whose lock this thread does not hold. `entry` is the call that led
    /// to it, if it is known.
    pub(super) fn file(
        &self,
        findings: Noted<Finding>,
        function: &'static str,
        entry: Option<&Entry>,
    ) {
        let mut books = self.books();
        self.write_down(&mut books, findings, function, entry);
        self.announce(books);
    }

    /// Reports a rule that the caller of a function breaks.
    pub(crate) fn report_misuse(&self, rule: Rule, entry: &Entry) {
        self.report_with(rule, (None, None), entry);
    }

    /// The same with another severity than the rule's own, and with what was got.
    pub(crate) fn report_with(
        &self,
        rule: Rule,
        details: (Option<Severity>, Option<Got>),
        entry: &Entry,
    ) {
        let finding = Finding {
            binding: entry.binding,
            peer: entry.peer,
            ..finding(rule, entry.caller)
        };
        self.add_report(finding, details, entry.function);
    }

    /// Reports a rule that a callback breaks, or that is broken inside it.
    pub(crate) fn report_callback(&self, rule: Rule, callback: &thread::Callback) {
        let finding = Finding {
            binding: Some(callback.binding),
            peer: Some(callback.peer),
            ..finding(rule, Actor::Module(callback.module))
        };
        self.add_report(finding, (None, None), callback.function());
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
        machine.report(rule, binding, culprit, None);
        let findings = machine.take_findings();
        drop(machine);
        self.file(findings, function, None);
    }

    pub(super) fn add_report(
        &self,
        finding: Finding,
        (severity, got): (Option<Severity>, Option<Got>),
        function: &'static str,
    ) {
        let mut books = self.books();
        let report = books.report(finding, function, self.policy.mode);
        books.reports.push(Report {
            severity: severity.unwrap_or(report.severity),
            got,
            ..report
        });
        self.announce(books);
    }

    pub(crate) fn report_characteristics(&self, entry: &Entry, findings: &Findings) {
        for fault in findings.iter() {
            self.report_with(fault.rule, (fault.severity, fault.got), entry);
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
    stderr::line(format_args!(
        "{count} reports were lost: memory ran out, or there were too many"
    ));
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
