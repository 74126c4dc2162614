//! Registration, deregistration and the wait (contract sections 2.1 to 2.3).

use nmr_sys::{
    STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_PENDING, STATUS_SUCCESS,
};

use super::binding::{Binding, End, Phase};
use super::event::Goal;
use super::list::List;
use super::memory::OutOfMemory;
use super::registration::{Registration, Stage};
use super::{Action, Handle, Key, Lost, Machine, Task, registration_kind};
use crate::module::{Module, Opaque, Role};
use crate::policy::{Deregistration, Offers};
use crate::rule::Rule;
use crate::thread::ThreadNumber;

impl Machine {
    /// Inserts a registration together with a binding for each peer, and makes the first
    /// offer.
    pub(super) fn register(
        &mut self,
        task: &mut Task,
        module: Module,
        thread: ThreadNumber,
    ) -> Action {
        if self.reserve_registration(&module).is_err() {
            return Action::Return(STATUS_INSUFFICIENT_RESOURCES);
        }
        let registration = self.insert_registration(module);
        for peer in self.peers_in_order(&module) {
            self.insert_binding(registration, peer);
        }
        self.registration_mut(registration).next_offer =
            self.registration(registration).bindings.first();
        task.registered = Some(self.handle(registration_kind(module.role()), registration));
        task.goal = Goal::Offer {
            registration,
            thread,
        };
        self.resume(task)
    }

    /// Reserves all the memory that a registration takes, before anything changes.
    fn reserve_registration(&mut self, module: &Module) -> Result<(), OutOfMemory> {
        self.memory.reserve()?;
        self.registrations.reserve(1)?;
        self.memory.reserve()?;
        self.sides.try_reserve(1)?;
        if let Some(sharing) = &mut self.sharing {
            sharing.reserve()?;
        }
        let peers = self.peers(module).count();
        for _ in 0..peers {
            self.memory.reserve()?;
        }
        Ok(self.bindings.reserve(peers)?)
    }

    /// The live registrations that a module is offered, first the one that registered first.
    fn peers(&self, module: &Module) -> impl Iterator<Item = Key> {
        let sides = self.sides.get(&module.npi).copied().unwrap_or_default();
        sides
            .list(module.role().other())
            .iter(&self.registrations, ())
    }

    /// The same in the order that the policy wants.
    fn peers_in_order(&mut self, module: &Module) -> Vec<Key> {
        let mut peers: Vec<Key> = self.peers(module).collect();
        if self.policy.offers == Offers::Shuffled {
            self.random.shuffle(&mut peers);
        }
        peers
    }

    fn insert_registration(&mut self, module: Module) -> Key {
        let registration = self.registrations.insert(Registration::new(module));
        let sides = self.sides.entry(module.npi).or_default();
        sides
            .list_mut(module.role())
            .push(&mut self.registrations, registration, ());
        let broken = self
            .sharing
            .as_mut()
            .and_then(|sharing| sharing.register(&module));
        if let Some(rule) = broken {
            self.find_in(rule, registration);
        }
        registration
    }

    fn insert_binding(&mut self, registration: Key, peer: Key) {
        self.last_serial += 1;
        let registrant = self.registration(registration).module.role();
        let (client, provider) = match registrant {
            Role::Client => (registration, peer),
            Role::Provider => (peer, registration),
        };
        let binding =
            self.bindings
                .insert(Binding::new(self.last_serial, registrant, client, provider));
        for (role, key) in [(Role::Client, client), (Role::Provider, provider)] {
            let owner = self
                .registrations
                .get_mut(key)
                .expect("both registrations are live");
            owner.bindings.push(&mut self.bindings, binding, role);
        }
    }

    /// Removes a binding that is dead, or was never offered.
    pub(super) fn remove_binding(&mut self, key: Key) {
        for role in [Role::Client, Role::Provider] {
            let after = List::after(&self.bindings, key, role);
            let registration = self.binding(key)[role].registration;
            let owner = self
                .registrations
                .get_mut(registration)
                .expect("it outlives its bindings");
            owner.bindings.remove(&mut self.bindings, key, role);
            if owner.next_offer == Some(key) {
                owner.next_offer = after;
            }
            self.wake |= owner.stage == Stage::Awaited && owner.bindings.is_empty();
        }
        self.bindings.remove(key);
    }

    /// One end's context is its module's to free, which may use the memory for the next.
    pub(super) fn forget_context(&mut self, key: Key, role: Role) {
        let (owned, end) = self.owned_context(key, role);
        if let (true, Some(sharing)) = (owned, &mut self.sharing) {
            sharing.disconnect(end.registration, end.context);
        }
    }

