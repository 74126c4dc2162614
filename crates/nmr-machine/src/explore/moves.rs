//! Possible moves: calls that modules make, and answers of callbacks that are running.

use nmr_sys::{NTSTATUS, STATUS_ACCESS_DENIED, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS};

use super::books::{Cleanup, Stage};
use super::calls::{Call, Caller, Kind, Now};
use super::setup::{Id, Pair, ROLES, Setup};
use super::world::World;
use crate::module::Role;

/// One step of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    Register(Id),
    Attach(Pair),
    ClientAnswers(Pair, Answer),
    ProviderAnswers(Pair, Answer),
    Deregister(Id),
    DetachAnswers(Pair, Role, Answer),
    Complete(Pair, Role),
    CleanupReturns(Pair, Role),
    /// The call that handed a cleanup to the worker goes on.
    GoesOn(Caller),
    /// The worker starts the oldest cleanup.
    WorkerCleans,
    Wait(Id),
    /// A waiting thread that was woken looks again.
    LooksAgain(Id),
}

/// What a callback answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Success,
    Pending,
    NoInterface,
    AccessDenied,
}

impl Answer {
    pub(super) fn status(self) -> NTSTATUS {
        match self {
            Self::Success => STATUS_SUCCESS,
            Self::Pending => STATUS_PENDING,
            Self::NoInterface => STATUS_NOINTERFACE,
            Self::AccessDenied => STATUS_ACCESS_DENIED,
        }
    }
}

impl World {
    /// Every move that the setup allows.
    pub(super) fn moves(&self, setup: &Setup) -> Vec<Move> {
        let mut moves = Vec::with_capacity(16);
        setup
            .ids()
            .for_each(|id| self.calls_of(setup, id, &mut moves));
        for pair in setup.pairs() {
            let of_end = |role| Move::Complete(pair, role);
            let known = |step: &Move| {
                matches!(step, Move::Complete(pair, role)
                    if self.books.pair(*pair).end(*role).handle.is_some())
            };
            moves.extend(ROLES.map(of_end).into_iter().filter(known));
        }
        for call in &self.calls {
            match call.now {
                Now::Inside(inside) => self.answers(setup, inside.kind, inside.pair, &mut moves),
                Now::Deferred => moves.push(Move::GoesOn(call.caller)),
                Now::Awake(_) => moves.extend(call.caller.module().map(Move::LooksAgain)),
                Now::Asleep(_) => {}
            }
        }
        if !self.deferred.is_empty() && self.call(Caller::Worker).is_none() {
            moves.push(Move::WorkerCleans);
        }
        let full = self.running() >= setup.threads;
        moves.retain(|&step| !(full && self.begins(step)) && self.is_allowed(setup, step));
        if setup.reduced {
            self.reduce(&mut moves);
        }
        moves
    }

    /// The calls that a module can make about its registration. Modules of a role register in the
    /// order of their numbers: every other order is a renaming of one that does.
    fn calls_of(&self, setup: &Setup, id: Id, moves: &mut Vec<Move>) {
        let member = self.books.member(id);
        let comes_next = id.number == 0 || {
            let number = id.number - 1;
            self.books.member(Id { number, ..id }).left < setup.registrations
        };
        let idle = [
            Caller::Register(id),
            Caller::Deregister(id),
            Caller::Wait(id),
        ];
        let idle = idle.into_iter().all(|caller| self.call(caller).is_none());
        if member.stage == Stage::Absent && member.left > 0 && comes_next && idle {
            moves.push(Move::Register(id));
        }
        if member.handle.is_some() {
            moves.extend([Move::Deregister(id), Move::Wait(id)]);
        }
    }

    /// Leaves only the moves of one callback, where there is one whose answers commute with every
    /// other move: they touch a binding that no other call touches until they are made. (The first
    /// detach callback of a binding is one, together with the completions of that binding; the
    /// second is not, since what follows it may be the end of a wait.) A module that can wait does
    /// so first.
    fn reduce(&self, moves: &mut Vec<Move>) {
        let first = moves.iter().copied().find(|&step| match step {
            Move::Wait(_) | Move::LooksAgain(_) | Move::ProviderAnswers(..) => true,
            Move::GoesOn(caller) => !matches!(caller, Caller::Register(_)),
            Move::CleanupReturns(pair, role) => {
                self.books.pair(pair).end(role.other()).cleanup == Cleanup::Due
            }
            Move::DetachAnswers(pair, role, _) => !self.books.pair(pair).end(role.other()).called,
            _ => false,
        });
        match first {
            Some(Move::ProviderAnswers(pair, _)) => moves
                .retain(|step| matches!(step, Move::ProviderAnswers(other, _) if *other == pair)),
            Some(Move::DetachAnswers(pair, ..)) => moves.retain(|step| {
                matches!(step, Move::DetachAnswers(other, ..) | Move::Complete(other, _)
                    if *other == pair)
            }),
            Some(step) => *moves = vec![step],
            None => {}
        }
    }

    /// Returns `true` if a move needs a free thread. A completion can be made by a detach callback of the
    /// same binding.
    fn begins(&self, step: Move) -> bool {
        match step {
            Move::Register(_) | Move::Deregister(_) => true,
            Move::Complete(pair, _) => {
                let book = self.books.pair(pair);
                !ROLES.into_iter().any(|role| book.end(role).inside)
            }
            _ => false,
        }
    }

    /// How many calls are in progress: a nested attach is on the thread of its offer, and a blocked
    /// wait needs none.
    fn running(&self) -> usize {
        let runs = |call: &&Call| {
            !matches!(call.caller, Caller::Attach(_)) && !matches!(call.now, Now::Asleep(_))
        };
        self.calls.iter().filter(runs).count()
    }

    fn answers(&self, setup: &Setup, kind: Kind, pair: Pair, moves: &mut Vec<Move>) {
        use Answer::{AccessDenied, NoInterface, Pending, Success};
        match kind {
            Kind::Attach(Role::Client) if self.call(Caller::Attach(pair)).is_none() => {
                let answer = |answer| Move::ClientAnswers(pair, answer);
                moves.extend([Success, NoInterface, AccessDenied].map(answer));
                if self.books.pair(pair).tries < setup.tries {
                    moves.push(Move::Attach(pair));
                }
            }
            Kind::Attach(Role::Client) => {}
            Kind::Attach(Role::Provider) => {
                let answer = |answer| Move::ProviderAnswers(pair, answer);
                moves.extend([Success, NoInterface, Pending].map(answer));
            }
            Kind::Detach(role) => {
                let answer = |answer| Move::DetachAnswers(pair, role, answer);
                moves.extend([Success, Pending, AccessDenied].map(answer));
            }
            Kind::Cleanup(role) => moves.push(Move::CleanupReturns(pair, role)),
        }
    }
}
