//! The watch of one binding: how far its attach and its detach have come, which calls are in
//! progress, and which rules a call breaks (V-37, V-48 to V-50).
//!
//! A call that begins is counted before it looks how far the detach has come, and a module that is
//! done says so before it looks at the count. So of a call and a completion at the same time at
//! least one sees the other, in either order.

use nmr_machine::{ModuleLabel, Role, Rule};
use nmr_sys::{GUID, NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};

use super::{Host, Wrapping};
use crate::record::{Actor, Moment, Note};
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::SeqCst};
use crate::sync::{Mutex, MutexGuard, PoisonError, Weak};
use crate::thread::{self, ThreadNumber};

/// The watch of one attempt to attach, and of the binding that came of it.
#[derive(Debug)]
pub(crate) struct Watch {
    host: Weak<dyn Host>,
    binding: u64,
    pub(super) npi: GUID,
    wrapping: Wrapping,
    /// The thread that asks the provider.
    asking: ThreadNumber,
    /// A [`Consent`].
    consent: AtomicU8,
    /// Whether the provider called before it was clear what it would answer.
    is_hasty: AtomicBool,
    client: End,
    provider: End,
}

/// What the provider answered.
#[repr(u8)]
enum Consent {
    Undecided,
    Attached,
    Declined,
}

/// One module's end.
#[derive(Debug)]
struct End {
    module: ModuleLabel,
    /// A [`Stage`].
    stage: AtomicU8,
    /// How many of its calls into the peer have not returned.
    calls: AtomicUsize,
    /// Threads that can have no call in hand from before the detach: the one that ran the detach
    /// callback, and those whose last call returned after it.
    free: Mutex<Vec<ThreadNumber>>,
}

/// How far the detach of an end has come. The order matters.
#[repr(u8)]
#[derive(Clone, Copy)]
enum Stage {
    /// The detach callback was not called.
    Attached,
    /// It is running.
    InCallback,
    /// It answered `STATUS_PENDING`.
    Pending,
    /// The module said that it is done.
    Done,
}

impl End {
    fn new(module: ModuleLabel) -> Self {
        Self {
            module,
            stage: AtomicU8::new(Stage::Attached as u8),
            calls: AtomicUsize::new(0),
            free: Mutex::default(),
        }
    }

    fn has_reached(&self, stage: Stage) -> bool {
        self.stage.load(SeqCst) >= stage as u8
    }

    /// Goes on to a stage, unless the end is there already. Returns whether it was not.
    fn reach(&self, stage: Stage) -> bool {
        self.stage.fetch_max(stage as u8, SeqCst) < stage as u8
    }

    fn free(&self) -> MutexGuard<'_, Vec<ThreadNumber>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the next call of this thread is a new one.
    fn set_free(&self) {
        let (mut free, thread) = (self.free(), thread::current());
        if !free.contains(&thread) {
            free.push(thread);
        }
    }
}

impl Watch {
    pub(crate) fn new(
        host: Weak<dyn Host>,
        binding: u64,
        npi: GUID,
        wrapping: Wrapping,
        client: ModuleLabel,
        provider: ModuleLabel,
    ) -> Self {
        Self {
            host,
            binding,
            npi,
            wrapping,
            asking: thread::current(),
            consent: AtomicU8::new(Consent::Undecided as u8),
            is_hasty: AtomicBool::new(false),
            client: End::new(client),
            provider: End::new(provider),
        }
    }

    fn end(&self, role: Role) -> &End {
        match role {
            Role::Client => &self.client,
            Role::Provider => &self.provider,
        }
    }

    /// `ProviderAttachClient` returned. Who called and then declined was hasty (V-37).
    pub(crate) fn answered(&self, status: NTSTATUS) {
        if status == STATUS_SUCCESS {
            self.consent.store(Consent::Attached as u8, SeqCst);
            return;
        }
        self.consent.store(Consent::Declined as u8, SeqCst);
        if self.is_hasty.swap(false, SeqCst) {
            let function = "ProviderAttachClient";
            self.report(Rule::V37, Role::Provider, function, None);
        }
    }

    /// The client failed after it had attached: it is not asked to detach.
    pub(crate) fn abandoned(&self) {
        self.client.reach(Stage::Done);
    }

    /// The detach callback of an end is about to run on this thread.
    pub(crate) fn detach_called(&self, role: Role) {
        let end = self.end(role);
        end.set_free();
        end.reach(Stage::InCallback);
    }

