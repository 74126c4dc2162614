//! Detachment: both detach callbacks, their completion, and the two cleanups (contract sections
//! 2.5, 2.8, 2.9).

use nmr_sys::{NTSTATUS, STATUS_SUCCESS};

use crate::binding::Phase;
use crate::detach::Detach;
use crate::event::{Action, Invocation, Task};
use crate::handle::{Handle, Kind};
use crate::machine::{Lost, Machine};
use crate::module::{Callback, Role};
use crate::policy::{Cleanup, EarlyCompletion};
use crate::rule::Rule;
use crate::slab::Key;

impl Machine {
    /// Calls the detach callback that was not called yet: both are called, one after the other,
    /// whatever the first answers. Then goes on to the cleanups if both ends are done.
    #[inline(always)]
    pub(crate) fn continue_detach(&mut self, task: &mut Task, binding: Key) -> Action {
        let turns = self.turns(self.policy.detach_order);
        let found = self.binding_mut(binding);
        found.phase = Phase::Detaching;
        for role in turns {
            if found.call_detach(role) {
                return Action::Call(Invocation {
                    binding,
                    role,
                    callback: Callback::Detach,
                });
            }
        }
        self.settle(task, binding)
    }

    pub(crate) fn detach_returned(
        &mut self,
        task: &mut Task,
        binding: Key,
        role: Role,
        status: NTSTATUS,
    ) -> Action {
        let end = &mut self.binding_mut(binding)[role];
        let (detach, broken) = end.detach.returned(status);
        end.detach = detach;
        if let Some(rule) = broken {
            self.report(rule, binding, role, Some(status));
        }
        self.continue_detach(task, binding)
    }

    /// Completes the detach of one end (contract section 2.5).
    pub(crate) fn complete(
        &mut self,
        task: &mut Task,
        handle: Option<Handle>,
        role: Role,
    ) -> Action {
        let binding = match self.resolve(handle, Kind::of_binding(role)) {
            Ok(binding) => binding,
            Err(lost) => return self.refuse_completion_handle(lost),
        };
        let cleaning = self.binding(binding).phase == Phase::Cleaning;
        let (detach, broken) = self.binding(binding)[role].detach.completed();
        if let Some(broken) = broken {
            self.report(
                if cleaning { Rule::V55 } else { broken },
                binding,
                role,
                None,
            );
        }
        let early = detach == Detach::CompletedBefore;
        if !(early && self.policy.early_completion == EarlyCompletion::Ignored) {
            self.binding_mut(binding)[role].detach = detach;
        }
        if cleaning {
            self.resume(task)
        } else {
            self.settle(task, binding)
        }
    }

    fn refuse_completion_handle(&mut self, lost: Lost) -> Action {
        self.report_call(match lost {
            Lost::Unknown => Rule::V75,
            Lost::WrongKind => Rule::V45,
            Lost::Stale => Rule::V46,
        });
        Action::Return(STATUS_SUCCESS)
    }

    /// Starts the cleanups if both ends have detached. An end is done only after its detach
    /// callback has returned, so no cleanup overlaps one (A-17, I-5).
    #[inline(always)]
    fn settle(&mut self, task: &mut Task, binding: Key) -> Action {
        let found = self.binding_mut(binding);
        if !found.is_detached() {
            return self.resume(task);
        }
        found.phase = Phase::Cleaning;
        match self.policy.cleanup {
            Cleanup::Inline => self.next_cleanup(task, binding),
            Cleanup::Worker => Action::Defer { binding },
        }
    }

    /// Calls the cleanup callback that was not called yet. After the last one the binding is gone.
    pub(crate) fn next_cleanup(&mut self, task: &mut Task, binding: Key) -> Action {
        let turns = self.turns(self.policy.cleanup_order);
        let found = self.binding_mut(binding);
        for role in turns {
            if core::mem::take(&mut found[role].cleanup) {
                self.forget_context(binding, role);
                return Action::Call(Invocation {
                    binding,
                    role,
                    callback: Callback::Cleanup,
                });
            }
        }
        self.remove_binding(binding);
        self.resume(task)
    }
}
