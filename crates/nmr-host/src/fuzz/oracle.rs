//! A run against the pure machine: what the exported functions should do.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use nmr_machine::{
    Action, Arguments, Breaches, Event, Finding, Handle, Invocation, LANES, Machine, Offer,
    ProviderAnswer, Role, Side, Task,
};
use nmr_sys::{NTSTATUS, Opaque, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};

use super::answer;
use super::functions;
use super::module::{self, Registered};
use super::run::{self, Nmr, Outcome};
use crate::poison::POISON;
use crate::policy::{Mode, Policy};

/// The machines of a run, one a lane, and what they said.
struct Oracle {
    mode: Mode,
    instance: u32,
    lanes: [RefCell<Machine>; LANES],
    /// How many reservations still succeed before the one that fails.
    failure: Cell<Option<u64>>,
    broken: RefCell<Vec<Finding>>,
    /// The offers that are being made, the innermost last.
    offers: RefCell<Vec<(Handle, Offer)>>,
    blocked: RefCell<Vec<bool>>,
}

/// Runs a program against a machine of its own.
pub(super) fn run(bytes: &[u8], instance: u32, policy: &Policy) -> Outcome {
    let oracle = Rc::new(Oracle {
        mode: policy.mode,
        instance,
        lanes: Machine::lanes(instance, &policy.of_machine()).map(RefCell::new),
        failure: Cell::default(),
        broken: RefCell::default(),
        offers: RefCell::default(),
        blocked: RefCell::default(),
    });
    let trace = run::run(bytes, Rc::clone(&oracle) as Rc<dyn Nmr>);
    Outcome {
        trace,
        blocked: oracle.blocked.take(),
        broken: oracle.broken.take(),
        leaks: oracle
            .lanes
            .iter()
            .map(|machine| machine.borrow().leaks().count())
            .sum(),
    }
}

impl Oracle {
    /// The machine that a handle is for.
    fn machine(&self, handle: Option<Handle>) -> &RefCell<Machine> {
        &self.lanes[handle.map_or(0, |handle| handle.key().lane())]
    }

    fn step(&self, machine: &RefCell<Machine>, task: &mut Task, event: Event<'_>) -> Action {
        let mut machine = machine.borrow_mut();
        if let Some(skip) = self.failure.take() {
            machine.fail_reservation(skip);
        }
        let action = machine.step(task, event);
        self.failure.set(machine.take_failure());
        self.note_findings(&mut machine);
        action
    }

    fn note_findings(&self, machine: &mut Machine) {
        let findings = machine.take_findings().into_iter();
        let watched = findings.filter(|finding| functions::watches(finding.rule));
        self.broken.borrow_mut().extend(watched);
    }

    fn call(&self, handle: Option<Handle>, task: &mut Task, event: Event<'_>) -> NTSTATUS {
        let machine = self.machine(handle);
        let action = self.step(machine, task, event);
        self.carry_out(machine, task, action)
    }

    /// Carries out actions until the call returns.
    fn carry_out(&self, machine: &RefCell<Machine>, task: &mut Task, first: Action) -> NTSTATUS {
        let mut action = first;
        loop {
            let invocation = match action {
                Action::Return(status) => return status,
                Action::Call(invocation) => invocation,
                Action::Block { .. } | Action::Defer { .. } => {
                    unreachable!("waits are tried before, nothing is deferred")
                }
            };
            let Invocation { binding, role, .. } = invocation;
            let arguments = machine.borrow().arguments(invocation);
            action = match arguments {
                Arguments::Attach(side, offer) => {
                    self.offers.borrow_mut().push((side.handle, offer));
                    let provider = module::number(side.peer.0.cast());
                    let status =
                        answer::attach_client(number(&side), side.handle.value(), provider);
                    let (_, offer) = self.offers.borrow_mut().pop().expect("this offer");
                    let event = Event::ClientAttachReturned {
                        binding,
                        offer: offer.outcome(),
                        status,
                    };
                    self.step(machine, task, event)
                }
                Arguments::Detach(_, context) => {
                    let status = answer::detach(role, context.0.addr());
                    let event = Event::DetachReturned {
                        binding,
                        role,
                        status,
                    };
                    self.step(machine, task, event)
                }
                Arguments::Cleanup(_, context) => {
                    answer::clean_up(role, context.0.addr());
                    self.step(machine, task, Event::CleanupReturned { binding, role })
                }
            };
        }
    }

