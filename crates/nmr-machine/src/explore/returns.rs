//! Postconditions of a call that returns, and of a state in which no move is owed.

use nmr_sys::{NTSTATUS, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS};

use super::books::{Offer, Stage, Violation, ensure};
use super::calls::Caller;
use super::moves::Move;
use super::setup::{Id, MOST, Pair, ROLES, Setup};
use super::sights::Sight;
use super::world::World;
use crate::module::Role;

impl World {
    /// A call returns.
    pub(super) fn returned(&mut self, caller: Caller, status: NTSTATUS) -> Result<(), Violation> {
        match caller {
            Caller::Register(id) => self.has_registered(id, status),
            Caller::Attach(pair) => self.has_attached(pair, status),
            Caller::Deregister(id) => self.has_deregistered(id, status),
            Caller::Wait(id) => self.has_waited(id, status),
            Caller::Complete(..) | Caller::Worker => Ok(()),
        }
    }

    fn has_registered(&self, id: Id, status: NTSTATUS) -> Result<(), Violation> {
        ensure!(
            status == STATUS_SUCCESS && self.books.member(id).handle.is_some(),
            "status: Register of {id:?} returns {status:#x}"
        );
        for number in 0..MOST {
            let pair = Pair::with(id, number);
            let missed = self.books.pair(pair).due == Some(id.role);
            ensure!(!missed, "offers: {id:?} has registered without {pair:?}");
        }
        Ok(())
    }

    fn has_attached(&self, pair: Pair, status: NTSTATUS) -> Result<(), Violation> {
        let book = self.books.pair(pair);
        let context = pair.context(Role::Provider, book.tries);
        let expected = match book.offer {
            Some(Offer::Accepted) => (STATUS_SUCCESS, Some((context, context))),
            _ => (STATUS_NOINTERFACE, None),
        };
        ensure!(
            (status, self.attached) == expected,
            "status: NmrClientAttachProvider of {pair:?} returns {status:#x}"
        );
        Ok(())
    }

    fn has_deregistered(&mut self, id: Id, status: NTSTATUS) -> Result<(), Violation> {
        ensure!(
            status == STATUS_PENDING,
            "A-09: Deregister of {id:?} returns {status:#x}"
        );
        for number in 0..MOST {
            let pair = Pair::with(id, number);
            let book = self.books.pair(pair);
            let called = ROLES.map(|role| book.end(role).called);
            ensure!(
                book.detacher != Some(id.role) || called == [true; 2],
                "R-01: Deregister of {id:?} leaves {pair:?} undetached"
            );
        }
        let member = self.books.member_mut(id);
        if member.stage == Stage::Stopping {
            member.stage = Stage::Stopped;
        }
        Ok(())
    }

    fn has_waited(&mut self, id: Id, status: NTSTATUS) -> Result<(), Violation> {
        ensure!(
            status == STATUS_SUCCESS,
            "status: the wait of {id:?} returns {status:#x}"
        );
        for number in 0..MOST {
            let pair = Pair::with(id, number);
            let left = self.books.pair(pair).exists();
            ensure!(
                !left,
                "I-7: the wait of {id:?} returns before {pair:?} is over"
            );
        }
        self.books.member_mut(id).stage = Stage::Absent;
        Ok(())
    }

    /// Once one detach callback has returned, the other was called, whatever the answer.
    pub(super) fn check_detach_order(&self, step: Move) -> Result<(), Violation> {
        let Move::DetachAnswers(pair, role, _) = step else {
            return Ok(());
        };
        let book = self.books.pair(pair);
        ensure!(
            book.end(role.other()).called || book.is_done(role.other()),
            "R-01: {pair:?}: the {role} was asked to detach, the {} is not",
            role.other()
        );
        Ok(())
    }

    /// Notes what a deregistration meets.
    pub(super) fn note_deregistration(&mut self, id: Id) {
        if self.call(Caller::Register(id)).is_some() {
            self.sights.add(Sight::DeregisterDuringRegister);
        }
        for number in 0..MOST {
            let book = self.books.pair(Pair::with(id, number));
            if book.detacher == Some(id.role.other()) && book.exists() {
                self.sights.add(Sight::BothDeregister);
            }
        }
    }

    /// Where no move is owed, every call has returned and only what is live is left.
    pub(super) fn check_quiet(&self, setup: &Setup) -> Result<(), Violation> {
        let waiting: Vec<_> = self.calls.iter().map(|call| call.caller).collect();
        ensure!(waiting.is_empty(), "deadlock: {waiting:?} never end");
        let live = |id: &Id| self.books.member(*id).stage == Stage::Live;
        let registered = setup.ids().filter(live).count();
        let attached = setup
            .pairs()
            .filter(|&pair| self.books.pair(pair).exists())
            .count();
        let bound = setup.pairs().all(|pair| {
            let book = self.books.pair(pair);
            !book.exists() || self.books.are_live(pair) && !book.abandoned
        });
        ensure!(bound, "deadlock: a binding outlives its registrations");
        ensure!(
            (
                self.machine.registrations.iter().count(),
                self.machine.bindings.iter().count(),
                self.machine.npis.iter().count() == 0,
            ) == (registered, attached, registered == 0),
            "leak: the machine holds more or less than {registered} registrations and {attached} \
             bindings"
        );
        Ok(())
    }
}
