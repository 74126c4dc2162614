//! How a thread waits for the end of a registration.

use nmr_machine::{Blocker, Key, Rule};

use super::Shell;
use super::reporting::finding;
use crate::held;
use crate::policy::Cleanup;
use crate::record::Actor;
use crate::sync::Arc;
use crate::transcript::Entry;

impl Shell {
    /// Blocks until a registration is finished. With a watchdog, reports once whom it waits for.
    pub(super) fn block(self: &Arc<Self>, registration: Key, entry: &Entry) {
        let waiting = self.begin_wait(registration, entry);
        if self.policy.cleanup == Cleanup::Worker {
            self.worker.resume(self);
        }
        let lane = self.lane(registration);
        let mut machine = lane.machine();
        let mut limit = self.policy.watchdog;
        while !machine.is_finished(registration) {
            let (again, too_long) = lane.wait(machine, limit);
            machine = again;
            if too_long && !machine.is_finished(registration) {
                limit = None;
                let blockers = machine.blockers(registration);
                drop(machine);
                self.report_unfinished(blockers, entry);
                if waiting.as_ref().is_some_and(held::Wait::is_in_the_way) {
                    self.report_misuse(Rule::V81, entry);
                }
                machine = lane.machine();
            }
        }
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
        let reported = books.reports.len();
        books.reports.push(report);
        self.announce(books, reported);
    }
}
