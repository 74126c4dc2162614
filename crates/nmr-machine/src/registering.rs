//! Registration, deregistration and the wait (contract sections 2.1 to 2.3).

use alloc::vec::Vec;

use nmr_sys::{
    Opaque, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_PENDING, STATUS_SUCCESS,
};

use crate::binding::{Binding, End, Phase};
use crate::event::Goal;
use crate::event::{Action, Task};
use crate::handle::{Handle, Kind};
use crate::list::List;
use crate::machine::{Lost, Machine};
use crate::memory::OutOfMemory;
use crate::module::{Module, Role};
use crate::policy::{Deregistration, Offers};
use crate::registration::{Registration, Stage};
use crate::rule::Rule;
use crate::slab::Key;

impl Machine {
    /// Inserts a registration together with a binding for each peer, and makes the first
    /// offer.
    pub(crate) fn register(&mut self, task: &mut Task, module: &Module) -> Action {
        let npi = self.npis.find(&module.npi);
        if self.reserve_registration(module, npi).is_err() {
            return Action::Return(STATUS_INSUFFICIENT_RESOURCES);
        }
        let npi = npi.unwrap_or_else(|| self.npis.insert(&module.npi));
        let registration = self.insert_registration(module, npi);
        self.insert_bindings(registration, npi, module.role());
        let owner = self.registration_mut(registration);
        owner.next_offer = owner.bindings.first();
        task.registered = Some(self.handle(Kind::of_registration(module.role()), registration));
        task.goal = Goal::Offer { registration };
        self.resume(task)
    }

    /// Reserves all the memory that a registration takes, before anything changes.
    fn reserve_registration(
        &mut self,
        module: &Module,
        npi: Option<Key>,
    ) -> Result<(), OutOfMemory> {
        let peers = npi.map_or(0, |npi| {
            let peers = self.npis.sides(npi).list(module.role().other());
            peers.iter(&self.registrations, ()).count()
        });
        self.memory.reserve(2 + peers)?;
        self.registrations.reserve(1)?;
        if npi.is_none() {
            self.npis.reserve()?;
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.reserve()?;
        }
        self.bindings.reserve(peers)
    }

    /// Inserts a binding for each peer, in the order that the policy wants: the first is the one
    /// that registered first, or it is shuffled.
    fn insert_bindings(&mut self, registration: Key, npi: Key, role: Role) {
        let peers = self.npis.sides(npi).list(role.other());
        if self.policy.offers == Offers::Shuffled {
            let mut peers: Vec<Key> = peers.iter(&self.registrations, ()).collect();
            self.random.shuffle(&mut peers);
            for peer in peers {
                self.insert_binding(registration, role, peer);
            }
            return;
        }
        let mut next = peers.first();
        while let Some(peer) = next {
            next = List::after(&self.registrations, peer, ());
            self.insert_binding(registration, role, peer);
        }
    }

    fn insert_registration(&mut self, module: &Module, npi: Key) -> Key {
        let list = self.npis.sides_mut(npi).list_mut(module.role());
        let key = self.registrations.next_key();
        let links = list.append(&mut self.registrations, key, ());
        self.registrations
            .insert(key, Registration::new(*module, npi, links));
        if let Some(sharing) = &mut self.sharing
            && let Some(rule) = sharing.register(module)
        {
            self.report_module(rule, key);
        }
        key
    }

    fn insert_binding(&mut self, registration: Key, registrant: Role, peer: Key) {
        let serial = self.serials.take();
        let key = self.bindings.next_key();
        let mut end = |owner, role| {
            let list = &mut self.registrations.live_mut(owner).bindings;
            End::new(owner, list.append(&mut self.bindings, key, role))
        };
        let own = end(registration, registrant);
        let other = end(peer, registrant.other());
        let (client, provider) = match registrant {
            Role::Client => (own, other),
            Role::Provider => (other, own),
        };
        self.bindings
            .insert(key, Binding::new(serial, registrant, client, provider));
    }

    /// Removes a binding that is dead, or was never offered.
    pub(crate) fn remove_binding(&mut self, key: Key) {
        for role in [Role::Client, Role::Provider] {
            let End {
                registration,
                links,
                ..
            } = self.bindings.live(key)[role];
            let owner = self.registrations.live_mut(registration);
            owner.bindings.remove(&mut self.bindings, links, role);
            if owner.next_offer == Some(key) {
                owner.next_offer = links.after;
            }
            let wake = owner.stage == Stage::Awaited && owner.bindings.is_empty();
            self.wake |= wake;
            self.news |= wake;
        }
        self.bindings.remove(key);
    }

    /// One end's context is its module's to free, which may use the memory for the next.
    #[inline]
    pub(crate) fn forget_context(&mut self, key: Key, role: Role) {
        if self.sharing.is_some()
            && let (true, end) = self.owned_context(key, role)
            && let Some(sharing) = &mut self.sharing
        {
            sharing.disconnect(end.registration, end.context);
        }
    }

