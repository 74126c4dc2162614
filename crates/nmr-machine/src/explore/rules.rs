//! Which moves a setup allows, and which rules they break, by the books.

use nmr_sys::{NTSTATUS, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};

use super::books::Stage;
use super::moves::{Answer, Move};
use super::setup::{Pair, Setup};
use super::world::World;
use crate::module::Role;
use crate::rule::Rule;

/// How a move breaks a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Breach {
    pub(super) rule: Rule,
    /// What the call returns if it changes nothing.
    pub(super) refusal: Option<NTSTATUS>,
}

impl Breach {
    /// The call has its effect all the same.
    fn noticed(rule: Rule) -> Self {
        let refusal = None;
        Self { rule, refusal }
    }

    fn refused(rule: Rule, status: NTSTATUS) -> Self {
        let refusal = Some(status);
        Self { rule, refusal }
    }
}

impl World {
    /// Returns `true` if the setup lets a module do this: it is honest, or one of the mistakes allowed.
    pub(super) fn is_allowed(&self, setup: &Setup, step: Move) -> bool {
        if self.is_twist(step) && self.twists == 0 {
            return false;
        }
        if let Some(breach) = self.breach(step) {
            return self.mistakes > 0 || self.is_early(setup, step, breach);
        }
        match step {
            // Where nothing was asked, any error is the same to the machine.
            Move::ClientAnswers(_, Answer::AccessDenied) => false,
            Move::Wait(id) => self.books.member(id).stage == Stage::Stopped || setup.mistakes > 0,
            _ => true,
        }
    }

    /// Returns `true` if a move is one of the unusual answers that a setup may limit.
    pub(super) fn is_twist(&self, step: Move) -> bool {
        match step {
            Move::Attach(pair) => self.books.pair(pair).tries > 0,
            Move::ClientAnswers(pair, Answer::NoInterface) => self.books.pair(pair).tries == 0,
            Move::ProviderAnswers(_, answer) => answer == Answer::NoInterface,
            Move::DetachAnswers(pair, role, Answer::Pending) => {
                !self.books.pair(pair).end(role).completed
            }
            Move::Complete(pair, role) => {
                let end = self.books.pair(pair).end(role);
                !end.called || end.inside
            }
            _ => false,
        }
    }

    /// Returns `true` if this is the completion before the detach that the setup allows besides mistakes.
    pub(super) fn is_early(&self, setup: &Setup, step: Move, breach: Breach) -> bool {
        match step {
            Move::Complete(pair, _) => {
                let known = self.books.pair(pair).is_accepted();
                breach.rule == Rule::V42 && setup.early && known
            }
            _ => false,
        }
    }

    /// Returns `true` if the modules or the machine owe this move. No module has to register, deregister or
    /// break a rule; every wait has to end without that.
    pub(super) fn is_owed(&self, step: Move) -> bool {
        !matches!(step, Move::Register(_) | Move::Deregister(_)) && self.breach(step).is_none()
    }

    /// Which rule a move breaks, if any, by the books.
    pub(super) fn breach(&self, step: Move) -> Option<Breach> {
        match step {
            Move::Attach(pair) if self.books.pair(pair).is_accepted() => {
                Some(Breach::refused(Rule::V25, STATUS_INVALID_DEVICE_STATE))
            }
            Move::ClientAnswers(pair, answer) => self.breach_of_client(pair, answer),
            Move::ProviderAnswers(_, Answer::Pending) => Some(Breach::noticed(Rule::V23)),
            Move::DetachAnswers(_, _, Answer::AccessDenied) => Some(Breach::noticed(Rule::V40)),
            Move::DetachAnswers(pair, role, Answer::Success)
                if self.books.pair(pair).end(role).completed =>
            {
                Some(Breach::noticed(Rule::V44))
            }
            Move::Complete(pair, role) => self.breach_of_completion(pair, role),
            Move::Deregister(id) if self.books.member(id).stage != Stage::Live => {
                Some(Breach::refused(Rule::V70, STATUS_INVALID_PARAMETER))
            }
            Move::Wait(id) => match self.books.member(id).stage {
                Stage::Live => Some(Breach::refused(Rule::V71, STATUS_INVALID_PARAMETER)),
                Stage::Waiting | Stage::Absent => {
                    Some(Breach::refused(Rule::V72, STATUS_INVALID_PARAMETER))
                }
                Stage::Stopping | Stage::Stopped => None,
            },
            _ => None,
        }
    }

    fn breach_of_client(&self, pair: Pair, answer: Answer) -> Option<Breach> {
        let book = self.books.pair(pair);
        match (book.is_accepted(), answer) {
            (true, Answer::Success) | (false, Answer::NoInterface) => None,
            (true, _) => Some(Breach::noticed(Rule::V22)),
            (false, Answer::Success) => Some(Breach::noticed(Rule::V21)),
            (false, _) if book.tries > 0 => Some(Breach::noticed(Rule::V20)),
            (false, _) => None,
        }
    }

    fn breach_of_completion(&self, pair: Pair, role: Role) -> Option<Breach> {
        let book = self.books.pair(pair);
        let end = book.end(role);
        if !book.exists() {
            Some(Breach::refused(Rule::V46, STATUS_SUCCESS))
        } else if book.is_detached() {
            Some(Breach::refused(Rule::V55, STATUS_SUCCESS))
        } else if end.completed || book.is_done(role) {
            Some(Breach::refused(Rule::V43, STATUS_SUCCESS))
        } else if !end.called {
            Some(Breach::noticed(Rule::V42))
        } else {
            None
        }
    }
}
