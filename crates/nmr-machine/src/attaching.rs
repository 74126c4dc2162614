//! Offers: the client's attach callback, the provider's inside it, and the decision after it
//! (contract sections 2.4, 2.6, 2.7).

use nmr_sys::{
    NT_SUCCESS, NTSTATUS, Opaque, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE, STATUS_SUCCESS,
};

use super::binding::{End, Offer, Phase, Progress};
use super::detach::Detach;
use super::event::ProviderAnswer;
use super::handle::Kind;
use super::{Action, Handle, Invocation, Key, Lost, Machine, Task};
use crate::event::ThreadNumber;
use crate::module::{Callback, Role};
use crate::rule::Rule;

/// How often a client may try to attach in one offer before it looks like a loop (V-26).
const TRIES: u32 = 8;

impl Machine {
    /// Starts the next offer of a registration. After the last one the registration is done.
    #[inline(always)]
    pub(super) fn next_offer(&mut self, registration: Key, thread: ThreadNumber) -> Action {
        while let Some(owner) = self.registrations.get_mut(registration)
            && let Some(binding) = owner.next_offer
        {
            let role = owner.module.role();
            let found = self.bindings.live_mut(binding);
            owner.next_offer = found[role].links.after;
            if found.phase == Phase::Planned && found.registrant == role {
                found.phase = Phase::Offering(Offer::new(thread));
                return Action::Call(Invocation {
                    binding,
                    role: Role::Client,
                    callback: Callback::Attach,
                });
            }
        }
        Action::Return(STATUS_SUCCESS)
    }

    /// `NmrClientAttachProvider`: asks the provider, if this is the offer it may be called in.
    pub fn attach_provider(
        &mut self,
        handle: Option<Handle>,
        thread: ThreadNumber,
        context: Opaque,
        dispatch: Opaque,
    ) -> Action {
        let binding = match self.try_offer(handle, thread) {
            Ok(binding) => binding,
            Err(status) => return Action::Return(status),
        };
        self.judge_table(binding, Role::Client, dispatch);
        let client = &mut self.binding_mut(binding)[Role::Client];
        (client.context, client.dispatch) = (context, dispatch);
        Action::Call(Invocation {
            binding,
            role: Role::Provider,
            callback: Callback::Attach,
        })
    }

    /// `NmrClientAttachProvider` that fails: to the client, as if the provider had declined.
    pub(super) fn fail_attach(
        &mut self,
        handle: Option<Handle>,
        thread: ThreadNumber,
        status: NTSTATUS,
    ) -> Action {
        match self.try_offer(handle, thread) {
            Ok(binding) => {
                self.answered(binding, status);
                Action::Return(status)
            }
            Err(refusal) => Action::Return(refusal),
        }
    }

    /// Finds the offer that a client accepts, and counts the try.
    fn try_offer(&mut self, handle: Option<Handle>, thread: ThreadNumber) -> Result<Key, NTSTATUS> {
        let binding = match self.resolve(handle, Kind::ClientBinding) {
            Ok(binding) => binding,
            Err(lost) => return Err(self.refuse_attach_handle(lost)),
        };
        if let Some(rule) = self.attach_misplaced(binding, thread) {
            self.find(rule, binding, Role::Client, None);
            return Err(STATUS_INVALID_DEVICE_STATE);
        }
        self.count_try(binding);
        Ok(binding)
    }

    fn refuse_attach_handle(&mut self, lost: Lost) -> NTSTATUS {
        self.find_somewhere(match lost {
            Lost::Unknown => Rule::V75,
            Lost::WrongKind => Rule::V74,
            Lost::Stale => Rule::V55,
        });
        STATUS_INVALID_PARAMETER
    }

    /// Why an attach is out of place, if it is.
    fn attach_misplaced(&self, binding: Key, thread: ThreadNumber) -> Option<Rule> {
        let found = self.binding(binding);
        match found.offer() {
            Some(offer) if offer.thread != thread => Some(Rule::V24),
            Some(Offer {
                progress: Progress::Deciding,
                ..
            }) => None,
            Some(Offer {
                progress: Progress::Accepted,
                ..
            }) => Some(Rule::V25),
            None if found.phase == Phase::Cleaning => Some(Rule::V55),
            _ => Some(Rule::V24),
        }
    }

    /// Counts a try. A second one is in order only after a decline (V-26).
    fn count_try(&mut self, binding: Key) {
        let offer = self.binding_mut(binding).offer_mut();
        offer.tries = offer.tries.saturating_add(1);
        offer.progress = Progress::Asking;
        let (last, tries) = (offer.last, offer.tries);
        if last.is_some_and(|last| last != STATUS_NOINTERFACE) || tries > TRIES {
            self.find(Rule::V26, binding, Role::Client, last);
        }
    }

    /// The provider answered. Only `STATUS_SUCCESS` attaches; anything else leaves the
    /// client free to try again.
    pub fn provider_attach_returned(
        &mut self,
        task: &mut Task,
        binding: Key,
        answer: ProviderAnswer,
    ) -> Action {
        let status = self.judge_provider_answer(binding, answer);
        self.answered(binding, status);
        if status == STATUS_SUCCESS {
            task.attached = Some(self.connect(binding, answer));
        }
        Action::Return(status)
    }

    /// Notes what the client is told.
    fn answered(&mut self, binding: Key, status: NTSTATUS) {
        let offer = self.binding_mut(binding).offer_mut();
        offer.last = Some(status);
        offer.progress = match status {
            STATUS_SUCCESS => Progress::Accepted,
            _ => Progress::Deciding,
        };
    }

