//! Offers: from the call of a client's attach callback to its return (contract sections 2.4, 2.6).
//!
//! An offer belongs to the thread that makes it. Until the callback returns, no other thread decides about
//! it, and so the machine gets only its outcome.

use nmr_sys::{
    NT_SUCCESS, NTSTATUS, Opaque, STATUS_INVALID_DEVICE_STATE, STATUS_NOINTERFACE, STATUS_SUCCESS,
};

use crate::handle::Handle;
use crate::interface::Tables;
use crate::module::{Callee, Role};
use crate::rule::Rule;

/// How often a client may try to attach in one offer before it looks like a loop (V-26).
const TRIES: u32 = 8;

/// What an attach callback of either role is called with.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// The module that is called.
    pub callee: Callee,
    /// Its handle of the binding.
    pub handle: Handle,
    /// The registration instance of the other module.
    pub peer: Opaque,
}

/// What `ProviderAttachClient` answered. An output that it did not write is `None`.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub struct ProviderAnswer {
    pub status: NTSTATUS,
    pub context: Option<Opaque>,
    pub dispatch: Option<Opaque>,
}

/// An offer in progress.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    provider: Side,
    /// What the program has declared of the interface, if it has.
    tables: Option<Tables>,
    outcome: Outcome,
}

/// How far an offer has come, and what became of it at its end.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub(crate) progress: Progress,
    /// What the last call of `NmrClientAttachProvider` returned.
    pub(crate) last: Option<NTSTATUS>,
    /// How often the client called it.
    pub(crate) tries: u32,
    /// The context and the table of the client, and those of the provider.
    pub(crate) passed: [(Opaque, Opaque); 2],
}

/// How far an offer has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Progress {
    /// The client is deciding.
    Deciding,
    /// `ProviderAttachClient` is running.
    Asking,
    /// The provider accepted.
    Accepted,
}

/// The rules that a step of an offer breaks: who broke each, and the status that gave it away. There are
/// never more than these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaches {
    found: [Option<(Rule, Role, Option<NTSTATUS>)>; 4],
}

impl Breaches {
    fn add(&mut self, rule: Rule, culprit: Role, status: Option<NTSTATUS>) {
        let place = self.found.iter_mut().find(|place| place.is_none());
        if let Some(place) = place {
            *place = Some((rule, culprit, status));
        }
    }

    /// Returns `true` if nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found[0].is_none()
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = (Rule, Role, Option<NTSTATUS>)> {
        self.found.into_iter().flatten()
    }
}