    /// One end of a binding, and whether its context belongs to a cleanup callback.
    pub(crate) fn owned_context(&self, key: Key, role: Role) -> (bool, End) {
        let binding = self.binding(key);
        let end = binding[role];
        let cleanup = self.module(binding, role).has_cleanup();
        (cleanup && end.context != Opaque::NULL, end)
    }

    /// Ends the offers of a registration and asks its peers and itself to detach.
    pub(crate) fn deregister(
        &mut self,
        task: &mut Task,
        handle: Option<Handle>,
        role: Role,
    ) -> Action {
        let registration = match self.resolve(handle, Kind::of_registration(role)) {
            Ok(registration) if self.registration(registration).is_live() => registration,
            Ok(registration) => {
                self.report_module(Rule::V70, registration);
                return Action::Return(STATUS_INVALID_PARAMETER);
            }
            Err(lost) => return self.refuse_registration_handle(lost, Rule::V70),
        };
        if self.policy.deregistration == Deregistration::Fails
            && !core::mem::replace(&mut self.registration_mut(registration).refused, true)
        {
            return Action::Return(STATUS_INSUFFICIENT_RESOURCES);
        }
        let first = self.withdraw(registration);
        let next = self.take_bindings_to_detach(first, role);
        task.goal = Goal::Detach { next };
        self.resume(task)
    }

    /// Takes a registration off the list of its interface, so that it gets no new offers (I-8).
    /// Returns its first binding.
    fn withdraw(&mut self, registration: Key) -> Option<Key> {
        let owner = self.registration_mut(registration);
        owner.stage = Stage::Stopping;
        let (npi, id, role) = (owner.npi, owner.module.npi, owner.module.role());
        let (links, first) = (owner.links, owner.bindings.first());
        let sides = self.npis.sides_mut(npi);
        let list = sides.list_mut(role);
        list.remove(&mut self.registrations, links, ());
        if sides.is_empty() {
            self.npis.remove(npi, &id);
        }
        first
    }

    /// Marks every attached binding as detaching, chains them in the order of detachment, and
    /// returns the first. Forgets offers that have not started; an offer in progress is left to the
    /// thread that makes it (3.14).
    fn take_bindings_to_detach(&mut self, first: Option<Key>, role: Role) -> Option<Key> {
        let (mut chain, mut latest) = (None, None);
        let mut next = first;
        while let Some(key) = next {
            let binding = self.binding_mut(key);
            next = binding[role].links.after;
            match binding.phase {
                Phase::Planned => self.remove_binding(key),
                Phase::Attached => {
                    binding.phase = Phase::Detaching;
                    match latest.replace(key) {
                        Some(before) => self.binding_mut(before).next = Some(key),
                        None => chain = Some(key),
                    }
                }
                Phase::Offering | Phase::Detaching | Phase::Cleaning => {}
            }
        }
        chain
    }

    /// Detaches the next binding of a deregistration; after the last one the deregistration is
    /// pending, whatever its bindings did.
    #[inline(always)]
    pub(crate) fn next_detach(&mut self, task: &mut Task, next: Option<Key>) -> Action {
        let Some(binding) = next else {
            return Action::Return(STATUS_PENDING);
        };
        task.goal = Goal::Detach {
            next: self.binding(binding).next,
        };
        self.continue_detach(task, binding)
    }

    /// Claims the end of a registration for a waiting thread.
    pub(crate) fn wait(&mut self, handle: Option<Handle>, role: Role) -> Action {
        let registration = match self.resolve(handle, Kind::of_registration(role)) {
            Ok(registration) => registration,
            Err(lost) => return self.refuse_registration_handle(lost, Rule::V72),
        };
        let found = self.registration_mut(registration);
        let broken = match found.stage {
            Stage::Stopping => {
                found.stage = Stage::Awaited;
                return self.wait_again(registration);
            }
            Stage::Live => Rule::V71,
            Stage::Awaited => Rule::V72,
        };
        self.report_module(broken, registration);
        Action::Return(STATUS_INVALID_PARAMETER)
    }

    /// Closes a registration if nothing of it is left.
    #[inline(always)]
    pub(crate) fn wait_again(&mut self, registration: Key) -> Action {
        let found = self.registrations.live(registration);
        if !found.bindings.is_empty() {
            return Action::Block { registration };
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.close(&found.module);
        }
        self.registrations.remove(registration);
        Action::Return(STATUS_SUCCESS)
    }

    fn refuse_registration_handle(&mut self, lost: Lost, stale: Rule) -> Action {
        self.report_call(match lost {
            Lost::Unknown => Rule::V75,
            Lost::WrongKind => Rule::V74,
            Lost::Stale => stale,
        });
        Action::Return(STATUS_INVALID_PARAMETER)
    }
}
