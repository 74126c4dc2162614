//! The life of one binding, held against the contract: one attach, one detach and one cleanup for
//! each side, in this order, and every call while both may be called.

use nmr_host::Role;
use nmr_sys::{NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};

use crate::check::Call;

/// What is known about a binding.
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) pended: usize,
    pub(crate) detached_at_once: usize,
    pub(crate) cleanups: usize,
    pub(crate) faults: Vec<String>,
}

/// How an offer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Attached,
    Declined,
}

const ROLES: [Role; 2] = [Role::Client, Role::Provider];

/// Judges all calls that are about one binding.
pub(crate) fn judge(calls: &[&Call<'_>]) -> Judged {
    let mut binding = Binding {
        calls,
        faults: Vec::new(),
    };
    let outcome = binding.attach();
    let ends = ROLES.map(|role| binding.end(role, outcome));
    if outcome == Outcome::Attached {
        binding.cleanup_after(ends);
        binding.calls_between(ends);
    }
    let answers = |answer| {
        ROLES
            .iter()
            .filter(|&&role| binding.answered(role, answer))
            .count()
    };
    Judged {
        outcome,
        pended: answers(STATUS_PENDING),
        detached_at_once: answers(STATUS_SUCCESS),
        cleanups: ROLES.iter().map(|&role| binding.count(cleanup(role))).sum(),
        faults: binding.faults,
    }
}

/// The calls of a binding, and what is wrong with them.
struct Binding<'a> {
    calls: &'a [&'a Call<'a>],
    faults: Vec<String>,
}

impl<'a> Binding<'a> {
    fn all(&self, function: &str) -> impl Iterator<Item = &'a Call<'a>> {
        let matching = move |call: &&&'a Call<'a>| call.is(function);
        self.calls.iter().filter(matching).copied()
    }

    fn find(&self, function: &str) -> Option<&'a Call<'a>> {
        self.all(function).next()
    }

    fn count(&self, function: &str) -> usize {
        self.all(function).count()
    }

    fn require(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.faults.push(fault.into());
        }
    }

    fn require_count(&mut self, function: &str, wanted: usize) {
        let found = self.count(function);
        self.require(
            found == wanted,
            format!("{found} x {function} instead of {wanted}"),
        );
    }

    fn answered(&self, role: Role, status: NTSTATUS) -> bool {
        let answer = self.find(detach(role)).and_then(Call::status);
        answer == Some(status)
    }

    /// The offer: the client is asked, calls the NMR, and that asks the provider.
    fn attach(&mut self) -> Outcome {
        let (client, nmr, provider) = (
            "ClientAttachProvider",
            "NmrClientAttachProvider",
            "ProviderAttachClient",
        );
        self.require_count(client, 1);
        let statuses = [client, nmr, provider].map(|function| self.find(function)?.status());
        if statuses[0] != Some(STATUS_SUCCESS) {
            let accepted = statuses[1..].contains(&Some(STATUS_SUCCESS));
            self.require(!accepted, "an attach that succeeded was given up");
            return Outcome::Declined;
        }
        self.require_count(nmr, 1);
        self.require_count(provider, 1);
        let alike = statuses
            .iter()
            .all(|&status| status == Some(STATUS_SUCCESS));
        self.require(alike, "the attach callbacks do not agree");
        for (inner, outer) in [(nmr, client), (provider, nmr)] {
            let nested = self.find(inner).is_some_and(|call| call.is_inside(outer));
            self.require(nested, format!("{inner} is not inside {outer}"));
        }
        Outcome::Attached
    }

    /// One side's detach and cleanup. Returns the place in the record where it has detached.
    fn end(&mut self, role: Role, outcome: Outcome) -> u64 {
        let once = usize::from(outcome == Outcome::Attached);
        self.require_count(detach(role), once);
        self.require_count(cleanup(role), once);
        let pended = self.answered(role, STATUS_PENDING);
        self.require_count(complete(role), usize::from(pended));
        let Some(asked) = self.find(detach(role)) else {
            return 0;
        };
        self.require(
            pended || self.answered(role, STATUS_SUCCESS),
            format!("{} answers neither success nor pending", detach(role)),
        );
        let attached = self.find("ClientAttachProvider").map_or(0, Call::ended);
        self.require(
            attached < asked.began(),
            format!("{} before the attach is complete", detach(role)),
        );
        let completed = self.find(complete(role)).map_or(0, Call::began);
        self.require(
            !pended || asked.began() < completed,
            format!("{} before {}", complete(role), detach(role)),
        );
        asked.ended().max(completed)
    }

    /// No cleanup before both sides have detached.
    fn cleanup_after(&mut self, ends: [u64; 2]) {
        for role in ROLES {
            let began = self.find(cleanup(role)).map_or(u64::MAX, Call::began);
            let done = ends.iter().all(|&end| end < began);
            self.require(
                done,
                format!("{} before both sides have detached", cleanup(role)),
            );
        }
    }

    /// No call before the provider has accepted, or after its caller has detached.
    fn calls_between(&mut self, ends: [u64; 2]) {
        let begin = self.find("ProviderAttachClient").map_or(0, Call::ended);
        for call in self.calls.iter().filter(|call| call.is_between_modules()) {
            let end = match call.caller_role() {
                Some(Role::Client) => ends[0],
                _ => ends[1],
            };
            if call.began() < begin {
                self.faults.push("a call before the attach".to_owned());
            }
            if call.ended() > end {
                self.faults
                    .push("a call after its caller has detached".to_owned());
            }
        }
    }
}

fn detach(role: Role) -> &'static str {
    match role {
        Role::Client => "ClientDetachProvider",
        Role::Provider => "ProviderDetachClient",
    }
}

fn complete(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrClientDetachProviderComplete",
        Role::Provider => "NmrProviderDetachClientComplete",
    }
}

fn cleanup(role: Role) -> &'static str {
    match role {
        Role::Client => "ClientCleanupBindingContext",
        Role::Provider => "ProviderCleanupBindingContext",
    }
}
