//! The detach of one end of a binding, as a table of transitions (contract section 7, "Side").

use nmr_sys::{NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};

use crate::rule::Rule;

/// How far one end of a binding has come with its detach.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Detach {
    /// The detach callback was not called.
    NotCalled,
    /// The module completed before it was asked to detach.
    CompletedBefore,
    /// The detach callback is running.
    InCallback,
    /// The detach callback is running, and the module has completed already.
    CompletedInside,
    /// The detach callback answered `STATUS_PENDING`.
    Pended,
    /// This end has detached.
    Done,
}

impl Detach {
    /// The detach callback is called.
    #[expect(clippy::unreachable, reason = "`call_detach` looks before it calls")]
    pub(crate) fn called(self) -> Self {
        match self {
            Self::NotCalled => Self::InCallback,
            Self::CompletedBefore => Self::CompletedInside,
            other => unreachable!("a detach callback is called once, not when {other:?}"),
        }
    }

    /// The detach callback returned.
    #[expect(
        clippy::unreachable,
        reason = "only `called` begins a callback, and only its return ends it: explore"
    )]
    pub(crate) fn returned(self, status: NTSTATUS) -> (Self, Option<Rule>) {
        match (self, status) {
            (Self::InCallback, STATUS_PENDING) => (Self::Pended, None),
            (Self::InCallback, STATUS_SUCCESS) | (Self::CompletedInside, STATUS_PENDING) => {
                (Self::Done, None)
            }
            (Self::CompletedInside, STATUS_SUCCESS) => (Self::Done, Some(Rule::V44)),
            (Self::InCallback | Self::CompletedInside, _) => (Self::Done, Some(Rule::V40)),
            (other, _) => unreachable!("no detach callback is running when {other:?}"),
        }
    }

    /// The module completes.
    pub(crate) fn completed(self) -> (Self, Option<Rule>) {
        match self {
            Self::NotCalled => (Self::CompletedBefore, Some(Rule::V42)),
            Self::InCallback => (Self::CompletedInside, None),
            Self::Pended => (Self::Done, None),
            Self::CompletedBefore | Self::CompletedInside | Self::Done => (self, Some(Rule::V43)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Detach::{self, *};
    use super::*;

    /// Walks a detach through a script of calls: `c` called, `p` returns pending, `s` returns
    /// success, `x` completes.
    fn walk(script: &str) -> (Detach, Vec<Rule>) {
        let mut rules = Vec::new();
        let end = script.chars().fold(NotCalled, |state, call| {
            let (state, rule) = match call {
                'c' => (state.called(), None),
                'p' => state.returned(STATUS_PENDING),
                's' => state.returned(STATUS_SUCCESS),
                'x' => state.completed(),
                'e' => state.returned(nmr_sys::STATUS_INVALID_PARAMETER),
                _ => unreachable!(),
            };
            rules.extend(rule);
            state
        });
        (end, rules)
    }

    #[test]
    fn every_honest_order_ends_done() {
        for script in ["cs", "cpx", "cxp"] {
            assert_eq!(walk(script), (Done, vec![]), "{script}");
        }
    }

    #[test]
    fn every_mistake_ends_done_and_is_named() {
        for (script, rule) in [
            ("xcp", Rule::V42),
            ("cxs", Rule::V44),
            ("ce", Rule::V40),
            ("cpxx", Rule::V43),
            ("csx", Rule::V43),
            ("cxxp", Rule::V43),
        ] {
            assert_eq!(walk(script), (Done, vec![rule]), "{script}");
        }
        assert_eq!(walk("xcs"), (Done, vec![Rule::V42, Rule::V44]));
        assert_eq!(walk("xxcp"), (Done, vec![Rule::V42, Rule::V43]));
    }
}
