//! A state as a row of bytes, so that states can be recognized. Slots, generations and serial
//! numbers are left out: two states that differ in nothing else have the same future.

use super::super::binding::{Binding, Phase};
use super::super::detach::Detach;
use super::super::event::Goal;
use super::books::{Book, Member};
use super::calls::{Call, Caller, Inside, Kind, Now};
use super::setup::{Id, Pair, ROLES};
use super::world::World;
use crate::module::Role;
use crate::{Key, Machine, Outcome};

/// Stands for no pair and no module.
const NONE: u8 = 0xff;
/// Ends a list.
const END: u8 = 0xfe;

impl World {
    /// Writes the state.
    pub(super) fn code(&self, setup: &super::Setup, bytes: &mut Vec<u8>) {
        self.machine.code(bytes);
        for id in setup.ids() {
            member(self.books.member(id), bytes);
        }
        for pair in setup.pairs() {
            book(self.books.pair(pair), bytes);
        }
        for call in &self.calls {
            self.call_code(call, bytes);
        }
        bytes.push(END);
        bytes.extend(self.deferred.iter().map(|&(pair, _)| pair_code(pair)));
        bytes.extend([END, self.mistakes, self.twists]);
    }

    fn call_code(&self, call: &Call, bytes: &mut Vec<u8>) {
        let (which, whom) = match call.caller {
            Caller::Register(id) => (0, id_code(id)),
            Caller::Attach(pair) => (1, pair_code(pair)),
            Caller::Deregister(id) => (2, id_code(id)),
            Caller::Complete(pair, role) => (3 + role as u8, pair_code(pair)),
            Caller::Wait(id) => (5, id_code(id)),
            Caller::Worker => (6, NONE),
        };
        let goal = match call.task.goal {
            Goal::Return(_) => NONE,
            // A registration that is gone makes no more offers.
            Goal::Offer { registration, .. } => {
                u8::from(self.machine.registrations.get(registration).is_some())
            }
            Goal::Detach { next } => self.machine.pair_code(next),
        };
        let now = match call.now {
            Now::Inside(inside) => {
                let kind = match inside.kind {
                    Kind::Attach(role) => role as u8,
                    Kind::Detach(role) => 2 + role as u8,
                    Kind::Cleanup(role) => 4 + role as u8,
                };
                kind << 4 | pair_code(inside.pair)
            }
            Now::Deferred => 0x60,
            Now::Asleep(_) => 0x70,
            Now::Awake(_) => 0x80,
        };
        bytes.extend([which, whom, goal, now]);
        if let Now::Inside(Inside {
            offer: Some(offer), ..
        }) = call.now
        {
            offer_code(offer.outcome(), bytes);
        }
    }
}

impl Machine {
    /// Writes the state of the machine.
    pub(super) fn code(&self, bytes: &mut Vec<u8>) {
        for sides in self.npis.iter() {
            for role in ROLES {
                let members = sides.list(role).iter(&self.registrations, ());
                bytes.extend(members.map(|key| self.module_code(key)));
                bytes.push(END);
            }
        }
        let registrations = self.registrations.iter();
        for (_, key) in sorted(registrations.map(|(key, _)| (self.module_code(key), key))) {
            self.registration_code(key, bytes);
        }
        bytes.push(END);
        let bindings = self.bindings.iter();
        for (pair, key) in sorted(bindings.map(|(key, _)| (self.pair_code(Some(key)), key))) {
            bytes.push(pair);
            self.binding_code(self.binding(key), bytes);
        }
        bytes.push(END);
    }

    fn registration_code(&self, key: Key, bytes: &mut Vec<u8>) {
        let registration = self.registration(key);
        let next = self.pair_code(registration.next_offer);
        bytes.extend([self.module_code(key), registration.stage as u8, next]);
        let role = registration.module.role();
        let bindings = registration.bindings.iter(&self.bindings, role);
        bytes.extend(bindings.map(|key| self.pair_code(Some(key))));
        bytes.push(END);
    }

    fn binding_code(&self, binding: &Binding, bytes: &mut Vec<u8>) {
        let phase = match binding.phase {
            Phase::Planned => 0,
            Phase::Attached => 1,
            Phase::Detaching => 2,
            Phase::Cleaning => 3,
            Phase::Offering => 4,
        };
        // The next binding counts until this one is detached.
        let called = ROLES
            .map(|role| is_called(binding[role].detach))
            .contains(&true);
        let next = binding.next.filter(|_| !called);
        bytes.extend([phase, binding.registrant as u8, self.pair_code(next)]);
        for role in ROLES {
            let end = &binding[role];
            let context = end.context.0.addr().to_le_bytes()[0];
            let dispatch = end.dispatch.0.addr().to_le_bytes()[0];
            bytes.extend([end.detach as u8, u8::from(end.cleanup), context, dispatch]);
        }
    }

    fn module_code(&self, registration: Key) -> u8 {
        let registration = self.registrations.get(registration);
        registration.map_or(NONE, |known| id_code(Id::of_module(&known.module)))
    }

    fn pair_code(&self, binding: Option<Key>) -> u8 {
        let Some(binding) = binding.and_then(|key| self.bindings.get(key)) else {
            return NONE;
        };
        let end = |role| Id::of_module(self.module(binding, role));
        pair_code(Pair::of(end(Role::Client), end(Role::Provider)))
    }
}

/// Keys in the order of what they stand for, not of their slots.
fn sorted(keys: impl Iterator<Item = (u8, Key)>) -> Vec<(u8, Key)> {
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys
}

fn member(member: &Member, bytes: &mut Vec<u8>) {
    bytes.extend([member.stage as u8, member.left]);
}

fn book(book: &Book, bytes: &mut Vec<u8>) {
    let optional = |role: Option<Role>| role.map_or(0, |role| 1 + role as u8);
    let offer = book.offer.map_or(0, |offer| 1 + offer as u8);
    bytes.push(optional(book.due) << 4 | optional(book.detacher));
    bytes.push(u8::from(book.attached) << 5 | u8::from(book.abandoned) << 4 | offer);
    bytes.push(book.tries);
    for role in ROLES {
        let end = book.end(role);
        let events = [
            end.called,
            end.inside,
            end.pended,
            end.completed,
            end.handle.is_some(),
        ];
        let bits = events
            .iter()
            .fold(0, |bits, &event| bits << 1 | u8::from(event));
        bytes.extend([bits, end.cleanup as u8]);
    }
}

fn offer_code(offer: &Outcome, bytes: &mut Vec<u8>) {
    // The low bytes distinguish the statuses of the exploration.
    let last = offer.last.map_or(1, |last| last.to_le_bytes()[0]);
    bytes.extend([offer.tries.to_le_bytes()[0], last, offer.progress as u8]);
    for (context, dispatch) in offer.passed {
        bytes.extend([context, dispatch].map(|it| it.0.addr().to_le_bytes()[0]));
    }
}

fn is_called(detach: Detach) -> bool {
    !matches!(detach, Detach::NotCalled | Detach::CompletedBefore)
}

fn id_code(id: Id) -> u8 {
    let number = id.number * 2 + id.role as usize;
    number.to_le_bytes()[0]
}

fn pair_code(pair: Pair) -> u8 {
    pair.index().to_le_bytes()[0]
}
