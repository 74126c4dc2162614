//! Checks around a callback: the state that it leaves behind on its thread, its duration, and
//! the pointers that it hands out.

use std::time::{Duration, Instant};

use nmr_machine::{Callback, Key, ProviderAnswer, Role, Rule};
use nmr_sys::STATUS_SUCCESS;

use super::Shell;
use crate::held;
use crate::irql;
use crate::poison;
use crate::stack;
use crate::thread;

/// A look at one callback.
pub(super) struct Watch<'a> {
    shell: &'a Shell,
    callback: thread::Callback,
    /// When it began, and how long it may take (V-54).
    patience: Option<(Instant, Duration)>,
}

impl<'a> Watch<'a> {
    pub(super) fn begin(shell: &'a Shell, callback: thread::Callback) -> Self {
        let slow = shell.policy.slow;
        let slow = slow.filter(|_| callback.kind == Callback::Detach);
        Self {
            shell,
            callback,
            patience: slow.map(|limit| (Instant::now(), limit)),
        }
    }

    /// The callback has returned.
    pub(super) fn end(self) {
        if irql::current() != self.callback.irql || held::count() != self.callback.locks {
            self.shell.report_callback(Rule::V27, &self.callback);
            irql::set(self.callback.irql);
        }
        if let Some((begin, limit)) = self.patience
            && begin.elapsed() >= limit
        {
            self.shell.report_callback(Rule::V54, &self.callback);
        }
    }
}

impl Shell {
    /// Looks at what a provider stored when it accepted (V-33, V-38).
    pub(super) fn watch_outputs(&self, binding: Key, answer: &ProviderAnswer) {
        let outputs =
            [answer.context, answer.dispatch].map(|output| output.map_or(0, |it| it.0.addr()));
        if answer.status != STATUS_SUCCESS {
            return;
        }
        let report = |rule| self.report_end(rule, binding, Role::Provider, "ProviderAttachClient");
        if outputs.into_iter().any(stack::holds) {
            report(Rule::V33);
        }
        if outputs.into_iter().any(poison::is_poison) {
            report(Rule::V38);
        }
    }
}
