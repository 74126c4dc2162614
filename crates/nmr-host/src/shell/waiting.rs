//! How a thread waits for the end of a registration.

use super::reporting::{finding, report};
use super::{Shell, State};
use crate::locks;
use crate::machine::{Blocker, Key};
use crate::record::Actor;
use crate::rule::Rule;
use crate::sync::{Arc, MutexGuard, PoisonError};
use crate::transcript::Entry;

impl Shell {
    /// Blocks until a registration is finished. With a watchdog, reports once whom it waits for.
    pub(super) fn block(self: &Arc<Self>, registration: Key, entry: &Entry) {
        let waiting = self.begin_wait(registration, entry);
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
                if waiting.as_ref().is_some_and(locks::Wait::is_in_the_way) {
                    drop(state);
                    self.report_misuse(Rule::V81, entry);
                    state = self.lock();
                }
            }
        }
    }

    /// Tells of a wait that is made while the thread holds locks.
    fn begin_wait(self: &Arc<Self>, registration: Key, entry: &Entry) -> Option<locks::Wait> {
        if locks::count() == 0 {
            return None;
        }
        let blockers = self.lock().machine.blockers(registration);
        locks::Wait::begin(self, entry, &blockers)
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
}
