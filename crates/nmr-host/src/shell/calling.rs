//! How the shell runs a callback: at the right level, with everything looked at around it.

use nmr_machine::{Action, Arguments, Callback, Event, Invocation, Module, Role};

use super::watching::Watch;
use super::{Books, Shell};
use crate::callback;
use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL};
use crate::locks;
use crate::record::Note;
use crate::sync::Arc;
use crate::thread;

impl Shell {
    /// Carries out an action, without a lock, and says how it ended.
    #[expect(clippy::expect_used, reason = "as for `Slab::live`")]
    pub(super) fn perform(self: &Arc<Self>, action: Action) -> Option<Event> {
        match action {
            Action::Return(_) => None,
            Action::Block { registration } => Some(Event::WaitAgain { registration }),
            Action::Defer { binding } => {
                self.worker.hand_over(self, binding);
                Some(Event::CleanupDeferred)
            }
            Action::Call(invocation) => {
                let machine = self.machine(invocation.binding);
                let mut arguments = machine.arguments(invocation);
                let ends = machine.describe(invocation.binding);
                drop(machine);
                let ends = ends.expect("a callback is about a live binding");
                self.before(invocation, &mut arguments);
                let event = self.inside(invocation, &arguments, ends);
                self.after(&event);
                Some(event)
            }
        }
    }

    /// Tells the watch of a binding that a callback is about to be called; it may replace the table
    /// that the callback gets.
    fn before(self: &Arc<Self>, invocation: Invocation, arguments: &mut Arguments) {
        let Invocation { binding, role, .. } = invocation;
        match arguments {
            Arguments::ProviderAttach { dispatch, .. } => {
                *dispatch = self.watch_attach(binding, *dispatch);
            }
            Arguments::Detach(..) => self.watch_detach(binding, role),
            Arguments::ClientAttach(_) | Arguments::Cleanup(..) => {}
        }
    }

    /// Tells it that the callback has returned.
    fn after(&self, event: &Event) {
        match *event {
            Event::ClientAttachReturned { binding, status } => self.watch_attached(binding, status),
            Event::ProviderAttachReturned { binding, answer } => {
                self.watch_answer(binding, answer.status);
                self.watch_outputs(binding, &answer);
            }
            Event::DetachReturned {
                binding,
                role,
                status,
            } => self.watch_detached(binding, role, status),
            _ => {}
        }
    }

    /// Runs a callback of a binding with this number and these modules, at the IRQL that the policy says.
    /// What it registers, it registers here.
    fn inside(
        self: &Arc<Self>,
        invocation: Invocation,
        arguments: &Arguments,
        (binding, client, provider): (u64, Module, Module),
    ) -> Event {
        let (role, kind) = (invocation.role, invocation.callback);
        let (module, peer) = match role {
            Role::Client => (client.label, provider.label),
            Role::Provider => (provider.label, client.label),
        };
        let _level = self.raise_for(kind);
        let callback = thread::Callback {
            kind,
            instance: self.instance,
            binding,
            module,
            peer,
            irql: irql::current(),
            locks: locks::count(),
        };
        let watch = Watch::begin(self, callback);
        let stay = instances::stay(self);
        thread::enter(Some(callback));
        let event = callback::run(invocation, arguments);
        thread::leave();
        drop(stay);
        watch.end();
        event
    }

    /// Notes a callback, at the IRQL at which it runs.
    pub(super) fn note_callback(&self, books: &mut Books, note: Option<(Callback, Note)>) {
        if let Some((callback, note)) = note {
            let _level = self.raise_for(callback);
            books.note(note);
        }
    }

    /// Raises this thread to the IRQL that the policy says for a callback.
    pub(super) fn raise_for(&self, callback: Callback) -> Option<irql::Raised> {
        let raised = callback != Callback::Attach && self.policy.detaches_at_dispatch();
        raised.then(|| irql::raise(DISPATCH_LEVEL))
    }
}
