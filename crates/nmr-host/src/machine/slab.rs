//! A table of slots that are used again, each time under a new generation.

use std::collections::TryReserveError;

/// Names one use of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Key {
    /// The least key of all.
    pub(crate) const FIRST: Self = Self {
        index: 0,
        generation: 0,
    };
    /// How many bits each of the two fields has.
    pub(super) const BITS: u32 = 22;
    const LAST: u32 = (1 << Self::BITS) - 1;
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
    generation: u32,
    value: Option<T>,
}

/// The table. Insertion needs an earlier [`reserve`](Self::reserve), so that it cannot fail.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// INVARIANT: the indices of the empty slots that have a generation left; its capacity is at
    /// least the number of slots, so that removal does not allocate.
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
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
        if let Some(index) = self.free.pop() {
            let slot = &mut self.slots[index as usize];
            slot.value = Some(value);
            return Key {
                index,
                generation: slot.generation,
            };
        }
        let index = u32::try_from(self.slots.len()).expect("fewer than 2^22 slots");
        assert!(
            index <= Key::LAST,
            "the registrar holds at most 2^22 objects of a kind"
        );
        self.slots.push(Slot {
            generation: 0,
            value: Some(value),
        });
        Key {
            index,
            generation: 0,
        }
    }

    /// Takes a value out. Its key is stale from now on; a slot whose generations are used up is
    /// never used again.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation += 1;
        if slot.generation <= Key::LAST {
            self.free.push(key.index);
        }
        Some(value)
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        slot.value
            .as_ref()
            .filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        slot.value
            .as_mut()
            .filter(|_| slot.generation == key.generation)
    }

    /// Says whether a key is live, was once, or never was.
    pub(crate) fn look_up(&self, key: Key) -> Lookup {
        match self.slots.get(key.index as usize) {
            Some(slot) if slot.generation > key.generation => Lookup::Stale,
            Some(slot) if slot.generation == key.generation && slot.value.is_some() => Lookup::Live,
            _ => Lookup::Unknown,
        }
    }

    /// Every value, in the order of the slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let index = u32::try_from(index).ok()?;
            let key = Key {
                index,
                generation: slot.generation,
            };
            slot.value.as_ref().map(|value| (key, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_key_is_stale_and_its_slot_is_used_again() {
        let mut slab = Slab::new();
        slab.reserve(2).unwrap();
        let first = slab.insert('a');
        assert_eq!(slab.look_up(first), Lookup::Live);
        assert_eq!(slab.remove(first), Some('a'));
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.look_up(first), Lookup::Stale);
        let second = slab.insert('b');
        assert_eq!(second.index, first.index);
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&'b')));
        assert_eq!(
            slab.look_up(Key {
                index: 0,
                generation: 9
            }),
            Lookup::Unknown
        );
        assert_eq!(
            slab.look_up(Key {
                index: 9,
                generation: 0
            }),
            Lookup::Unknown
        );
    }

    #[test]
    fn a_slot_without_generations_left_is_retired() {
        let mut slab = Slab::new();
        slab.reserve(2).unwrap();
        let first = slab.insert('a');
        slab.slots[0].generation = Key::LAST;
        assert_eq!(
            slab.remove(Key {
                generation: Key::LAST,
                ..first
            }),
            Some('a')
        );
        assert_eq!(slab.insert('b').index, 1);
    }
}
