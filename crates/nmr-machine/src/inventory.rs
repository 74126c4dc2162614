//! The inventory of a registrar: blockers of a wait, and registrations that were left behind.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::binding::{Binding, Phase};
use crate::detach::Detach;
use crate::event::Finding;
use crate::handle::{Handle, Kind};
use crate::machine::{Lost, Machine};
use crate::module::{Module, ModuleLabel, Role};
use crate::registration::{Registration, Stage};
use crate::rule::Rule;
use crate::slab::Key;

/// One reason why a registration is not finished.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocker {
    /// The number of the binding that is left.
    pub binding: u64,
    /// The client of the binding.
    pub client: ModuleLabel,
    /// Its provider.
    pub provider: ModuleLabel,
    /// What has to happen.
    pub missing: Missing,
}

/// What has to happen before a binding is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// The offer has to end.
    AttachReturn,
    /// The module's detach callback has to be called.
    DetachCall(Role),
    /// The module's detach callback has to return.
    DetachReturn(Role),
    /// The module answered `STATUS_PENDING` and has to complete its detach.
    Completion(Role),
    /// The cleanup callbacks have to return.
    Cleanup,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let module = |role| {
            if role == Role::Client {
                self.client
            } else {
                self.provider
            }
        };
        write!(f, "binding {}: ", self.binding)?;
        match self.missing {
            Missing::AttachReturn => write!(f, "the attach callback of {} runs", self.client),
            Missing::DetachCall(role) => {
                write!(
                    f,
                    "the detach callback of {} is still to be called",
                    module(role)
                )
            }
            Missing::DetachReturn(role) => {
                write!(f, "the detach callback of {} runs", module(role))
            }
            Missing::Completion(role) => {
                write!(
                    f,
                    "{} answered STATUS_PENDING and has not completed",
                    module(role)
                )
            }
            Missing::Cleanup => f.write_str("the cleanup callbacks run"),
        }
    }
}

impl Blocker {
    /// That a module has not completed its detach (V-41), if that is what is missing.
    #[must_use]
    pub fn breach(&self) -> Option<Finding> {
        let (module, peer) = match self.missing {
            Missing::Completion(Role::Client) => (self.client, self.provider),
            Missing::Completion(Role::Provider) => (self.provider, self.client),
            _ => return None,
        };
        Some(Finding {
            rule: Rule::V41,
            binding: Some(self.binding),
            module: Some(module),
            peer: Some(peer),
            status: None,
        })
    }
}

/// A registration that was not closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leak {
    /// The module.
    pub module: ModuleLabel,
    /// Whether it was deregistered at least.
    pub deregistered: bool,
    /// How many bindings it has.
    pub bindings: usize,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = if self.deregistered {
            "deregistered, not waited for"
        } else {
            "registered"
        };
        write!(
            f,
            "{} is still {stage}, with {} bindings",
            self.module, self.bindings
        )
    }
}

/// Whom a handle leads to.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The registration, or that of its end of the binding.
    pub registration: Key,
    /// Its module.
    pub module: ModuleLabel,
    /// The number of the binding.
    pub binding: Option<u64>,
    /// The other module of the binding.
    pub peer: Option<ModuleLabel>,
}

impl Machine {
    /// Why a registration is not finished.
    #[must_use]
    pub fn blockers(&self, registration: Key) -> Vec<Blocker> {
        let Some(owner) = self.registrations.get(registration) else {
            return Vec::new();
        };
        let bindings = owner.bindings.iter(&self.bindings, owner.module.role());
        let blockers = bindings.flat_map(|key| self.blockers_of(self.binding(key)));
        let mut list = Vec::new();
        for blocker in blockers {
            // Without memory the list ends here: nothing but a report depends on it.
            if list.try_reserve(1).is_err() {
                break;
            }
            list.push(blocker);
        }
        list
    }

    /// The same for the registration that a handle stands for, if it is of this role.
    #[must_use]
    pub fn blockers_of_handle(&self, handle: Option<Handle>, role: Role) -> Vec<Blocker> {
        let own = handle.filter(|handle| handle.instance() == self.instance);
        self.resolve(own, Kind::of_registration(role))
            .map_or_else(|_| Vec::new(), |registration| self.blockers(registration))
    }

