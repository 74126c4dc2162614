//! [`Machine`]: the state of a registrar, and what all its parts use.

use alloc::sync::Arc;
use core::sync::atomic::AtomicU64;

use fastrand::Rng;
use hashbrown::HashMap;
use nmr_sys::GUID;

use crate::binding::Binding;
use crate::event::{Action, Ends, Event, Finding, Goal, Task};
use crate::handle::{Handle, Kind};
use crate::interface::Interface;
use crate::memory::Memory;
use crate::module::{Module, Role};
use crate::noted::Noted;
use crate::npis::Npis;
use crate::policy::{Order, Policy};
use crate::registration::Registration;
use crate::rule::Rule;
use crate::serials::Serials;
use crate::sharing::Sharing;
use crate::slab::{Key, LANES, Lookup, Slab};

/// The state of a registrar.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The number of the registrar, for its handles.
    pub(crate) instance: u32,
    pub(crate) policy: Policy,
    pub(crate) random: Rng,
    pub(crate) npis: Npis,
    /// What the program has declared.
    pub(crate) interfaces: HashMap<GUID, Interface>,
    pub(crate) registrations: Slab<Registration>,
    pub(crate) bindings: Slab<Binding>,
    /// What modules share, if that is checked.
    pub(crate) sharing: Option<Sharing>,
    pub(crate) memory: Memory,
    pub(crate) serials: Serials,
    pub(crate) findings: Noted<Finding>,
    pub(crate) wake: bool,
    /// Whether one of these two has changed.
    pub(crate) news: bool,
}

/// Why the lookup of a handle failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lost {
    /// It was never issued.
    Unknown,
    /// What it stood for is gone.
    Stale,
    /// It stands for something else.
    WrongKind,
}

impl Machine {
    /// The lanes of a registrar.
    #[must_use]
    pub fn lanes(instance: u32, policy: &Policy) -> [Self; LANES] {
        let serials = Arc::new(AtomicU64::new(0));
        core::array::from_fn(|lane| Self::in_lane(instance, policy, lane, Arc::clone(&serials)))
    }

    /// One that is the only one.
    #[cfg(test)]
    pub(crate) fn new(instance: u32, policy: &Policy) -> Self {
        Self::in_lane(instance, policy, 0, Arc::default())
    }

    fn in_lane(instance: u32, policy: &Policy, lane: usize, serials: Arc<AtomicU64>) -> Self {
        Self {
            instance,
            policy: policy.clone(),
            random: Rng::with_seed(policy.seed),
            npis: Npis::new(lane),
            interfaces: HashMap::new(),
            registrations: Slab::new(lane),
            bindings: Slab::new(lane),
            sharing: Sharing::of(policy),
            memory: Memory::default(),
            serials: Serials::new(serials, policy.serials.max(1)),
            findings: Noted::default(),
            wake: false,
            news: false,
        }
    }

    /// Takes one event and says what the thread does next.
    #[inline(always)]
    pub fn step(&mut self, task: &mut Task, event: Event<'_>) -> Action {
        match event {
            Event::Register { module } => self.register(task, module),
            Event::Deregister { handle, role } => self.deregister(task, handle, role),
            Event::Complete { handle, role } => self.complete(task, handle, role),
            Event::Wait { handle, role } => self.wait(handle, role),
            Event::WaitAgain { registration } => self.wait_again(registration),
            Event::ClientAttachReturned {
                binding,
                offer,
                status,
            } => self.client_attach_returned(task, binding, offer, status),
            Event::DetachReturned {
                binding,
                role,
                status,
            } => self.detach_returned(task, binding, role, status),
            Event::CleanupStarted { binding } | Event::CleanupReturned { binding, .. } => {
                self.next_cleanup(task, binding)
            }
            Event::CleanupDeferred => self.resume(task),
        }
    }

    /// What the steps since the last call found wrong.
    pub fn take_findings(&mut self) -> Noted<Finding> {
        core::mem::take(&mut self.findings)
    }

    /// Returns `true` if there may be anything to take: findings, or a wake. It is not asked again.
    #[inline]
    pub fn take_news(&mut self) -> bool {
        core::mem::take(&mut self.news)
    }

    /// Returns `true` if a step since the last call ended something that a thread waits for.
    pub fn take_wake(&mut self) -> bool {
        core::mem::take(&mut self.wake)
    }

    /// Makes the reservation of memory after the next `skip` fail, once.
    pub fn fail_reservation(&mut self, skip: u64) {
        self.memory.fail_after = Some(skip);
    }

    /// How many reservations still succeed before the one that fails, if it is still to come; it
    /// does not come any more.
    pub fn take_failure(&mut self) -> Option<u64> {
        self.memory.fail_after.take()
    }