    /// One end of a binding, and whether its context belongs to a cleanup callback.
    pub(super) fn owned_context(&self, key: Key, role: Role) -> (bool, End) {
        let binding = self.binding(key);
        let end = binding[role];
        let cleanup = self.module(binding, role).has_cleanup();
        (cleanup && end.context != Opaque::NULL, end)
    }

    /// Ends the offers of a registration and asks its peers and itself to detach.
    pub(super) fn deregister(
        &mut self,
        task: &mut Task,
        handle: Option<Handle>,
        role: Role,
    ) -> Action {
        let registration = match self.resolve(handle, registration_kind(role)) {
            Ok(registration) if self.registration(registration).is_live() => registration,
            Ok(registration) => {
                self.find_in(Rule::V70, registration);
                return Action::Return(STATUS_INVALID_PARAMETER);
            }
            Err(lost) => return self.refuse_registration_handle(lost, Rule::V70),
        };
        if self.policy.deregistration == Deregistration::Fails
            && !std::mem::replace(&mut self.registration_mut(registration).refused, true)
        {
            return Action::Return(STATUS_INSUFFICIENT_RESOURCES);
        }
        self.withdraw(registration);
        let next = self.take_bindings_to_detaching(registration, role);
        task.goal = Goal::Detach { next };
        self.resume(task)
    }

    /// Takes a registration off the list of its interface, so that it gets no new offers (I-8),
    /// and forgets those that have not started.
    fn withdraw(&mut self, registration: Key) {
        let Registration {
            module, bindings, ..
        } = *self.registration(registration);
        self.registration_mut(registration).stage = Stage::Stopping;
        let sides = self
            .sides
            .get_mut(&module.npi)
            .expect("a live registration has one");
        sides
            .list_mut(module.role())
            .remove(&mut self.registrations, registration, ());
        if sides.is_empty() {
            self.sides.remove(&module.npi);
        }
        let mut next = bindings.first();
        while let Some(key) = next {
            next = List::after(&self.bindings, key, module.role());
            if self.binding(key).phase == Phase::Planned {
                self.remove_binding(key);
            }
        }
    }

    /// Marks every attached binding as detaching, chains them in the order of detachment, and
    /// returns the first. An offer in progress is left to the thread that makes it (3.14).
    fn take_bindings_to_detaching(&mut self, registration: Key, role: Role) -> Option<Key> {
        let list = self.registration(registration).bindings;
        let (mut first, mut latest) = (None, None);
        let mut next = list.first();
        while let Some(key) = next {
            next = List::after(&self.bindings, key, role);
            let binding = self.binding_mut(key);
            if binding.phase != Phase::Attached {
                continue;
            }
            binding.phase = Phase::Detaching;
            match latest.replace(key) {
                Some(before) => self.binding_mut(before).next = Some(key),
                None => first = Some(key),
            }
        }
        first
    }

    /// Detaches the next binding of a deregistration; after the last one the deregistration is
    /// pending, whatever its bindings did.
    pub(super) fn next_detach(&mut self, task: &mut Task, next: Option<Key>) -> Action {
        let Some(binding) = next else {
            return Action::Return(STATUS_PENDING);
        };
        task.goal = Goal::Detach {
            next: self.binding(binding).next,
        };
        self.continue_detach(task, binding)
    }

    /// Claims the end of a registration for a waiting thread.
    pub(super) fn wait(&mut self, handle: Option<Handle>, role: Role) -> Action {
        let registration = match self.resolve(handle, registration_kind(role)) {
            Ok(registration) => registration,
            Err(lost) => return self.refuse_registration_handle(lost, Rule::V72),
        };
        let broken = match self.registration(registration).stage {
            Stage::Stopping => {
                self.registration_mut(registration).stage = Stage::Awaited;
                return self.wait_again(registration);
            }
            Stage::Live => Rule::V71,
            Stage::Awaited => Rule::V72,
        };
        self.find_in(broken, registration);
        Action::Return(STATUS_INVALID_PARAMETER)
    }

    /// Closes a registration if nothing of it is left.
    pub(super) fn wait_again(&mut self, registration: Key) -> Action {
        if !self.registration(registration).bindings.is_empty() {
            return Action::Block { registration };
        }
        let module = self.registration(registration).module;
        if let Some(sharing) = &mut self.sharing {
            sharing.close(&module);
        }
        self.registrations.remove(registration);
        Action::Return(STATUS_SUCCESS)
    }

    fn refuse_registration_handle(&mut self, lost: Lost, stale: Rule) -> Action {
        self.find_somewhere(match lost {
            Lost::Unknown => Rule::V75,
            Lost::WrongKind => Rule::V74,
            Lost::Stale => stale,
        });
        Action::Return(STATUS_INVALID_PARAMETER)
    }
}
