//! What a machine says, carried out: above all calls of callbacks, at the right level and with everything
//! looked at around them.

use nmr_machine::{Action, Callback, Ends, Event, Invocation, Key, Machine, Outcome, Role, Task};
use nmr_sys::NTSTATUS;

use super::lane::Lane;
use super::telling::Told;
use super::watching::Watch;
use super::{Books, Shell, offers};
use crate::callback;
use crate::irql::{self, DISPATCH_LEVEL};
use crate::locks;
use crate::record::Note;
use crate::sync::{Arc, MutexGuard};
use crate::thread;
use crate::transcript::Entry;

impl Shell {
    /// Does what a machine says, and tells it what comes of that, until the call returns.
    pub(super) fn carry_out<'a>(
        self: &'a Arc<Self>,
        lane: &'a Lane,
        (mut machine, mut action): Told<'a>,
        task: &mut Task,
        entry: &Entry,
    ) -> NTSTATUS {
        loop {
            (machine, action) = match action {
                Action::Return(status) => {
                    self.leave(machine);
                    self.note_return(entry, status);
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
                    self.tell(lane, task, event, Callback::Attach.name(role), |_| ())
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
                    self.tell(lane, task, event, Callback::Detach.name(role), |_| ())
                }
                Action::Call(Invocation {
                    binding,
                    role,
                    callback: Callback::Cleanup,
                }) => {
                    self.call_cleanup(machine, binding, role);
                    let event = || Event::CleanupReturned { binding, role };
                    self.tell(lane, task, event, entry.function, |_| ())
                }
                Action::Block { registration } => {
                    self.leave(machine);
                    self.block(registration, entry);
                    self.tell_after(lane, Event::WaitAgain { registration }, task, entry)
                }
                Action::Defer { binding } => {
                    self.leave(machine);
                    self.worker.hand_over(self, binding);
                    self.tell_after(lane, Event::CleanupDeferred, task, entry)
                }
            };
        }
    }

    /// Tells a machine that a thread goes on which has not called back anyone.
    #[cold]
    fn tell_after<'a>(
        &'a self,
        lane: &'a Lane,
        event: Event<'_>,
        task: &mut Task,
        entry: &Entry,
    ) -> Told<'a> {
        self.tell(lane, task, || event, entry.function, |_| ())
    }

    /// Offers a client its provider: the offer belongs to this thread until the callback has returned.
    #[inline(always)]
    fn make_offer(
        self: &Arc<Self>,
        machine: MutexGuard<'_, Machine>,
        binding: Key,
    ) -> (Outcome, NTSTATUS) {
        let ends = self.whom(&machine, binding);
        let client = machine.side(binding, Role::Client);
        offers::begin(client.handle, machine.offer(binding));
        self.leave(machine);
        let attach = move || callback::attach_client(&client);
        let status = self.inside(Role::Client, Callback::Attach, ends.as_ref(), attach);
        let outcome = offers::end();
        if ends.is_some() {
            self.watch_attached(binding, status);
        }
        (outcome, status)
    }

    #[inline(always)]
    fn call_detach(
        self: &Arc<Self>,
        machine: MutexGuard<'_, Machine>,
        binding: Key,
        role: Role,
    ) -> NTSTATUS {
        let ends = self.whom(&machine, binding);
        let (callee, context) = machine.end(binding, role);
        self.leave(machine);
        if ends.is_some() {
            self.watch_detach(binding, role);
        }
        let detach = move || callback::detach(&callee, context);
        let status = self.inside(role, Callback::Detach, ends.as_ref(), detach);
        if ends.is_some() {
            self.watch_detached(binding, role, status);
        }
        status
    }

    #[inline(always)]
    fn call_cleanup(self: &Arc<Self>, machine: MutexGuard<'_, Machine>, binding: Key, role: Role) {
        let ends = self.whom(&machine, binding);
        let (callee, context) = machine.end(binding, role);
        self.leave(machine);
        let clean_up = move || callback::clean_up(&callee, context);
        self.inside(role, Callback::Cleanup, ends.as_ref(), clean_up);
    }

    /// Whom a callback is about, if anybody looks.
    #[inline]
    fn whom(&self, machine: &Machine, binding: Key) -> Option<Ends> {
        if self.is_watched() {
            machine.describe(binding)
        } else {
            None
        }
    }

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
    #[inline]
    fn raise_for(&self, callback: Callback) -> Option<irql::Raised> {
        let raised = callback != Callback::Attach && self.policy.detaches_at_dispatch();
        raised.then(|| irql::raise(DISPATCH_LEVEL))
    }
}
