//! Offers, and the bindings that result from them (contract sections 2.4, 2.7).

use nmr_sys::{
    NT_SUCCESS, NTSTATUS, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};

use crate::binding::{End, Phase};
use crate::detach::Detach;
use crate::event::{Action, Invocation, Task};
use crate::handle::{Handle, Kind};
use crate::interface::Interface;
use crate::machine::{Lost, Machine};
use crate::module::{Callback, Role};
use crate::offer::{Breaches, Offer, Outcome};
use crate::rule::Rule;
use crate::slab::Key;

impl Machine {
    /// Starts the next offer of a registration. After the last one the registration is done.
    #[inline(always)]
    pub(crate) fn next_offer(&mut self, registration: Key) -> Action {
        while let Some(owner) = self.registrations.get_mut(registration)
            && let Some(binding) = owner.next_offer
        {
            let role = owner.module.role();
            let found = self.bindings.live_mut(binding);
            owner.next_offer = found[role].links.after;
            if found.phase == Phase::Planned && found.registrant == role {
                found.phase = Phase::Offering;
                return Action::Call(Invocation {
                    binding,
                    role: Role::Client,
                    callback: Callback::Attach,
                });
            }
        }
        Action::Return(STATUS_SUCCESS)
    }

    /// An offer, as it begins.
    #[must_use]
    #[inline]
    pub fn offer(&self, binding: Key) -> Offer {
        let provider = self.side(binding, Role::Provider);
        let tables = if self.interfaces.is_empty() {
            None
        } else {
            let npi = self.module(self.binding(binding), Role::Provider).npi;
            self.interfaces.get(&npi).map(Interface::tables)
        };
        Offer::new(provider, tables)
    }

    /// `NmrClientAttachProvider` outside of the offers that its thread makes.
    #[cold]
    pub fn refuse_attach(&mut self, handle: Option<Handle>) -> NTSTATUS {
        match self.resolve(handle, Kind::ClientBinding) {
            Ok(binding) => {
                let cleaning = self.binding(binding).phase == Phase::Cleaning;
                let rule = if cleaning { Rule::V55 } else { Rule::V24 };
                self.report(rule, binding, Role::Client, None);
                STATUS_INVALID_DEVICE_STATE
            }
            Err(lost) => {
                self.report_call(match lost {
                    Lost::Unknown => Rule::V75,
                    Lost::WrongKind => Rule::V74,
                    Lost::Stale => Rule::V55,
                });
                STATUS_INVALID_PARAMETER
            }
        }
    }

    /// Notes the rules that a step of an offer breaks. A context of `NULL` breaks one only if a cleanup
    /// callback gets it: a module without one keeps its state elsewhere on purpose (V-36).
    #[cold]
    pub fn report_breaches(&mut self, binding: Key, breaches: Breaches) {
        for (rule, culprit, status) in breaches.iter() {
            let cleanup = self.module(self.binding(binding), culprit).has_cleanup();
            if rule != Rule::V36 || cleanup {
                self.report(rule, binding, culprit, status);
            }
        }
    }

    /// The client's attach callback returned: the one decision about the binding.
    pub(crate) fn client_attach_returned(
        &mut self,
        task: &mut Task,
        binding: Key,
        offer: &Outcome,
        status: NTSTATUS,
    ) -> Action {
        if let Some(rule) = offer.misanswered(status) {
            self.report(rule, binding, Role::Client, Some(status));
        }
        if !offer.is_accepted() {
            self.remove_binding(binding);
            return self.resume(task);
        }
        let [client, provider] = offer.passed;
        let found = self.bindings.live_mut(binding);
        found[Role::Client].pass(client);
        found[Role::Provider].pass(provider);
        if self.sharing.is_some() {
            self.count_contexts(binding);
        }
        if NT_SUCCESS(status) {
            self.attached(task, binding)
        } else {
            self.abandoned(task, binding)
        }
    }

    /// Counts the contexts that cleanup callbacks will get: each should belong to one binding (V-35).
    fn count_contexts(&mut self, binding: Key) {
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
                self.report(Rule::V35, binding, role, None);
            }
        }
    }

    /// Both modules attached. A late comer, one of whose modules has deregistered meanwhile,
    /// detaches at once (3.14).
    #[inline(always)]
    fn attached(&mut self, task: &mut Task, binding: Key) -> Action {
        let found = self.bindings.live_mut(binding);
        let mut live = true;
        for role in [Role::Client, Role::Provider] {
            let end = &mut found[role];
            let owner = self.registrations.live(end.registration);
            end.cleanup = owner.module.has_cleanup();
            live &= owner.is_live();
        }
        if live {
            found.phase = Phase::Attached;
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