impl Offer {
    pub(crate) fn new(provider: Side, tables: Option<Tables>) -> Self {
        Self {
            provider,
            tables,
            outcome: Outcome {
                progress: Progress::Deciding,
                last: None,
                tries: 0,
                passed: [(Opaque::NULL, Opaque::NULL); 2],
            },
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The provider that is to be asked.
    #[must_use]
    pub fn provider(&self) -> &Side {
        &self.provider
    }

    /// `NmrClientAttachProvider`: `Ok` if the provider is to be asked, or else the client's status.
    #[inline]
    pub fn ask(
        &mut self,
        context: Opaque,
        dispatch: Opaque,
        breaches: &mut Breaches,
    ) -> Result<(), NTSTATUS> {
        self.begin(breaches)?;
        self.judge_table(Role::Client, dispatch, breaches);
        self.outcome.passed = [(context, dispatch), (Opaque::NULL, Opaque::NULL)];
        Ok(())
    }

    /// `NmrClientAttachProvider` that fails: to the client, as if the provider had declined.
    pub fn fail(&mut self, status: NTSTATUS, breaches: &mut Breaches) -> NTSTATUS {
        match self.begin(breaches) {
            Ok(()) => self.answered(status),
            Err(refusal) => refusal,
        }
    }

    /// Counts a try. A second one is in order only after a decline (V-26).
    fn begin(&mut self, breaches: &mut Breaches) -> Result<(), NTSTATUS> {
        let misplaced = match self.outcome.progress {
            Progress::Deciding => None,
            Progress::Accepted => Some(Rule::V25),
            Progress::Asking => Some(Rule::V24),
        };
        if let Some(rule) = misplaced {
            breaches.add(rule, Role::Client, None);
            return Err(STATUS_INVALID_DEVICE_STATE);
        }
        let outcome = &mut self.outcome;
        outcome.tries = outcome.tries.saturating_add(1);
        outcome.progress = Progress::Asking;
        if outcome.last.is_some_and(|last| last != STATUS_NOINTERFACE) || outcome.tries > TRIES {
            breaches.add(Rule::V26, Role::Client, outcome.last);
        }
        Ok(())
    }

    /// The provider answered. Only `STATUS_SUCCESS` attaches; anything else leaves the client
    /// free to try again. Returns what the client gets: the provider's context and table, or a status.
    #[inline]
    pub fn answer(
        &mut self,
        answer: ProviderAnswer,
        breaches: &mut Breaches,
    ) -> Result<(Opaque, Opaque), NTSTATUS> {
        let status = self.answered(judge(answer, breaches));
        if status != STATUS_SUCCESS {
            return Err(status);
        }
        if let Some(dispatch) = answer.dispatch {
            self.judge_table(Role::Provider, dispatch, breaches);
        }
        // What the provider did not write was reported, and is no null of its own.
        let outputs =
            [answer.context, answer.dispatch].map(|output| output.unwrap_or(Opaque::NULL));
        let [(client, _), provider] = &mut self.outcome.passed;
        *provider = outputs.into();
        for (role, context) in [
            (Role::Client, Some(*client)),
            (Role::Provider, answer.context),
        ] {
            if context == Some(Opaque::NULL) {
                breaches.add(Rule::V36, role, None);
            }
        }
        Ok(*provider)
    }

    /// Notes the client's answer.
    fn answered(&mut self, status: NTSTATUS) -> NTSTATUS {
        self.outcome.last = Some(status);
        self.outcome.progress = match status {
            STATUS_SUCCESS => Progress::Accepted,
            _ => Progress::Deciding,
        };
        status
    }

    /// Judges the table that a module passes (V-31, V-32).
    fn judge_table(&self, role: Role, dispatch: Opaque, breaches: &mut Breaches) {
        let broken = self.tables.and_then(|it| it.judge(role, dispatch));
        if let Some(rule) = broken {
            breaches.add(rule, role, None);
        }
    }
}

impl Outcome {
    /// Returns `true` if the provider has accepted.
    pub(crate) fn is_accepted(&self) -> bool {
        self.progress == Progress::Accepted
    }

    /// Which rule the client's answer to the offer breaks, if any.
    pub(crate) fn misanswered(&self, status: NTSTATUS) -> Option<Rule> {
        let accepted = self.is_accepted();
        match status {
            STATUS_SUCCESS if accepted => None,
            STATUS_SUCCESS => Some(Rule::V21),
            _ if NT_SUCCESS(status) => Some(Rule::V23),
            _ if accepted => Some(Rule::V22),
            _ if self.last.is_some_and(|last| last != status) => Some(Rule::V20),
            _ => None,
        }
    }
}

/// The client's answer, and the violations of the provider.
fn judge(answer: ProviderAnswer, breaches: &mut Breaches) -> NTSTATUS {
    let ProviderAnswer {
        status,
        context,
        dispatch,
    } = answer;
    let stored = context.is_some_and(|context| context != Opaque::NULL);
    let rule = match status {
        STATUS_SUCCESS if context.is_none() || dispatch.is_none() => Some(Rule::V29),
        STATUS_SUCCESS => None,
        _ if NT_SUCCESS(status) => Some(Rule::V23),
        _ if stored => Some(Rule::V30),
        _ => None,
    };
    if let Some(rule) = rule {
        breaches.add(rule, Role::Provider, Some(status));
    }
    let undecided = status != STATUS_SUCCESS && NT_SUCCESS(status);
    if undecided {
        STATUS_NOINTERFACE
    } else {
        status
    }
}
