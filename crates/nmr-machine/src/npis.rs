//! The interfaces that have live registrations, and who they are.

use hashbrown::HashTable;
use nmr_sys::GUID;

use crate::memory::OutOfMemory;
use crate::registration::Sides;
use crate::slab::{Key, LANES, Slab, to_usize};

/// The live registrations of each interface. Those of one stay where they are as long as there are
/// any, so a registration finds them without looking the interface up again.
#[derive(Clone, Debug)]
pub(crate) struct Npis {
    /// By the number of the interface.
    keys: HashTable<Key>,
    sides: Slab<Sides>,
}

/// A table for so many interfaces is kept when it is empty.
const FEW: usize = 16;

impl Npis {
    pub(crate) fn new(lane: usize) -> Self {
        Self {
            keys: HashTable::new(),
            sides: Slab::new(lane),
        }
    }

    /// Makes room for one more interface.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        let sides = &self.sides;
        let number_of = |&key: &Key| number(&sides.live(key).npi);
        self.keys.try_reserve(1, number_of)?;
        self.sides.reserve(1)
    }

    #[inline]
    pub(crate) fn find(&self, npi: &GUID) -> Option<Key> {
        let is_this = |&key: &Key| self.sides.live(key).npi == *npi;
        self.keys.find(number(npi), is_this).copied()
    }

    /// The key of an interface that has none yet.
    pub(crate) fn insert(&mut self, npi: &GUID) -> Key {
        let key = self.sides.next_key();
        self.sides.insert(key, Sides::new(*npi));
        let sides = &self.sides;
        let number_of = |&key: &Key| number(&sides.live(key).npi);
        self.keys.insert_unique(number(npi), key, number_of);
        key
    }

    pub(crate) fn sides(&self, npi: Key) -> &Sides {
        self.sides.live(npi)
    }

    pub(crate) fn sides_mut(&mut self, npi: Key) -> &mut Sides {
        self.sides.live_mut(npi)
    }

    /// Forgets an interface that has no live registrations any more.
    pub(crate) fn remove(&mut self, key: Key, npi: &GUID) {
        self.sides.remove(key);
        if let Ok(entry) = self.keys.find_entry(number(npi), |&other| other == key) {
            entry.remove();
        }
        if self.keys.is_empty() && self.keys.capacity() > FEW {
            self.keys = HashTable::new();
        }
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Sides> {
        self.sides.iter().map(|(_, sides)| sides)
    }
}

/// The lane of an interface.
#[must_use]
pub fn lane_of(npi: &GUID) -> usize {
    // The highest and the lowest bits are for the map of the lane.
    to_usize(number(npi) >> 32) % LANES
}

/// A number for an interface, the same in every run. Identifiers differ in all bits, as a rule, but
/// also where they differ in one, the numbers differ in about half of theirs.
fn number(npi: &GUID) -> u64 {
    let [high, low] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];
    let first = u64::from(npi.Data1) << 32 | u64::from(npi.Data2) << 16 | u64::from(npi.Data3);
    let second = u64::from_le_bytes(npi.Data4);
    let product = u128::from(first ^ high) * u128::from(second ^ low);
    halves(product)
}

/// The two halves of a number, folded into one.
#[expect(clippy::cast_possible_truncation, reason = "each is one half")]
fn halves(number: u128) -> u64 {
    (number >> 64) as u64 ^ number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a Windows header often counts interfaces up in one digit.
    #[test]
    fn identifiers_that_differ_in_one_bit_have_numbers_that_do_not_resemble_each_other() {
        for shift in 0..128 {
            let base = 0x1b24_21fe_cbea_4ec1_93b7_5b0a_6a9f_f12c_u128;
            let numbers = [base, base ^ 1 << shift].map(|id| number(&GUID::from_u128(id)));
            let differing = (numbers[0] ^ numbers[1]).count_ones();
            assert!((12..=52).contains(&differing), "bit {shift}: {differing}");
        }
    }
}
