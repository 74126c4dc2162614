//! Waits for the end of a registration.

use std::fmt;
use std::time::{Duration, Instant};

use nmr_machine::{Blocker, Key, Rule};

use super::Shell;
use super::reporting::finding;
use crate::held;
use crate::policy::Cleanup;
use crate::record::Actor;
use crate::stderr;
use crate::sync::Arc;
use crate::transcript::Entry;

impl Shell {
    /// Blocks until a registration is finished. With a watchdog, reports once whom it waits for; without
    /// one, prints that once.
    pub(super) fn block(self: &Arc<Self>, registration: Key, entry: &Entry) {
        let waiting = self.begin_wait(registration, entry);
        if self.policy.cleanup == Cleanup::Worker {
            self.worker.resume(self);
        }
        let lane = self.lane(registration);
        let mut machine = lane.machine();
        let mut limit = self.policy.watchdog.or(self.policy.stall());
        // From the first time that it is woken in vain: most waits end then, and read no clock.
        let mut begin: Option<Instant> = None;
        while !machine.is_finished(registration) {
            let elapsed = begin.map_or(Duration::ZERO, |begin| begin.elapsed());
            let left = limit.map(|limit| limit.saturating_sub(elapsed));
            let (again, too_long) = lane.wait(machine, left);
            machine = again;
            if machine.is_finished(registration) {
                break;
            }
            if limit.is_some() && begin.is_none() {
                begin = Some(Instant::now());
            }
            if too_long {
                limit = None;
                let blockers = machine.blockers(registration);
                drop(machine);
                if self.policy.watchdog.is_none() {
                    self.print_unfinished(&blockers, entry);
                } else {
                    self.report_unfinished(blockers, entry);
                    if waiting.as_ref().is_some_and(held::Wait::is_in_the_way) {
                        self.report_misuse(Rule::V81, entry);
                    }
                }
                machine = lane.machine();
            }
        }
    }

    /// Prints whom a wait waits for, and the reports that were not printed: if the wait never ends,
    /// nothing else of this process may ever be read.
    fn print_unfinished(&self, blockers: &[Blocker], entry: &Entry) {
        stderr::line(format_args!(
            "{}{} has not returned for {:?}{}",
            entry.function,
            By(entry.caller),
            self.policy.stall().unwrap_or_default(),
            Reasons(blockers)
        ));
        self.print_the_rest(&stderr::line);
    }

    /// Tells of a wait that is made while the thread holds locks.
    fn begin_wait(self: &Arc<Self>, registration: Key, entry: &Entry) -> Option<held::Wait> {
        if held::count() == 0 {
            return None;
        }
        let blockers = self.machine(registration).blockers(registration);
        let (shell, entry) = (Arc::clone(self), *entry);
        let report = move || shell.report_misuse(Rule::V81, &entry);
        held::Wait::begin(self.instance, &blockers, report)
    }

    fn report_unfinished(&self, blockers: Vec<Blocker>, entry: &Entry) {
        let breach = blockers.iter().find_map(Blocker::breach);
        let finding = breach.unwrap_or_else(|| finding(Rule::V41, Actor::Unknown));
        let mut books = self.books();
        let mut report = books.report(finding, entry.function, self.policy.mode);
        report.blockers = blockers;
        books.reports.push(report);
        self.announce(books);
    }
}

/// Who calls a function, as a part of a line.
struct By(Actor);

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Actor::Module(module) => write!(f, " by {module}"),
            Actor::Nmr | Actor::Unknown => Ok(()),
        }
    }
}

/// Whom a wait waits for, as a part of a line.
struct Reasons<'a>(&'a [Blocker]);

impl fmt::Display for Reasons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for blocker in self.0 {
            write!(f, "; waiting for {blocker}")?;
        }
        write!(f, "; see {}#v-41", Rule::PAGE)
    }
}
