//! How the shell runs a callback: at the right level, with everything looked at around it.

use nmr_machine::{Callback, Ends, Role};

use super::watching::Watch;
use super::{Books, Shell};
use crate::irql::{self, DISPATCH_LEVEL};
use crate::locks;
use crate::record::Note;
use crate::sync::Arc;
use crate::thread;

impl Shell {
    /// Runs a callback of a binding at the IRQL that the policy says. `ends` says whom it is about, if
    /// anybody looks.
    #[inline(always)]
    pub(super) fn inside<T>(
        self: &Arc<Self>,
        role: Role,
        kind: Callback,
        ends: Option<&Ends>,
        run: impl FnOnce() -> T,
    ) -> T {
        let _level = self.raise_for(kind);
        let Some(ends) = ends else { return run() };
        let callback = thread::Callback {
            kind,
            instance: self.instance,
            binding: ends.serial,
            module: ends.module(role),
            peer: ends.module(role.other()),
            irql: irql::current(),
            locks: locks::count(),
        };
        let watch = Watch::begin(self, callback);
        thread::enter(Some(callback));
        let outcome = run();
        thread::leave();
        watch.end();
        outcome
    }

    /// Notes a callback, at the IRQL at which it runs.
    pub(super) fn note_callback(&self, books: &mut Books, note: Option<(Callback, Note)>) {
        if let Some((callback, note)) = note {
            let _level = self.raise_for(callback);
            books.note(note);
        }
    }

    /// Raises this thread to the IRQL that the policy says for a callback.
    fn raise_for(&self, callback: Callback) -> Option<irql::Raised> {
        let raised = callback != Callback::Attach && self.policy.detaches_at_dispatch();
        raised.then(|| irql::raise(DISPATCH_LEVEL))
    }
}