    /// Returns `true` if a handle stands for a registration of this role that was deregistered.
    #[must_use]
    pub fn is_stopping(&self, handle: Option<Handle>, role: Role) -> bool {
        self.resolve(handle, Kind::of_registration(role))
            .is_ok_and(|registration| self.registration(registration).stage == Stage::Stopping)
    }

    /// Notes every registration with a callback at one of these addresses (V-79), and counts them.
    pub fn report_callbacks_in(&mut self, code: &Range<usize>) -> usize {
        let inside = |module: &Module| {
            module
                .callee
                .callbacks
                .addresses()
                .any(|address| code.contains(&address))
        };
        self.report_all(Rule::V79, |owner| inside(&owner.module))
    }

    fn report_all(&mut self, rule: Rule, breaks: impl Fn(&Registration) -> bool) -> usize {
        let mut found = 0;
        for (_, owner) in self.registrations.iter().filter(|(_, owner)| breaks(owner)) {
            found += 1;
            self.findings
                .push(Finding::of(rule, Some(owner.module.label)));
        }
        found
    }

    /// Returns `true` if a handle stands or stood for something.
    #[must_use]
    pub fn was_issued(&self, handle: Option<Handle>) -> bool {
        handle.is_some_and(|handle| self.resolve(Some(handle), handle.kind()) != Err(Lost::Unknown))
    }

    fn blockers_of(&self, binding: &Binding) -> impl Iterator<Item = Blocker> + use<> {
        let blocker = |missing| Blocker {
            binding: binding.serial,
            client: self.module(binding, Role::Client).label,
            provider: self.module(binding, Role::Provider).label,
            missing,
        };
        let blockers = match binding.phase {
            Phase::Planned | Phase::Offering => [Some(Missing::AttachReturn), None],
            Phase::Cleaning => [Some(Missing::Cleanup), None],
            Phase::Attached | Phase::Detaching => {
                [Role::Client, Role::Provider].map(|role| missing(binding, role))
            }
        };
        blockers
            .map(|missing| missing.map(blocker))
            .into_iter()
            .flatten()
    }

    /// Returns `true` if a registration has nothing left to wait for.
    #[must_use]
    pub fn is_finished(&self, registration: Key) -> bool {
        self.registrations
            .get(registration)
            .is_none_or(|owner| owner.bindings.is_empty())
    }

    /// The module that a live handle stands for, and the binding if it is a binding's.
    #[must_use]
    pub fn identify(&self, handle: Handle) -> Option<Identity> {
        let role = match handle.kind() {
            Kind::Client | Kind::Provider => {
                return Some(Identity {
                    registration: handle.key(),
                    module: self.registrations.get(handle.key())?.module.label,
                    binding: None,
                    peer: None,
                });
            }
            Kind::ClientBinding => Role::Client,
            Kind::ProviderBinding => Role::Provider,
        };
        let binding = self.bindings.get(handle.key())?;
        Some(Identity {
            registration: binding[role].registration,
            module: self.module(binding, role).label,
            binding: Some(binding.serial),
            peer: Some(self.module(binding, role.other()).label),
        })
    }

    /// How many registrations were not closed.
    #[must_use]
    pub fn registration_count(&self) -> usize {
        self.registrations.iter().count()
    }

    /// Every registration that was not closed.
    pub fn leaks(&self) -> impl Iterator<Item = Leak> {
        self.registrations.iter().map(|(_, left)| Leak {
            module: left.module.label,
            deregistered: !left.is_live(),
            bindings: left
                .bindings
                .iter(&self.bindings, left.module.role())
                .count(),
        })
    }
}

fn missing(binding: &Binding, role: Role) -> Option<Missing> {
    match binding[role].detach {
        Detach::NotCalled | Detach::CompletedBefore => Some(Missing::DetachCall(role)),
        Detach::InCallback | Detach::CompletedInside => Some(Missing::DetachReturn(role)),
        Detach::Pended => Some(Missing::Completion(role)),
        Detach::Done => None,
    }
}
