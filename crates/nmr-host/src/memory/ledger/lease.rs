//! Memory that a registration lends, and what its bindings have left behind.

use nmr_machine::{Finding, ModuleLabel, Rule};

use super::breach::{Breach, about, breach, is_pageable, with_block};
use super::piece::Piece;
use crate::memory::Lent;
use crate::memory::quarantine::{self, Block};

/// A registration and what it lends.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) module: ModuleLabel,
    pub(super) pieces: Vec<Piece>,
    pub(super) context: usize,
    /// Whether its deregistration was answered with an error.
    pub(super) refused: bool,
    pub(super) context_lost: bool,
    /// Contexts of its bindings that were still allocated when they had no user left.
    pub(super) kept: Vec<Kept>,
}

impl Lease {
    /// What can be paged out and must not be (V-53).
    pub(super) fn pageable(&self) -> Vec<Breach> {
        let pieces = self.pieces.iter().map(|piece| (piece.lent, piece.address));
        let context = (Lent::RegistrationContext, self.context);
        let mut pageable = pieces.chain([context]).filter(|&(_, at)| is_pageable(at));
        let found = pageable.next();
        let breach = found.map(|(lent, at)| breach(about(Rule::V53, self.module), lent, at));
        breach.into_iter().collect()
    }

    /// One of its blocks was freed (V-12, V-85, V-80).
    pub(super) fn freed(&mut self, block: &Block) -> Option<Breach> {
        let mut first = None;
        for piece in &mut self.pieces {
            if block.holds(piece.address) && !std::mem::replace(&mut piece.lost, true) {
                first = first.or(Some((Rule::V12, piece.lent, piece.address)));
            }
        }
        if block.holds(self.context) && !std::mem::replace(&mut self.context_lost, true) {
            let context = (Rule::V85, Lent::RegistrationContext, self.context);
            first = first.or(Some(context));
        }
        let (rule, lent, address) = first?;
        let rule = if self.refused { Rule::V80 } else { rule };
        Some(with_block(about(rule, self.module), lent, address, block))
    }
}

/// A context that may be leaked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) finding: Finding,
    pub(super) address: usize,
    /// The number of its block.
    pub(super) block: u64,
}

impl Kept {
    /// A context that is a block of its own and still allocated.
    pub(super) fn new(finding: Finding, address: usize) -> Option<Self> {
        let block = quarantine::find(address)?;
        let whole = block.start == address && block.freed.is_none();
        whole.then_some(Self {
            finding,
            address,
            block: block.number,
        })
    }

    pub(super) fn is_live(&self) -> bool {
        let block = quarantine::find(self.address);
        block.is_some_and(|block| block.number == self.block && block.freed.is_none())
    }

    pub(super) fn breach(&self) -> Breach {
        breach(self.finding, Lent::BindingContext, self.address)
    }
}
