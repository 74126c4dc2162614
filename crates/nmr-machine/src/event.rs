//! Events that the machine takes, actions that it returns, and the task that a thread carries between the
//! two.

use nmr_sys::{GUID, NTSTATUS, STATUS_SUCCESS};

use crate::handle::Handle;
use crate::module::{Callback, Module, ModuleLabel, Role};
use crate::offer::Outcome;
use crate::rule::Rule;
use crate::slab::Key;

/// What happens: a module calls one of the nine functions, or one of its callbacks returns.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum Event<'a> {
    /// `NmrRegisterClient`, `NmrRegisterProvider`.
    Register { module: &'a Module },
    /// `NmrDeregisterClient`, `NmrDeregisterProvider`.
    Deregister { handle: Option<Handle>, role: Role },
    /// `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
    Complete { handle: Option<Handle>, role: Role },
    /// `NmrWaitForClientDeregisterComplete`, `NmrWaitForProviderDeregisterComplete`.
    Wait { handle: Option<Handle>, role: Role },
    /// A thread that was blocked checks again.
    WaitAgain { registration: Key },
    /// `ClientAttachProvider` returned, and its offer has come so far.
    ClientAttachReturned {
        binding: Key,
        offer: &'a Outcome,
        status: NTSTATUS,
    },
    /// A detach callback returned.
    DetachReturned {
        binding: Key,
        role: Role,
        status: NTSTATUS,
    },
    /// A cleanup callback returned.
    CleanupReturned { binding: Key, role: Role },
    /// The cleanup was handed to the worker.
    CleanupDeferred,
    /// The worker begins a cleanup that was handed to it.
    CleanupStarted { binding: Key },
}

/// What a thread does next. Except for `Return`, the outcome is a part of the next event.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum Action {
    /// Return to the module.
    Return(NTSTATUS),
    /// Block until the registration may be finished, then look again.
    Block { registration: Key },
    /// Call a callback.
    Call(Invocation),
    /// Hand the cleanup to the worker.
    Defer { binding: Key },
}

/// A callback that a thread is to call: which one, of which end of which binding.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub struct Invocation {
    pub binding: Key,
    pub role: Role,
    pub callback: Callback,
}

/// What one call into the NMR still has to do. It lives on the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Task {
    pub(crate) goal: Goal,
    /// The handle of a registration that was made, to be written before the first offer.
    pub registered: Option<Handle>,
}

/// What comes after the binding at hand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Goal {
    /// Return a status.
    Return(NTSTATUS),
    /// Make the other offers of a registration.
    Offer { registration: Key },
    /// Detach the other bindings of a registration.
    Detach { next: Option<Key> },
}

impl Default for Goal {
    fn default() -> Self {
        Self::Return(STATUS_SUCCESS)
    }
}

/// What records and reports say of a binding.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Its number among all bindings of the registrar.
    pub serial: u64,
    /// Its interface.
    pub npi: GUID,
    /// Its client.
    pub client: ModuleLabel,
    /// Its provider.
    pub provider: ModuleLabel,
}

impl Ends {
    /// The module of one end.
    #[must_use]
    pub fn module(&self, role: Role) -> ModuleLabel {
        match role {
            Role::Client => self.client,
            Role::Provider => self.provider,
        }
    }
}

/// A rule that was broken, as the machine sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The number of the binding.
    pub binding: Option<u64>,
    /// Who broke it.
    pub module: Option<ModuleLabel>,
    /// The other module of the binding.
    pub peer: Option<ModuleLabel>,
    /// The status that gave it away.
    pub status: Option<NTSTATUS>,
}

impl Finding {
    /// One that is about no binding.
    #[must_use]
    pub fn of(rule: Rule, module: Option<ModuleLabel>) -> Self {
        Self {
            rule,
            binding: None,
            module,
            peer: None,
            status: None,
        }
    }
}