    /// From now on, the tables of an interface are watched.
    pub fn declare(&mut self, interface: Interface) {
        self.interfaces.insert(interface.npi, interface);
    }

    /// What records and reports say of a binding.
    #[must_use]
    #[cold]
    pub fn describe(&self, binding: Key) -> Option<Ends> {
        let found = self.bindings.get(binding)?;
        let client = self.module(found, Role::Client);
        Some(Ends {
            serial: found.serial,
            npi: client.npi,
            client: client.label,
            provider: self.module(found, Role::Provider).label,
        })
    }

    /// Goes on after a binding, as the task says.
    #[inline(always)]
    pub(crate) fn resume(&mut self, task: &mut Task) -> Action {
        match task.goal {
            Goal::Return(status) => Action::Return(status),
            Goal::Offer { registration } => self.next_offer(registration),
            Goal::Detach { next } => self.next_detach(task, next),
        }
    }

    /// Finds what a handle stands for.
    pub(crate) fn resolve(&self, handle: Option<Handle>, kind: Kind) -> Result<Key, Lost> {
        match handle {
            Some(handle) if handle.kind() == kind && self.is_live(handle) => Ok(handle.key()),
            _ => Err(self.lost(handle, kind)),
        }
    }

    /// Returns `true` if what a handle claims to stand for exists. (Any end of a live binding does.)
    fn is_live(&self, handle: Handle) -> bool {
        let is_registered = |role| {
            let found = self.registrations.get(handle.key());
            found.is_some_and(|found| found.module.role() == role)
        };
        match handle.kind() {
            Kind::Client => is_registered(Role::Client),
            Kind::Provider => is_registered(Role::Provider),
            Kind::ClientBinding | Kind::ProviderBinding => {
                self.bindings.get(handle.key()).is_some()
            }
        }
    }

    /// Why a handle does not stand for what it should.
    #[cold]
    fn lost(&self, handle: Option<Handle>, kind: Kind) -> Lost {
        let Some(handle) = handle else {
            return Lost::Unknown;
        };
        let known = match handle.kind() {
            Kind::Client | Kind::Provider => self.registrations.look_up(handle.key()),
            Kind::ClientBinding | Kind::ProviderBinding => self.bindings.look_up(handle.key()),
        };
        match known {
            Lookup::Unknown => Lost::Unknown,
            Lookup::Stale if handle.kind() == kind => Lost::Stale,
            Lookup::Stale | Lookup::Live => Lost::WrongKind,
        }
    }

    pub(crate) fn handle(&self, kind: Kind, key: Key) -> Handle {
        Handle::new(kind, self.instance, key)
    }

    pub(crate) fn registration(&self, key: Key) -> &Registration {
        self.registrations.live(key)
    }

    pub(crate) fn registration_mut(&mut self, key: Key) -> &mut Registration {
        self.registrations.live_mut(key)
    }

    pub(crate) fn binding(&self, key: Key) -> &Binding {
        self.bindings.live(key)
    }

    pub(crate) fn binding_mut(&mut self, key: Key) -> &mut Binding {
        self.bindings.live_mut(key)
    }

    pub(crate) fn module(&self, binding: &Binding, role: Role) -> &Module {
        &self.registration(binding[role].registration).module
    }

    /// The roles in the order in which a pair of callbacks runs.
    pub(crate) fn turns(&mut self, order: Order) -> [Role; 2] {
        let client_first = match order {
            Order::ClientFirst => true,
            Order::ProviderFirst => false,
            Order::Seeded => self.random.bool(),
        };
        if client_first {
            [Role::Client, Role::Provider]
        } else {
            [Role::Provider, Role::Client]
        }
    }

    /// Notes that one end of a binding broke a rule.
    #[cold]
    pub fn report(&mut self, rule: Rule, binding: Key, culprit: Role, status: Option<i32>) {
        let found = self.binding(binding);
        self.note(Finding {
            rule,
            binding: Some(found.serial),
            module: Some(self.module(found, culprit).label),
            peer: Some(self.module(found, culprit.other()).label),
            status,
        });
    }

    /// Notes that a registered module broke a rule.
    #[cold]
    pub(crate) fn report_module(&mut self, rule: Rule, registration: Key) {
        self.note(Finding::of(
            rule,
            Some(self.registration(registration).module.label),
        ));
    }

    /// Notes that a rule was broken, and not by whom.
    #[cold]
    pub(crate) fn report_call(&mut self, rule: Rule) {
        self.note(Finding::of(rule, None));
    }

    pub(crate) fn note(&mut self, finding: Finding) {
        self.findings.push(finding);
        self.news = true;
    }
}
