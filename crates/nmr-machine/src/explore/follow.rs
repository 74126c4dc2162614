//! Comparison of the machine's next action with the books: here the invariants of contract section
//! 4 are checked.

use nmr_sys::Opaque;

use super::books::{Cleanup, Offer, Stage, Violation, ensure};
use super::calls::{Caller, Inside, Kind, Now};
use super::setup::{Id, MOST, Pair, ROLES, Setup};
use super::sights::Sight;
use super::world::World;
use crate::module::{Callback, Role};
use crate::{Action, Arguments, Invocation, Key, Side, Task};

impl World {
    /// Lets a call carry out its action, if the books agree.
    pub(super) fn follow(
        &mut self,
        setup: &Setup,
        caller: Caller,
        mut task: Task,
        action: Action,
    ) -> Result<(), Violation> {
        if let (Caller::Register(id), Some(handle)) = (caller, task.registered.take()) {
            self.books.register(id, handle);
            if self.books.member(id).left + 1 < setup.registrations {
                self.sights.add(Sight::SecondRegistration);
            }
        }
        let now = match action {
            Action::Return(status) => return self.returned(caller, status),
            Action::Block { registration } => self.blocked(caller, registration)?,
            Action::Defer { binding } => self.handed_over(setup, binding)?,
            Action::Call(invocation) => self.called(caller, invocation)?,
        };
        self.push_call(caller, task, now);
        Ok(())
    }

    /// A callback is called.
    fn called(&mut self, caller: Caller, invocation: Invocation) -> Result<Now, Violation> {
        let binding = invocation.binding;
        if (invocation.callback, invocation.role) == (Callback::Attach, Role::Provider) {
            return self.asked(caller, binding);
        }
        let (module, context) = match self.machine.arguments(invocation) {
            Arguments::Attach(side, offer) => return self.offered(caller, side, offer, binding),
            Arguments::Detach(module, context) | Arguments::Cleanup(module, context) => {
                (Id::of_callee(module), context)
            }
        };
        let (pair, role) = self.whose(module, context, binding)?;
        ensure!(
            role == invocation.role,
            "arguments: {invocation:?} is of {role} of {pair:?}"
        );
        let kind = match invocation.callback {
            Callback::Cleanup => {
                self.cleaned_up(caller, pair, role)?;
                Kind::Cleanup(role)
            }
            Callback::Attach | Callback::Detach => {
                self.asked_to_detach(caller, pair, role)?;
                Kind::Detach(role)
            }
        };
        Ok(inside(kind, pair, binding))
    }

    /// `ClientAttachProvider` is called.
    fn offered(
        &mut self,
        caller: Caller,
        Side {
            callee,
            handle,
            peer,
        }: Side,
        offer: crate::Offer,
        binding: Key,
    ) -> Result<Now, Violation> {
        let pair = Pair::of_modules(Id::of_callee(callee), peer);
        let pair = pair.ok_or("arguments: an offer of an unknown module")?;
        self.books.check_registered(pair, "an offer")?;
        for role in ROLES {
            let id = pair.end(role);
            let live = self.books.member(id).stage == Stage::Live;
            ensure!(live, "I-8: {pair:?} is offered, though {id:?} deregistered");
        }
        let book = self.books.pair_mut(pair);
        ensure!(
            !book.exists(),
            "I-1: {pair:?} is offered, and has a binding"
        );
        let due = book.due.take().map(|role| Caller::Register(pair.end(role)));
        ensure!(due == Some(caller), "I-1: {caller:?} offers {pair:?} again");
        book.clear();
        book.offer = Some(Offer::Deciding);
        book.binding = Some(binding);
        book.end_mut(Role::Client).handle = Some(handle);
        book.end_mut(Role::Provider).handle = None;
        Ok(Now::Inside(Inside {
            kind: Kind::Attach(Role::Client),
            pair,
            binding,
            offer: Some(offer),
        }))
    }

    /// `ProviderAttachClient` is called, with the client's context and dispatch table.
    fn asked(&mut self, caller: Caller, binding: Key) -> Result<Now, Violation> {
        let Caller::Attach(asking) = caller else {
            return Err(format!("order: {caller:?} asks a provider"));
        };
        let offer = *self.offer_mut(asking);
        let Side {
            callee,
            handle,
            peer,
        } = *offer.provider();
        let [(context, dispatch), _] = offer.outcome().passed;
        let given = [context, dispatch];
        let pair = Pair::of_modules(Id::of_callee(callee), peer);
        let pair = pair.ok_or("arguments: an attach of an unknown module")?;
        self.books.check_registered(pair, "an attach")?;
        let book = self.books.pair_mut(pair);
        ensure!(
            caller == Caller::Attach(pair)
                && book.offer == Some(Offer::Asking)
                && book.binding == Some(binding),
            "order: ProviderAttachClient of {pair:?} in {caller:?}"
        );
        let context = pair.context(Role::Client, book.tries);
        let end = book.end_mut(Role::Provider);
        ensure!(
            given == [context; 2] && end.handle.is_none_or(|known| known == handle),
            "arguments: ProviderAttachClient of {pair:?} gets {given:?}"
        );
        end.handle = Some(handle);
        Ok(inside(Kind::Attach(Role::Provider), pair, binding))
    }

