//! The event of a move: passed to the machine after the books have noted the move.

use super::books::{Cleanup, Offer, Stage};
use super::calls::{Caller, Kind, Now};
use super::moves::{Answer, Move};
use super::setup::{Id, Pair, ROLES, Setup};
use super::sights::Sight;
use super::world::World;
use crate::module::Module;
use crate::module::Role;
use crate::{Event, Key, ProviderAnswer, Task};
use nmr_sys::{NTSTATUS, Opaque};

/// What a move is to the machine, or to an offer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    Register(Module),
    /// A client asks, with this as its context and its table.
    Ask(Pair, Opaque),
    /// The provider has answered.
    Consent(Pair, ProviderAnswer),
    /// The client has answered, and the offer has come so far.
    Answer(Key, crate::Offer, NTSTATUS),
    Event(Event<'static>),
}

impl World {
    /// Notes a move in the books, and makes an event of it. A refused one changes nothing.
    pub(super) fn begin(
        &mut self,
        setup: &Setup,
        step: Move,
        refused: bool,
    ) -> (Caller, Task, Told) {
        match step {
            Move::Register(id) => self.begin_register(setup, id),
            Move::Attach(pair) => self.begin_attach(pair, refused),
            Move::ClientAnswers(pair, answer) => self.client_answers(setup, pair, answer),
            Move::ProviderAnswers(pair, answer) => self.provider_answers(pair, answer),
            Move::Deregister(id) => self.begin_deregister(id, refused),
            Move::DetachAnswers(pair, role, answer) => self.detach_answers(pair, role, answer),
            Move::Complete(pair, role) => self.begin_complete(pair, role, refused),
            Move::CleanupReturns(pair, role) => {
                let (call, inside) = self.leave(Kind::Cleanup(role), pair);
                self.books.pair_mut(pair).end_mut(role).cleanup = Cleanup::Over;
                let binding = inside.binding;
                (
                    call.caller,
                    call.task,
                    Told::Event(Event::CleanupReturned { binding, role }),
                )
            }
            Move::GoesOn(caller) => {
                let call = self.take_call(caller);
                (caller, call.task, Told::Event(Event::CleanupDeferred))
            }
            Move::WorkerCleans => {
                let (_, binding) = self.deferred.remove(0);
                self.sights.add(Sight::WorkerCleanup);
                let event = Event::CleanupStarted { binding };
                (Caller::Worker, Task::default(), Told::Event(event))
            }
            Move::Wait(id) => self.begin_wait(id, refused),
            Move::LooksAgain(id) => {
                let call = self.take_call(Caller::Wait(id));
                let Now::Awake(registration) = call.now else {
                    unreachable!("only a woken thread looks again")
                };
                (
                    call.caller,
                    call.task,
                    Told::Event(Event::WaitAgain { registration }),
                )
            }
        }
    }

    fn begin_register(&mut self, setup: &Setup, id: Id) -> (Caller, Task, Told) {
        self.books.member_mut(id).left -= 1;
        let told = Told::Register(id.module(setup));
        (Caller::Register(id), Task::default(), told)
    }

    fn begin_attach(&mut self, pair: Pair, refused: bool) -> (Caller, Task, Told) {
        let book = self.books.pair_mut(pair);
        let context = pair.context(Role::Client, book.tries + 1);
        if !refused {
            book.tries += 1;
            book.offer = Some(Offer::Asking);
            if book.tries > 1 {
                self.sights.add(Sight::Retry);
            }
        }
        (
            Caller::Attach(pair),
            Task::default(),
            Told::Ask(pair, context),
        )
    }

    fn client_answers(
        &mut self,
        setup: &Setup,
        pair: Pair,
        answer: Answer,
    ) -> (Caller, Task, Told) {
        let (call, inside) = self.leave(Kind::Attach(Role::Client), pair);
        let live = self.books.are_live(pair);
        let book = self.books.pair_mut(pair);
        if book.is_accepted() {
            book.offer = None;
            book.attached = true;
            book.abandoned = answer != Answer::Success;
            if !live && !book.abandoned {
                self.sights.add(Sight::LateComer);
            }
            for role in ROLES {
                let failed = role == Role::Client && book.abandoned;
                if setup.cleanup[role as usize] && (!failed || setup.policy.cleanup_failed_client) {
                    book.end_mut(role).cleanup = Cleanup::Due;
                }
            }
        } else {
            book.clear();
        }
        let told = Told::Answer(
            inside.binding,
            inside.offer.expect("an offer"),
            answer.status(),
        );
        (call.caller, call.task, told)
    }

    fn provider_answers(&mut self, pair: Pair, answer: Answer) -> (Caller, Task, Told) {
        let (call, _) = self.leave(Kind::Attach(Role::Provider), pair);
        let book = self.books.pair_mut(pair);
        let accepts = answer == Answer::Success;
        book.offer = Some(if accepts {
            Offer::Accepted
        } else {
            Offer::Deciding
        });
        let context = accepts.then_some(pair.context(Role::Provider, book.tries));
        let answer = ProviderAnswer {
            status: answer.status(),
            context,
            dispatch: context,
        };
        (call.caller, call.task, Told::Consent(pair, answer))
    }

    fn begin_deregister(&mut self, id: Id, refused: bool) -> (Caller, Task, Told) {
        let handle = self.books.member(id).handle;
        if !refused {
            self.note_deregistration(id);
            self.books.deregister(id);
        }
        let role = id.role;
        (
            Caller::Deregister(id),
            Task::default(),
            Told::Event(Event::Deregister { handle, role }),
        )
    }

    fn detach_answers(&mut self, pair: Pair, role: Role, answer: Answer) -> (Caller, Task, Told) {
        let (call, inside) = self.leave(Kind::Detach(role), pair);
        let book = self.books.pair_mut(pair);
        let end = book.end_mut(role);
        end.inside = false;
        end.pended = answer == Answer::Pending;
        if ROLES.map(|role| book.end(role).pended && !book.end(role).completed) == [true; 2] {
            self.sights.add(Sight::BothPend);
        }
        let binding = inside.binding;
        let status = answer.status();
        let event = Event::DetachReturned {
            binding,
            role,
            status,
        };
        (call.caller, call.task, Told::Event(event))
    }

    fn begin_complete(&mut self, pair: Pair, role: Role, refused: bool) -> (Caller, Task, Told) {
        let end = self.books.pair_mut(pair).end_mut(role);
        let handle = end.handle;
        if !refused {
            end.completed = true;
            self.sights.add(match (end.called, end.inside) {
                (false, _) => Sight::EarlyCompletion,
                (true, true) => Sight::InsideCompletion,
                (true, false) => Sight::LateCompletion,
            });
        }
        (
            Caller::Complete(pair, role),
            Task::default(),
            Told::Event(Event::Complete { handle, role }),
        )
    }

    fn begin_wait(&mut self, id: Id, refused: bool) -> (Caller, Task, Told) {
        let member = self.books.member_mut(id);
        let handle = member.handle;
        if !refused {
            member.stage = Stage::Waiting;
        }
        let role = id.role;
        (
            Caller::Wait(id),
            Task::default(),
            Told::Event(Event::Wait { handle, role }),
        )
    }
}
