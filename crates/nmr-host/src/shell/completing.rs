//! Threads that have completed a detach and are still in the code that did, when the wait that this
//! allows returns: the module may be unloaded under them (V-83).

use nmr_machine::{Finding, Identity, Key, Rule};

use super::Shell;
use crate::sync::Arc;
use crate::thread::{self, Completions, ThreadNumber};
use crate::transcript::Entry;

/// A thread that has completed a detach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completer {
    thread: ThreadNumber,
    who: Identity,
}

impl Shell {
    /// This thread is about to complete a detach. Nothing is remembered if it could not be known when it
    /// leaves.
    pub(crate) fn note_completer(self: &Arc<Self>, who: Identity) {
        if thread::note_completed(Arc::<Self>::clone(self), who.registration) {
            let thread = thread::current();
            let completers = &mut self.books().completers;
            if completers.try_reserve(1).is_ok() {
                completers.push(Completer { thread, who });
            }
        }
    }

    fn take_completer(&self, registration: Key) -> Option<Completer> {
        let completers = &mut self.books().completers;
        let of_this = |completer: &Completer| completer.who.registration == registration;
        let place = completers.iter().position(of_this)?;
        Some(completers.remove(place))
    }

    /// A wait for a registration has succeeded: reports the other threads that completed for it and
    /// are still inside.
    pub(crate) fn report_completers(&self, registration: Key, entry: &Entry) {
        let thread = thread::current();
        while let Some(Completer { who, thread: other }) = self.take_completer(registration) {
            if other == thread {
                continue;
            }
            let finding = Finding {
                rule: Rule::V83,
                binding: who.binding,
                module: Some(who.module),
                peer: who.peer,
                status: None,
            };
            self.add_report(finding, (None, None), entry.function);
        }
    }
}

impl Completions for Shell {
    fn completer_left(&self, registration: Key) {
        let thread = thread::current();
        let gone = |completer: &Completer| {
            (completer.thread, completer.who.registration) == (thread, registration)
        };
        self.books().completers.retain(|completer| !gone(completer));
    }
}