    /// The pair and the end that a detach or cleanup callback is about.
    fn whose(&self, module: Id, context: Opaque, binding: Key) -> Result<(Pair, Role), Violation> {
        let (pair, role) = Pair::of_context(context).ok_or("arguments: an unknown context")?;
        let book = self.books.pair(pair);
        ensure!(
            book.offer.is_none(),
            "I-4: {role} of {pair:?} is called back during the attach"
        );
        ensure!(
            book.attached,
            "I-3: {role} of {pair:?} is called back, though it never attached"
        );
        ensure!(
            module == pair.end(role)
                && book.binding == Some(binding)
                && context == pair.context(role, book.tries),
            "arguments: {module:?} is called back about {pair:?}"
        );
        Ok((pair, role))
    }

    /// A detach callback is called.
    fn asked_to_detach(&mut self, caller: Caller, pair: Pair, role: Role) -> Result<(), Violation> {
        self.books.check_registered(pair, "a detach")?;
        let live = self.books.are_live(pair);
        let book = self.books.pair_mut(pair);
        ensure!(
            !book.end(role).called,
            "I-2: {role} of {pair:?} is asked to detach again"
        );
        ensure!(
            !live || book.abandoned,
            "cause: {role} of {pair:?} is asked to detach, and both are live"
        );
        ensure!(
            !(book.abandoned && role == Role::Client),
            "A-19: the client of {pair:?} is asked to detach after it failed"
        );
        let started = ROLES.map(|role| book.end(role).cleanup);
        ensure!(
            !started.contains(&Cleanup::Running) && !started.contains(&Cleanup::Over),
            "I-5: {role} of {pair:?} is asked to detach after a cleanup"
        );
        let end = book.end_mut(role);
        (end.called, end.inside) = (true, true);
        if matches!(caller, Caller::Register(_)) {
            self.sights.add(Sight::DetachInRegister);
        }
        Ok(())
    }

    /// A cleanup callback is called.
    fn cleaned_up(&mut self, caller: Caller, pair: Pair, role: Role) -> Result<(), Violation> {
        self.books.check_registered(pair, "a cleanup")?;
        let book = self.books.pair_mut(pair);
        let inside = ROLES.map(|role| book.end(role).inside);
        ensure!(
            inside == [false; 2],
            "I-5: {role} of {pair:?} is cleaned up inside a detach callback"
        );
        ensure!(
            book.is_detached(),
            "order: {role} of {pair:?} is cleaned up before both have detached"
        );
        let end = book.end_mut(role);
        ensure!(
            end.cleanup == Cleanup::Due,
            "I-3: {role} of {pair:?} is cleaned up, which is {:?}",
            end.cleanup
        );
        end.cleanup = Cleanup::Running;
        if matches!(caller, Caller::Complete(..)) {
            self.sights.add(Sight::CleanupInComplete);
        }
        Ok(())
    }

    /// The worker is to clean up.
    fn handed_over(&mut self, setup: &Setup, binding: Key) -> Result<Now, Violation> {
        let pair = setup
            .pairs()
            .find(|&pair| self.books.pair(pair).binding == Some(binding))
            .ok_or("arguments: an unknown binding for the worker")?;
        let again = self.deferred.iter().any(|&(known, _)| known == pair);
        let cleaning = ROLES
            .into_iter()
            .any(|role| self.books.pair(pair).end(role).cleanup == Cleanup::Running);
        ensure!(
            self.books.pair(pair).is_detached() && !again && !cleaning,
            "I-3: the worker gets {pair:?} too early or again"
        );
        self.deferred.push((pair, binding));
        Ok(Now::Deferred)
    }

    /// A wait blocks.
    fn blocked(&mut self, caller: Caller, registration: Key) -> Result<Now, Violation> {
        let Caller::Wait(id) = caller else {
            return Err(format!("order: {caller:?} blocks"));
        };
        let held = (0..MOST).any(|number| self.books.pair(Pair::with(id, number)).exists());
        ensure!(held, "deadlock: {id:?} waits for nothing");
        self.sights.add(Sight::Blocked);
        Ok(Now::Asleep(registration))
    }
}

fn inside(kind: Kind, pair: Pair, binding: Key) -> Now {
    Now::Inside(Inside {
        kind,
        pair,
        binding,
        offer: None,
    })
}