    /// Uses an offer that is being made, and notes what is wrong. `None` if there is none.
    fn with_offer<T>(
        &self,
        handle: Handle,
        run: impl FnOnce(&mut Offer, &mut Breaches) -> T,
    ) -> Option<T> {
        let mut breaches = Breaches::default();
        let mut offers = self.offers.borrow_mut();
        let (_, offer) = offers.iter_mut().find(|(of, _)| *of == handle)?;
        let done = run(offer, &mut breaches);
        let mut machine = self.machine(Some(handle)).borrow_mut();
        machine.report_breaches(handle.key(), breaches);
        self.note_findings(&mut machine);
        Some(done)
    }

    fn handle(&self, handle: usize) -> Option<Handle> {
        let handle = Handle::of_value(handle)?;
        (handle.instance() == self.instance).then_some(handle)
    }
}

/// Asks a provider.
fn ask(provider: &Side, context: usize, dispatch: usize) -> ProviderAnswer {
    let client = [module::number(provider.peer.0.cast()), context, dispatch];
    let answer = answer::attach_provider(number(provider), provider.handle.value(), client);
    ProviderAnswer {
        status: answer.status,
        context: answer.context.map(opaque),
        dispatch: answer.dispatch.map(opaque),
    }
}

/// The number of the module that is called, which is its registration context.
fn number(side: &Side) -> usize {
    side.callee.context.0.addr()
}

fn opaque(value: usize) -> Opaque {
    Opaque(std::ptr::without_provenance_mut(value))
}

impl Nmr for Oracle {
    fn register(&self, module: &Registered) -> NTSTATUS {
        module.store(0);
        let (judged, findings) = module.judge(self.mode);
        let Some(registers) = judged.filter(|_| module.has_place() && !findings.rejected()) else {
            return STATUS_INVALID_PARAMETER;
        };
        let mut task = Task::default();
        let event = Event::Register { module: &registers };
        let machine = &self.lanes[nmr_machine::lane_of(&registers.npi)];
        let action = self.step(machine, &mut task, event);
        if let Some(handle) = task.registered {
            module.store(handle.value());
        }
        self.carry_out(machine, &mut task, action)
    }

    fn deregister(&self, role: Role, handle: usize) -> NTSTATUS {
        let handle = self.handle(handle);
        self.call(
            handle,
            &mut Task::default(),
            Event::Deregister { handle, role },
        )
    }

    fn wait(&self, role: Role, handle: usize) -> Option<NTSTATUS> {
        let handle = self.handle(handle);
        let event = Event::Wait { handle, role };
        let mut trial = self.machine(handle).borrow().clone();
        let blocks = matches!(
            trial.step(&mut Task::default(), event),
            Action::Block { .. }
        );
        self.blocked.borrow_mut().push(blocks);
        (!blocks).then(|| self.call(handle, &mut Task::default(), event))
    }

    fn complete(&self, role: Role, handle: usize) {
        let handle = self.handle(handle);
        self.call(
            handle,
            &mut Task::default(),
            Event::Complete { handle, role },
        );
    }

    fn attach(&self, handle: usize, context: usize, dispatch: usize) -> (NTSTATUS, [usize; 2]) {
        let handle = self.handle(handle);
        let asked = handle.and_then(|handle| {
            self.with_offer(handle, |offer, breaches| {
                let asked = offer.ask(opaque(context), opaque(dispatch), breaches);
                asked.map(|()| (handle, *offer.provider()))
            })
        });
        let attached = match asked {
            None => {
                let mut machine = self.machine(handle).borrow_mut();
                let status = machine.refuse_attach(handle);
                self.note_findings(&mut machine);
                Err(status)
            }
            Some(Err(status)) => Err(status),
            Some(Ok((handle, provider))) => {
                let answer = ask(&provider, context, dispatch);
                let told =
                    |offer: &mut Offer, breaches: &mut Breaches| offer.answer(answer, breaches);
                self.with_offer(handle, told)
                    .expect("the offer is being made")
            }
        };
        match attached {
            Ok((context, dispatch)) => (STATUS_SUCCESS, [context.0.addr(), dispatch.0.addr()]),
            Err(status) if self.mode == Mode::Strict => (status, [POISON.addr(); 2]),
            Err(status) => (status, [0; 2]),
        }
    }

    fn fail_reservation(&self, skip: u64) {
        self.failure.set(Some(skip));
    }
}