    /// The detach callback of an end has returned.
    pub(crate) fn detach_returned(&self, role: Role, status: NTSTATUS, function: &'static str) {
        if let Some(host) = self.host.upgrade() {
            let (holds, module) = (&host.wrapped().holds, self.end(role).module);
            holds.detach_returned(self.binding, module, status);
        }
        if status == STATUS_PENDING {
            self.end(role).reach(Stage::Pending);
        } else {
            self.done(role, function);
        }
    }

    /// A module says that it is done: its detach callback did not answer `STATUS_PENDING`, or it
    /// completes. No call of it is in progress then (V-49).
    pub(crate) fn done(&self, role: Role, function: &'static str) {
        let end = self.end(role);
        if end.reach(Stage::Done) && end.calls.load(SeqCst) != 0 {
            self.report(Rule::V49, role, function, None);
        }
    }

    /// What the callee of a call gets for a callback of the caller.
    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
    pub(super) fn callback(
        &self,
        slot: &super::table::Slot,
        function: usize,
        target: usize,
    ) -> usize {
        let host = self.host.upgrade();
        host.map_or(target, |host| {
            host.wrapped().callback(slot, function, target)
        })
    }

    /// A module calls its peer.
    pub(super) fn call_begins(&self, caller: Role, function: usize) {
        self.end(caller).calls.fetch_add(1, SeqCst);
        self.note(caller, function, Moment::Call("".into()));
        if let Some(rule) = self.judge(caller) {
            self.report(rule, caller, called(caller), Some(function));
        }
        let end = self.end(caller);
        let is_detaching = || end.has_reached(Stage::InCallback);
        if let Some(host) = self.host.upgrade() {
            let (holds, recorded) = (&host.wrapped().holds, || host.recorded());
            holds.call_begins(self.binding, end.module, recorded, is_detaching);
        }
    }

    /// The call returned.
    pub(super) fn call_ends(&self, caller: Role, function: usize) {
        let end = self.end(caller);
        if end.has_reached(Stage::Pending) {
            end.set_free();
        }
        self.note(caller, function, Moment::Return("".into()));
        end.calls.fetch_sub(1, SeqCst);
    }

    /// The rule that a call breaks which begins now, if it breaks one.
    fn judge(&self, caller: Role) -> Option<Rule> {
        if caller == Role::Provider && self.is_too_early() {
            return Some(Rule::V37);
        }
        let end = self.end(caller);
        if !end.has_reached(Stage::InCallback) {
            None
        } else if end.has_reached(Stage::Done) {
            Some(Rule::V50)
        } else if !self.wrapping.closing_calls && end.free().contains(&thread::current()) {
            Some(Rule::V48)
        } else {
            None
        }
    }

    /// Returns `true` if a provider that calls now has not attached. On another thread than the callback's it
    /// may have decided already: that shows when the callback returns.
    fn is_too_early(&self) -> bool {
        const ATTACHED: u8 = Consent::Attached as u8;
        const UNDECIDED: u8 = Consent::Undecided as u8;
        match self.consent.load(SeqCst) {
            ATTACHED => false,
            UNDECIDED if thread::current() != self.asking => {
                self.is_hasty.store(true, SeqCst);
                // The callback may have returned before it could see the flag. One of the two takes it.
                self.consent.load(SeqCst) == Consent::Declined as u8
                    && self.is_hasty.swap(false, SeqCst)
            }
            _ => true,
        }
    }

    fn report(&self, rule: Rule, culprit: Role, function: &'static str, place: Option<usize>) {
        if let Some(host) = self.host.upgrade() {
            let (module, peer) = (self.end(culprit).module, self.end(culprit.other()).module);
            let ends = (self.binding, module, peer);
            host.report_call(rule, ends, function, place);
        }
    }

    fn note(&self, caller: Role, function: usize, moment: Moment) {
        if !self.wrapping.recorded {
            return;
        }
        if let Some(host) = self.host.upgrade() {
            host.add_note(Note {
                caller: Actor::Module(self.end(caller).module),
                callee: Actor::Module(self.end(caller.other()).module),
                function: format!("{} function {function}", caller.other()).into(),
                binding: Some(self.binding),
                moment,
            });
        }
    }
}

/// What a report says of a call.
fn called(caller: Role) -> &'static str {
    match caller {
        Role::Client => "a call into the provider",
        Role::Provider => "a call into the client",
    }
}
