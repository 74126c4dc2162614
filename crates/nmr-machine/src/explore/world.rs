//! The machine among its modules: takes a move, notes it in the books, and passes it to the machine.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nmr_sys::{Opaque, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};

use super::begin::Told;
use super::books::{Books, Stage, Violation, ensure};
use super::calls::{Call, Caller, Inside, Kind, Now};
use super::moves::Move;
use super::rules::Breach;
use super::setup::{ANY, Id, Pair, Setup};
use super::sights::Sights;
use crate::module::{Callback, Role};
use crate::policy::{Policy, Sharing};
use crate::{Action, Breaches, Event, Invocation, Key, Machine, Offer, ProviderAnswer, Task};

/// One state.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) books: Books,
    /// The calls in progress, sorted.
    pub(super) calls: Vec<Call>,
    /// What the worker has still to clean up, the oldest first.
    pub(super) deferred: Vec<(Pair, Key)>,
    /// How many rules may still be broken.
    pub(super) mistakes: u8,
    /// How many unusual answers there may still be.
    pub(super) twists: u8,
    /// What the last move showed; no part of the state.
    pub(super) sights: Sights,
    /// What the client got whose attach was the last move; no part of the state.
    pub(super) attached: Option<(Opaque, Opaque)>,
    /// The rules that the last move broke in an offer; no part of the state.
    pub(super) breaches: Breaches,
}

impl World {
    pub(super) fn new(setup: &Setup) -> Self {
        // The modules here are numbers, and have nothing to share.
        let policy = Policy {
            sharing: Sharing::Ignored,
            ..setup.policy.clone()
        };
        Self {
            machine: Machine::new(1, &policy),
            books: Books::new(setup),
            calls: Vec::new(),
            deferred: Vec::new(),
            mistakes: setup.mistakes,
            twists: setup.twists,
            sights: Sights::default(),
            attached: None,
            breaches: Breaches::default(),
        }
    }

    /// Makes a move, and checks what comes of it.
    pub(super) fn make(&mut self, setup: &Setup, step: Move) -> Result<(), Violation> {
        self.sights = Sights::default();
        let breach = self.breach(step);
        if let Some(breach) = breach
            && !self.is_early(setup, step, breach)
        {
            self.mistakes -= 1;
        }
        if self.twists != ANY && self.is_twist(step) {
            self.twists -= 1;
        }
        let refusal = breach.and_then(|breach| breach.refusal);
        let (caller, mut task, told) = self.begin(setup, step, refusal.is_some());
        let action = self.tell(&mut task, told)?;
        self.check_findings(step, breach)?;
        let news = self.machine.take_news();
        if self.machine.take_wake() {
            ensure!(news, "I-7: the end of a wait is no news");
            self.wake();
        }
        if let Some(refusal) = refusal {
            let refused = matches!(action, Action::Return(status) if status == refusal);
            ensure!(refused, "refusal: {step:?} is answered by {action:?}");
            return Ok(());
        }
        self.follow(setup, caller, task, action)?;
        self.check_detach_order(step)?;
        self.forget_what_is_over();
        Ok(())
    }

    /// Registers a module once for each reservation of memory, which fails, and expects no trace.
    pub(super) fn fail_registrations(&self, setup: &Setup, id: Id) -> Result<(), Violation> {
        let peers = (0..setup.modules[id.role.other() as usize])
            .filter(|&number| {
                let peer = Pair::with(id, number).end(id.role.other());
                self.books.member(peer).stage == Stage::Live
            })
            .count() as u64;
        for skip in 0..2 + peers {
            let mut world = self.clone();
            let (_, mut task, told) = world.begin(setup, Move::Register(id), false);
            world.machine.fail_reservation(skip);
            let action = world.tell(&mut task, told)?;
            let failed =
                matches!(action, Action::Return(status) if status == STATUS_INSUFFICIENT_RESOURCES);
            ensure!(failed, "I-9: with no memory, Register answers {action:?}");
            ensure!(task.registered.is_none(), "I-9: there is a handle");
            let (mut before, mut after) = (Vec::new(), Vec::new());
            self.machine.code(&mut before);
            world.machine.code(&mut after);
            ensure!(
                before == after,
                "I-9: a failed Register of {id:?} leaves something"
            );
        }
        Ok(())
    }