    /// What the client is told, and what the provider did wrong.
    fn judge_provider_answer(&mut self, binding: Key, answer: ProviderAnswer) -> NTSTATUS {
        let ProviderAnswer {
            status,
            context,
            dispatch,
        } = answer;
        let stored = context.is_some_and(|context| context != Opaque::NULL);
        let rule = match status {
            STATUS_SUCCESS if context.is_none() || dispatch.is_none() => Some(Rule::V29),
            STATUS_SUCCESS => None,
            _ if NT_SUCCESS(status) => Some(Rule::V23),
            _ if stored => Some(Rule::V30),
            _ => None,
        };
        if let Some(rule) = rule {
            self.find(rule, binding, Role::Provider, Some(status));
        }
        let undecided = status != STATUS_SUCCESS && NT_SUCCESS(status);
        if undecided {
            STATUS_NOINTERFACE
        } else {
            status
        }
    }

    /// Stores what the provider gave and returns it for the client. What it did not write was
    /// reported, and is no null of its own.
    fn connect(&mut self, binding: Key, answer: ProviderAnswer) -> (Opaque, Opaque) {
        if let Some(dispatch) = answer.dispatch {
            self.judge_table(binding, Role::Provider, dispatch);
        }
        let outputs = (
            answer.context.unwrap_or(Opaque::NULL),
            answer.dispatch.unwrap_or(Opaque::NULL),
        );
        let found = self.binding_mut(binding);
        let provider = &mut found[Role::Provider];
        (provider.context, provider.dispatch) = outputs;
        let client = Some(found[Role::Client].context);
        for (role, context) in [(Role::Client, client), (Role::Provider, answer.context)] {
            if context == Some(Opaque::NULL) {
                self.find(Rule::V36, binding, role, None);
            }
        }
        self.count_contexts(binding);
        outputs
    }

    /// Counts the contexts that cleanup callbacks will get: each should belong to one binding (V-35).
    fn count_contexts(&mut self, binding: Key) {
        if self.sharing.is_none() {
            return;
        }
        for role in [Role::Client, Role::Provider] {
            let (
                owned,
                End {
                    registration,
                    context,
                    ..
                },
            ) = self.owned_context(binding, role);
            if let (true, Some(sharing)) = (owned, &mut self.sharing)
                && sharing.connect(registration, context)
            {
                self.find(Rule::V35, binding, role, None);
            }
        }
    }

    /// An offer that this thread made, and told nothing of, has ended with both modules attached, each
    /// with its context and its table, and nothing is wrong with them.
    #[inline(always)]
    pub fn agreed(
        &mut self,
        task: &mut Task,
        binding: Key,
        passed: &[(Opaque, Opaque); 2],
    ) -> Action {
        for (role, &(context, dispatch)) in [Role::Client, Role::Provider].into_iter().zip(passed) {
            self.judge_table(binding, role, dispatch);
            let end = &mut self.binding_mut(binding)[role];
            (end.context, end.dispatch) = (context, dispatch);
        }
        self.count_contexts(binding);
        self.attached(task, binding)
    }

    /// The client's attach callback returned: the one decision about the binding.
    pub fn client_attach_returned(
        &mut self,
        task: &mut Task,
        binding: Key,
        status: NTSTATUS,
    ) -> Action {
        let offer = *self.binding_mut(binding).offer_mut();
        let accepted = offer.progress == Progress::Accepted;
        if let Some(rule) = misanswered(offer, status) {
            self.find(rule, binding, Role::Client, Some(status));
        }
        match (accepted, NT_SUCCESS(status)) {
            (false, _) => {
                self.remove_binding(binding);
                self.resume(task)
            }
            (true, true) => self.attached(task, binding),
            (true, false) => self.abandoned(task, binding),
        }
    }

    /// Both modules attached. A late comer, one of whose modules has deregistered meanwhile,
    /// detaches at once (3.14).
    #[inline(always)]
    fn attached(&mut self, task: &mut Task, binding: Key) -> Action {
        let mut live = true;
        for role in [Role::Client, Role::Provider] {
            let end = &mut self.bindings.live_mut(binding)[role];
            let owner = self.registrations.live(end.registration);
            end.cleanup = owner.module.has_cleanup();
            live &= owner.is_live();
        }
        if live {
            self.binding_mut(binding).phase = Phase::Attached;
            return self.resume(task);
        }
        self.continue_detach(task, binding)
    }

    /// The client failed after it had attached: the provider detaches, the client is left alone,
    /// because it has most likely freed its context.
    fn abandoned(&mut self, task: &mut Task, binding: Key) -> Action {
        self.want_cleanup(binding, Role::Provider);
        if self.policy.cleanup_failed_client {
            self.want_cleanup(binding, Role::Client);
        } else {
            self.forget_context(binding, Role::Client);
        }
        self.binding_mut(binding)[Role::Client].detach = Detach::Done;
        self.continue_detach(task, binding)
    }

    fn want_cleanup(&mut self, binding: Key, role: Role) {
        let wanted = self.module(self.binding(binding), role).has_cleanup();
        self.binding_mut(binding)[role].cleanup = wanted;
    }
}

/// Which rule the client's answer to an offer breaks, if any.
fn misanswered(offer: Offer, status: NTSTATUS) -> Option<Rule> {
    let accepted = offer.progress == Progress::Accepted;
    match status {
        STATUS_SUCCESS if accepted => None,
        STATUS_SUCCESS => Some(Rule::V21),
        _ if NT_SUCCESS(status) => Some(Rule::V23),
        _ if accepted => Some(Rule::V22),
        _ if offer.last.is_some_and(|last| last != status) => Some(Rule::V20),
        _ => None,
    }
}
