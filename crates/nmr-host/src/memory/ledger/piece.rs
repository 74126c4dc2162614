//! Memory that must be there and must not change.

use nmr_machine::Rule;
use nmr_sys::{NPI_MODULEID, NPIID};

use crate::memory::Extent;
use crate::memory::Lent;
use crate::memory::examine::{place, word};
use crate::memory::probe::{self, Seen};

/// Something that must be there and must not change.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) lent: Lent,
    pub(super) address: usize,
    /// What was there. Nothing if its length is not known: then it must only be there.
    pub(super) bytes: Vec<u8>,
    /// Whether it was reported as gone.
    pub(super) lost: bool,
}

impl Piece {
    /// What is at an address now. `None` if there is nothing to compare with.
    pub(super) fn new(lent: Lent, address: usize, size: usize) -> Option<Self> {
        if address == 0 {
            return None;
        }
        match read(address, size) {
            Seen::Bytes(bytes) => Some(Self {
                lent,
                address,
                bytes,
                lost: false,
            }),
            Seen::Nothing | Seen::Unknown => None,
        }
    }

    /// Looks again. A change is found once, and so is a loss.
    pub(super) fn look(&mut self, changed: Rule, gone: Rule) -> Option<Rule> {
        if self.lost {
            return None;
        }
        match read(self.address, self.bytes.len()) {
            Seen::Bytes(bytes) if bytes != self.bytes => {
                self.bytes = bytes;
                Some(changed)
            }
            Seen::Nothing => {
                self.lost = true;
                Some(gone)
            }
            Seen::Bytes(_) | Seen::Unknown => None,
        }
    }
}

/// Reads so many bytes, or looks whether one is there if there are none to compare.
fn read(address: usize, size: usize) -> Seen {
    match probe::read(address, size.max(1)) {
        Seen::Bytes(mut bytes) => {
            bytes.truncate(size);
            Seen::Bytes(bytes)
        }
        other => other,
    }
}

/// Reads what characteristics lend. `size` is that of the interface's own, if it is known.
pub(super) fn pieces(characteristics: usize, size: Option<Extent>) -> Vec<Piece> {
    // Not more, even if `Length` says so: a wrong one is tolerated.
    let Some(whole) = Piece::new(Lent::Characteristics, characteristics, place::SIZE) else {
        return Vec::new();
    };
    let at = |offset| word(&whole.bytes, offset);
    let npi = Piece::new(Lent::NpiId, at(place::NPI_ID), size_of::<NPIID>());
    let id = Piece::new(
        Lent::ModuleId,
        at(place::MODULE_ID),
        size_of::<NPI_MODULEID>(),
    );
    let specific = at(place::SPECIFIC);
    let size = size.and_then(|size| size.at(specific)).unwrap_or(0);
    let specific = Piece::new(Lent::NpiSpecificCharacteristics, specific, size);
    [Some(whole), npi, id, specific]
        .into_iter()
        .flatten()
        .collect()
}