    /// Tells the machine, or an offer; a panic is a violation too.
    fn tell(&mut self, task: &mut Task, told: Told) -> Result<Action, Violation> {
        let event = match &told {
            Told::Ask(pair, context) => return Ok(self.ask(*pair, *context)),
            Told::Consent(pair, answer) => return Ok(self.consent(*pair, *answer)),
            Told::Register(module) => Event::Register { module },
            &Told::Answer(binding, ref offer, status) => Event::ClientAttachReturned {
                binding,
                offer: offer.outcome(),
                status,
            },
            Told::Event(event) => *event,
        };
        let machine = &mut self.machine;
        catch_unwind(AssertUnwindSafe(|| machine.step(task, event))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            format!("panic: {}", text.unwrap_or_default())
        })
    }

    /// `NmrClientAttachProvider` on the thread that makes the offer.
    fn ask(&mut self, pair: Pair, context: Opaque) -> Action {
        let mut breaches = Breaches::default();
        let binding = self.books.pair(pair).binding.expect("an offer");
        let asked = self.offer_mut(pair).ask(context, context, &mut breaches);
        self.breaches = breaches;
        match asked {
            Ok(()) => Action::Call(Invocation {
                binding,
                role: Role::Provider,
                callback: Callback::Attach,
            }),
            Err(status) => Action::Return(status),
        }
    }

    /// The provider has answered.
    fn consent(&mut self, pair: Pair, answer: ProviderAnswer) -> Action {
        let mut breaches = Breaches::default();
        let result = self.offer_mut(pair).answer(answer, &mut breaches);
        self.breaches = breaches;
        self.attached = result.ok();
        Action::Return(result.err().unwrap_or(STATUS_SUCCESS))
    }

    /// The offer of a pair that is in progress.
    pub(super) fn offer_mut(&mut self, pair: Pair) -> &mut Offer {
        let offer = self.calls.iter_mut().find_map(|call| match &mut call.now {
            Now::Inside(inside) if inside.pair == pair => inside.offer.as_mut(),
            _ => None,
        });
        offer.expect("an offer is in progress")
    }

    /// The machine finds what the move broke, and an honest move breaks nothing.
    fn check_findings(&mut self, step: Move, breach: Option<Breach>) -> Result<(), Violation> {
        let found: Vec<_> = self
            .machine
            .take_findings()
            .into_iter()
            .map(|finding| finding.rule)
            .chain(mem::take(&mut self.breaches).iter().map(|(rule, ..)| rule))
            .collect();
        let expected: Vec<_> = breach.iter().map(|breach| breach.rule).collect();
        ensure!(
            found == expected,
            "findings: {found:?} instead of {expected:?} for {step:?}"
        );
        Ok(())
    }

    /// The shell wakes every waiting thread, and those go on whose registration is finished.
    fn wake(&mut self) {
        for call in &mut self.calls {
            if let Now::Asleep(registration) = call.now
                && self.machine.is_finished(registration)
            {
                call.now = Now::Awake(registration);
            }
        }
    }

    /// Forgets the bindings of which nothing is left.
    fn forget_what_is_over(&mut self) {
        for book in self.books.pairs_mut() {
            let handed_over = |&(_, binding): &(Pair, Key)| Some(binding) == book.binding;
            if book.is_over() && !self.deferred.iter().any(handed_over) {
                book.clear();
            }
        }
    }

    pub(super) fn call(&self, caller: Caller) -> Option<&Call> {
        self.calls.iter().find(|call| call.caller == caller)
    }

    pub(super) fn push_call(&mut self, caller: Caller, task: Task, now: Now) {
        let at = self.calls.partition_point(|call| call.caller < caller);
        self.calls.insert(at, Call { caller, task, now });
    }

    pub(super) fn take_call(&mut self, caller: Caller) -> Call {
        let at = self.calls.iter().position(|call| call.caller == caller);
        self.calls.remove(at.expect("the call is in progress"))
    }

    /// Takes the call whose callback returns.
    pub(super) fn leave(&mut self, kind: Kind, pair: Pair) -> (Call, Inside) {
        let inside = |call: &Call| match call.now {
            Now::Inside(inside) => (inside.kind == kind && inside.pair == pair).then_some(inside),
            _ => None,
        };
        let found = self
            .calls
            .iter()
            .enumerate()
            .find_map(|(at, call)| inside(call).map(|inside| (at, inside)));
        let (at, inside) = found.expect("the callback is running");
        (self.calls.remove(at), inside)
    }
}
