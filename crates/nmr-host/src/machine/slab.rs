//! A table of slots that are used again, each time under a new generation.

use std::collections::TryReserveError;
use std::num::NonZeroU32;

/// Names one use of one slot, in the tables of one lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    /// The slot in the high bits, the lane in the low ones.
    pub(super) index: u32,
    /// The first one is 1, so that an optional key is no larger than a key.
    pub(super) generation: NonZeroU32,
}

/// How many lanes there can be.
pub(crate) const LANES: usize = 1 << LANE_BITS;
const LANE_BITS: u32 = 6;

impl Key {
    /// The least key of all.
    pub(crate) const FIRST: Self = Self {
        index: 0,
        generation: NonZeroU32::MIN,
    };
    pub(super) const INDEX_BITS: u32 = 21 + LANE_BITS;
    pub(super) const GENERATION_BITS: u32 = 20;
    const LAST_SLOT: u32 = (1 << (Self::INDEX_BITS - LANE_BITS)) - 1;
    const LAST_GENERATION: u32 = (1 << Self::GENERATION_BITS) - 1;

    /// Whose tables it is about.
    pub(crate) fn lane(self) -> usize {
        self.index as usize % LANES
    }

    fn slot(self) -> usize {
        (self.index >> LANE_BITS) as usize
    }
}

/// What is known about a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lookup {
    /// It names a value that exists.
    Live,
    /// It named a value that is gone.
    Stale,
    /// It was never given out.
    Unknown,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: NonZeroU32,
    value: Option<T>,
}

/// The table. Insertion needs an earlier [`reserve`](Self::reserve), so that it cannot fail.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    lane: u32,
    slots: Vec<Slot<T>>,
    /// INVARIANT: the indices of the empty slots that have a generation left; its capacity is at
    /// least the number of slots, so that removal does not allocate.
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) const fn new(lane: u32) -> Self {
        Self {
            lane,
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Makes room for `count` insertions.
    pub(crate) fn reserve(&mut self, count: usize) -> Result<(), TryReserveError> {
        let fresh = count.saturating_sub(self.free.len());
        self.slots.try_reserve(fresh)?;
        self.free
            .try_reserve(self.slots.len() + fresh - self.free.len())
    }

    /// Stores a value and names it.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        if let Some(number) = self.free.pop() {
            let slot = &mut self.slots[number as usize];
            slot.value = Some(value);
            let generation = slot.generation;
            return self.key(number, generation);
        }
        let number = u32::try_from(self.slots.len()).expect("fewer than 2^21 slots");
        assert!(
            number <= Key::LAST_SLOT,
            "a lane of the registrar holds at most 2^21 objects of a kind"
        );
        self.slots.push(Slot {
            generation: NonZeroU32::MIN,
            value: Some(value),
        });
        self.key(number, NonZeroU32::MIN)
    }

    fn key(&self, number: u32, generation: NonZeroU32) -> Key {
        Key {
            index: number << LANE_BITS | self.lane,
            generation,
        }
    }

    /// Takes a value out. Its key is stale from now on; a slot whose generations are used up is
    /// never used again.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.slot())?;
        if slot.generation != key.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.saturating_add(1);
        if slot.generation.get() <= Key::LAST_GENERATION {
            self.free.push(key.index >> LANE_BITS);
        }
        Some(value)
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.slot())?;
        slot.value
            .as_ref()
            .filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.slot())?;
        slot.value
            .as_mut()
            .filter(|_| slot.generation == key.generation)
    }

    /// Says whether a key is live, was once, or never was.
    pub(crate) fn look_up(&self, key: Key) -> Lookup {
        match self.slots.get(key.slot()) {
            Some(slot) if slot.generation > key.generation => Lookup::Stale,
            Some(slot) if slot.generation == key.generation && slot.value.is_some() => Lookup::Live,
            _ => Lookup::Unknown,
        }
    }

    /// Every value, in the order of the slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let key = self.key(u32::try_from(index).ok()?, slot.generation);
            slot.value.as_ref().map(|value| (key, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_key_is_stale_and_its_slot_is_used_again() {
        let mut slab = Slab::new(5);
        slab.reserve(2).unwrap();
        let first = slab.insert('a');
        assert_eq!((first.lane(), slab.look_up(first)), (5, Lookup::Live));
        assert_eq!(slab.remove(first), Some('a'));
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.look_up(first), Lookup::Stale);
        let second = slab.insert('b');
        assert_eq!(second.index, first.index);
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&'b')));
        let never = |number, generation| slab.key(number, NonZeroU32::new(generation).unwrap());
        assert_eq!(slab.look_up(never(0, 9)), Lookup::Unknown);
        assert_eq!(slab.look_up(never(9, 1)), Lookup::Unknown);
    }

    #[test]
    fn a_slot_without_generations_left_is_retired() {
        let mut slab = Slab::new(0);
        slab.reserve(2).unwrap();
        let first = slab.insert('a');
        let generation = NonZeroU32::new(Key::LAST_GENERATION).unwrap();
        slab.slots[0].generation = generation;
        let last = Key {
            generation,
            ..first
        };
        assert_eq!(slab.remove(last), Some('a'));
        assert_eq!(slab.insert('b').slot(), 1);
    }
}
