//! Memory that one end of a binding lends.

use nmr_machine::{Finding, Key, Role, Rule};

use super::breach::{Breach, breach, is_pageable, with_block};
use super::piece::Piece;
use crate::memory::Lent;
use crate::memory::quarantine::Block;
use crate::thread::ThreadNumber;

/// How far a binding's context and table have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The client has passed them; the provider decides.
    Offered,
    /// The provider has accepted; the client's callback is still running.
    Accepted,
    /// The NMR and the peer may use them.
    InUse,
    /// The module may free them: its cleanup callback is running, or they have no user left.
    Returned,
    /// The cleanup callback has returned.
    Over,
}

/// One end of a binding and what it lends.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) finding: Finding,
    pub(super) registration: Key,
    pub(super) has_cleanup: bool,
    pub(super) stage: Stage,
    pub(super) context: usize,
    pub(super) dispatch: usize,
    pub(super) table: Option<Piece>,
    /// The thread that completed its detach.
    pub(super) completer: Option<ThreadNumber>,
    pub(super) reported: bool,
}

impl End {
    /// A context that can be paged out (V-53).
    pub(super) fn pageable(&self) -> Vec<Breach> {
        let rule = Rule::V53;
        let finding = Finding {
            rule,
            ..self.finding
        };
        let found = is_pageable(self.context);
        let breach = found.then(|| breach(finding, Lent::BindingContext, self.context));
        breach.into_iter().collect()
    }

    /// Its block was freed (V-39, V-51, V-34).
    pub(super) fn freed(&mut self, block: &Block) -> Option<Breach> {
        let client = self
            .finding
            .module
            .is_some_and(|module| module.role == Role::Client);
        let rule = match self.stage {
            Stage::Offered | Stage::Returned | Stage::Over => return None,
            Stage::Accepted if client => Rule::V39,
            Stage::Accepted | Stage::InUse => Rule::V51,
        };
        let (rule, lent, address) = if block.holds(self.context) {
            (rule, Lent::BindingContext, self.context)
        } else {
            (Rule::V34, Lent::Dispatch, self.dispatch)
        };
        if let Some(table) = self
            .table
            .as_mut()
            .filter(|table| block.holds(table.address))
        {
            table.lost = true;
        }
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let finding = Finding {
            rule,
            ..self.finding
        };
        Some(with_block(finding, lent, address, block))
    }

    /// Its freed block was touched (V-56, V-61).
    pub(super) fn touched(&mut self, block: &Block, thread: ThreadNumber) -> Option<Breach> {
        if self.stage != Stage::Over || !block.holds(self.context) {
            return None;
        }
        let rule = match self.completer {
            Some(completer) if completer == thread => Rule::V56,
            _ if self.has_cleanup => Rule::V61,
            _ => return None,
        };
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let finding = Finding {
            rule,
            ..self.finding
        };
        Some(with_block(
            finding,
            Lent::BindingContext,
            self.context,
            block,
        ))
    }
}
