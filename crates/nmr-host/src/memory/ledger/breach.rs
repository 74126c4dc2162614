//! A rule about memory that was broken.

use nmr_machine::{Finding, ModuleLabel, Rule};

use crate::memory::quarantine::{self, Block};
use crate::memory::{Lent, LentMemory};

/// A broken rule about memory.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) finding: Finding,
    pub(crate) memory: LentMemory,
}

pub(super) fn is_pageable(address: usize) -> bool {
    quarantine::find(address).is_some_and(|block| block.pageable)
}

pub(super) fn about(rule: Rule, module: ModuleLabel) -> Finding {
    Finding {
        rule,
        binding: None,
        module: Some(module),
        peer: None,
        status: None,
    }
}

pub(super) fn breach(finding: Finding, lent: Lent, address: usize) -> Breach {
    let block = quarantine::find(address);
    let memory = LentMemory {
        lent,
        address,
        block,
    };
    Breach { finding, memory }
}

pub(super) fn with_block(finding: Finding, lent: Lent, address: usize, block: &Block) -> Breach {
    let memory = LentMemory {
        lent,
        address,
        block: Some(block.clone()),
    };
    Breach { finding, memory }
}
