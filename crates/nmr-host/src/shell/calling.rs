//! Carrying out the actions of a machine: above all calls of callbacks, at the right level and with every check
//! around them.

use nmr_machine::{Action, Callback, Ends, Event, Invocation, Key, Outcome, Role};
use nmr_sys::NTSTATUS;

use super::telling::{Conversation, Locked};
use super::watching::Watch;
use super::{Books, Shell, offers};
use crate::callback;
use crate::held;
use crate::irql::{self, DISPATCH_LEVEL};
use crate::records::Brief;
use crate::sync::Arc;
use crate::thread;

impl<'a> Conversation<'a> {
    /// Carries out the machine's actions, and passes their outcomes back to it, until the call returns.
    pub(super) fn carry_out(
        &mut self,
        (mut machine, mut action): (Locked<'a>, Action),
    ) -> NTSTATUS {
        loop {
            (machine, action) = match action {
                Action::Return(status) => {
                    self.shell.leave(machine);
                    return status;
                }
                Action::Call(Invocation {
                    binding,
                    role,
                    callback: Callback::Attach,
                }) => {
                    let (outcome, status) = self.make_offer(machine, binding);
                    let event = || Event::ClientAttachReturned {
                        binding,
                        offer: &outcome,
                        status,
                    };
                    self.tell(event, Callback::Attach.name(role), |_| ())
                }
                Action::Call(Invocation {
                    binding,
                    role,
                    callback: Callback::Detach,
                }) => {
                    let status = self.call_detach(machine, binding, role);
                    let event = || Event::DetachReturned {
                        binding,
                        role,
                        status,
                    };
                    self.tell(event, Callback::Detach.name(role), |_| ())
                }
                Action::Call(Invocation {
                    binding,
                    role,
                    callback: Callback::Cleanup,
                }) => {
                    self.call_cleanup(machine, binding, role);
                    let event = || Event::CleanupReturned { binding, role };
                    self.tell(event, self.entry.function, |_| ())
                }
                Action::Block { registration } => {
                    self.shell.leave(machine);
                    self.shell.block(registration, self.entry);
                    self.go_on(Event::WaitAgain { registration })
                }
                Action::Defer { binding } => {
                    self.shell.leave(machine);
                    self.shell.worker.hand_over(self.shell, binding);
                    self.go_on(Event::CleanupDeferred)
                }
            };
        }
    }

    /// Tells the machine that this thread goes on, which has called back no module.
    #[cold]
    fn go_on(&mut self, event: Event<'_>) -> (Locked<'a>, Action) {
        self.tell(|| event, self.entry.function, |_| ())
    }

    /// Offers a client its provider: the offer belongs to this thread until the callback has returned.
    #[inline(always)]
    fn make_offer(&self, machine: Locked<'_>, binding: Key) -> (Outcome, NTSTATUS) {
        let client = machine.side(binding, Role::Client);
        offers::begin(client.handle, machine.offer(binding));
        self.shell.leave(machine);
        let attach = move || callback::attach_client(&client);
        let (role, callback) = (Role::Client, Callback::Attach);
        let status = self
            .shell
            .inside(role, callback, self.ends.as_ref(), attach);
        let outcome = offers::end();
        if let Some(ends) = self.ends {
            self.shell.past.bind(binding, ends);
            self.shell.watch_attached(binding, status);
        }
        (outcome, status)
    }

    #[inline(always)]
    fn call_detach(&self, machine: Locked<'_>, binding: Key, role: Role) -> NTSTATUS {
        let (callee, context) = machine.end(binding, role);
        self.shell.leave(machine);
        if self.ends.is_some() {
            self.shell.watch_detach(binding, role);
        }
        let detach = move || callback::detach(&callee, context);
        let ends = self.ends.as_ref();
        let status = self.shell.inside(role, Callback::Detach, ends, detach);
        if self.ends.is_some() {
            self.shell.watch_detached(binding, role, status);
        }
        status
    }

    #[inline(always)]
    fn call_cleanup(&self, machine: Locked<'_>, binding: Key, role: Role) {
        let (callee, context) = machine.end(binding, role);
        self.shell.leave(machine);
        let clean_up = move || callback::clean_up(&callee, context);
        let ends = self.ends.as_ref();
        self.shell.inside(role, Callback::Cleanup, ends, clean_up);
    }
}

impl Shell {
    /// Runs a callback of a binding at the IRQL that the policy says. `ends` are those of the binding, if
    /// calls are watched.
    #[inline(always)]
    pub(super) fn inside<T>(
        self: &Arc<Self>,
        role: Role,
        kind: Callback,
        ends: Option<&Ends>,
        run: impl FnOnce() -> T,
    ) -> T {
        let _level = self.raise_for(kind);
        match ends {
            None => run(),
            Some(ends) => self.inside_watched(role, kind, ends, run),
        }
    }

    #[inline(never)]
    fn inside_watched<T>(
        self: &Arc<Self>,
        role: Role,
        kind: Callback,
        ends: &Ends,
        run: impl FnOnce() -> T,
    ) -> T {
        let callback = thread::Callback {
            kind,
            instance: self.instance,
            binding: ends.serial,
            module: ends.module(role),
            peer: ends.module(role.other()),
            irql: irql::current(),
            locks: held::count(),
        };
        let watch = Watch::begin(self, callback);
        thread::enter(Some(callback));
        let outcome = run();
        thread::leave();
        watch.end();
        outcome
    }

    /// Records a callback, at the IRQL at which it runs.
    pub(super) fn record_callback(&self, books: &mut Books, callback: Callback, record: Brief) {
        let level = if self.raises_for(callback) {
            DISPATCH_LEVEL.max(irql::current())
        } else {
            irql::current()
        };
        books.records.push(record.at(level));
    }

    /// Raises this thread to the IRQL that the policy says for a callback.
    #[inline]
    fn raise_for(&self, callback: Callback) -> Option<irql::Raised> {
        self.raises_for(callback)
            .then(|| irql::raise(DISPATCH_LEVEL))
    }

    fn raises_for(&self, callback: Callback) -> bool {
        callback != Callback::Attach && self.policy.detaches_at_dispatch()
    }
}
