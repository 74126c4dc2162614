//! A table of slots that are used again, each time under a new generation.

use alloc::vec::Vec;
use core::num::NonZeroU64;

use crate::memory::OutOfMemory;

/// Names one use of one slot, in the tables of one lane: generation 20 bits, lane 6, slot 21.
///
/// INVARIANT: the generation is not zero. So an optional key is no larger than a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key(NonZeroU64);

/// How many lanes there can be.
pub const LANES: usize = 1 << LANE_BITS;
const LANE_BITS: u32 = 6;
const LAST_LANE: u64 = (1 << LANE_BITS) - 1;
const SLOT_BITS: u32 = 21;
const GENERATION_BITS: u32 = 20;
const GENERATION_SHIFT: u32 = SLOT_BITS + LANE_BITS;

impl Key {
    /// The least key of all.
    pub const FIRST: Self = Self(NonZeroU64::new(1 << GENERATION_SHIFT).expect("not zero"));
    pub(crate) const BITS: u32 = GENERATION_SHIFT + GENERATION_BITS;
    const LAST_SLOT: u64 = (1 << SLOT_BITS) - 1;
    const LAST_GENERATION: u64 = (1 << GENERATION_BITS) - 1;

    /// The key of a use of a slot. The generation is not zero.
    fn new(generation: u64, slot: usize, lane: usize) -> Self {
        let place = (lane as u64) << SLOT_BITS | slot as u64;
        let bits = NonZeroU64::new(generation << GENERATION_SHIFT | place);
        Self(bits.unwrap_or(Self::FIRST.0))
    }

    /// The key that these bits are. `None` if no slab can have made it.
    pub(crate) fn of_bits(bits: u64) -> Option<Self> {
        let possible = bits >> GENERATION_SHIFT != 0 && bits >> Self::BITS == 0;
        NonZeroU64::new(bits).filter(|_| possible).map(Self)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0.get()
    }

    /// Whose tables it is about.
    #[must_use]
    pub fn lane(self) -> usize {
        to_usize(self.bits() >> SLOT_BITS & LAST_LANE)
    }

    fn slot(self) -> usize {
        to_usize(self.bits() & Self::LAST_SLOT)
    }

    fn generation(self) -> u64 {
        self.bits() >> GENERATION_SHIFT
    }
}

/// A number as the hosts of the registrar, which have 64 bits, count.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the assertion rules it out"
)]
pub(crate) const fn to_usize(number: u64) -> usize {
    const { assert!(size_of::<usize>() == size_of::<u64>()) };
    number as usize
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

#[derive(Clone, Copy, Debug)]
struct Slot<T> {
    /// The bits of the value's key, or of the next one's with [`EMPTY`].
    state: u64,
    /// What is or was there.
    value: T,
}

/// The mark of a slot without a value. No key has it.
const EMPTY: u64 = 1 << 63;

impl<T> Slot<T> {
    fn holds(&self, key: Key) -> bool {
        self.state == key.bits()
    }

    fn generation(&self) -> u64 {
        (self.state & !EMPTY) >> GENERATION_SHIFT
    }
}

/// The most slots of a table, and so the most values of a kind that a lane holds at once.
pub(crate) const MOST: usize = 1 << SLOT_BITS;

/// So few slots are kept when they are empty.
const FEW: usize = 8;

/// The table. Insertion needs an earlier [`reserve`](Self::reserve), so that it cannot fail.
///
/// It grows by an eighth, and gives back what is empty at its end when little of it is in use.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    lane: usize,
    slots: Vec<Slot<T>>,
    /// The indices of the empty slots that have a generation left; its capacity is at least the number
    /// of slots, so that removal does not allocate.
    free: Vec<u32>,
    /// How many values there are.
    live: usize,
    /// With no more values than this, it looks whether there is memory to give back.
    ebb: usize,
    /// The first generation of the slots beyond the end.
    fresh: u64,
    /// How many slots there were at most.
    most: usize,
}

impl<T: Copy> Slab<T> {
    pub(crate) const fn new(lane: usize) -> Self {
        Self {
            lane,
            slots: Vec::new(),
            free: Vec::new(),
            live: 0,
            ebb: 0,
            fresh: 1,
            most: 0,
        }
    }

    /// Makes room for `count` insertions. Fails if the memory runs out, or beyond [`MOST`] slots.
    #[inline]
    pub(crate) fn reserve(&mut self, count: usize) -> Result<(), OutOfMemory> {
        match count.saturating_sub(self.free.len()) {
            0 => Ok(()),
            fresh => self.grow(fresh),
        }
    }

    fn grow(&mut self, fresh: usize) -> Result<(), OutOfMemory> {
        if fresh > MOST - self.slots.len() {
            return Err(OutOfMemory);
        }
        if self.slots.capacity() - self.slots.len() < fresh {
            let more = fresh.max(self.slots.len() / 8).max(2);
            self.slots.try_reserve_exact(more)?;
        }
        let slots = self.slots.capacity();
        if self.free.capacity() < slots {
            self.free.try_reserve_exact(slots - self.free.len())?;
        }
        Ok(())
    }

    /// The key of the value that is inserted next.
    #[inline]
    pub(crate) fn next_key(&self) -> Key {
        let free = self
            .free
            .last()
            .and_then(|&number| self.slots.get(number as usize));
        let used = free.and_then(|slot| Key::of_bits(slot.state & !EMPTY));
        used.unwrap_or_else(|| Key::new(self.fresh, self.slots.len(), self.lane))
    }

    /// Stores a value under the [next key](Self::next_key).
    #[inline]
    pub(crate) fn insert(&mut self, key: Key, value: T) {
        self.live += 1;
        self.ebb = self.ebb.max(self.live / 4);
        let state = key.bits();
        if let Some(slot) = self.slots.get_mut(key.slot()) {
            self.free.pop();
            *slot = Slot { state, value };
        } else {
            self.slots.push(Slot { state, value });
            self.most = self.most.max(self.slots.len());
        }
    }

    /// Takes a value out. Its key is stale from now on; a slot whose generations are used up is
    /// never used again. Returns whether there was one.
    #[expect(clippy::cast_possible_truncation, reason = "a slot has 21 bits")]
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> bool {
        let Some(slot) = self
            .slots
            .get_mut(key.slot())
            .filter(|slot| slot.holds(key))
        else {
            return false;
        };
        slot.state = EMPTY | (key.bits() + (1 << GENERATION_SHIFT));
        if key.generation() < Key::LAST_GENERATION {
            self.free.push(key.slot() as u32);
        }
        self.live -= 1;
        if self.live <= self.ebb && self.slots.len() > FEW {
            self.give_back();
        }
        true
    }

    /// Gives the slots at the end back, if they are empty and most of all. Their generations go on
    /// where the highest of them is.
    #[cold]
    fn give_back(&mut self) {
        self.ebb = self.live / 2;
        let last = self.slots.iter().rposition(|slot| slot.state & EMPTY == 0);
        let used = last.map_or(0, |last| last + 1);
        let Some(end) = self.slots.get(used..).filter(|end| end.len() >= used) else {
            return;
        };
        let fresh = end.iter().map(Slot::generation).fold(self.fresh, u64::max);
        if fresh > Key::LAST_GENERATION {
            return;
        }
        self.fresh = fresh;
        self.slots.truncate(used);
        self.free.retain(|&slot| (slot as usize) < used);
        shrink(&mut self.slots, used);
        shrink(&mut self.free, self.slots.capacity());
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.slot())?;
        slot.holds(key).then_some(&slot.value)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.slot())?;
        slot.holds(key).then_some(&mut slot.value)
    }

    /// The value of a key that the machine has from a live value, or holds for a call in progress.
    #[expect(
        clippy::expect_used,
        reason = "explore walks through every order of events, and such keys are live in each"
    )]
    pub(crate) fn live(&self, key: Key) -> &T {
        self.get(key).expect("the key of a live value")
    }

    /// The same, to be changed.
    #[expect(clippy::expect_used, reason = "as for `live`")]
    pub(crate) fn live_mut(&mut self, key: Key) -> &mut T {
        self.get_mut(key).expect("the key of a live value")
    }

    /// Says whether a key is live, was once, or never was.
    pub(crate) fn look_up(&self, key: Key) -> Lookup {
        match self.slots.get(key.slot()) {
            Some(slot) if slot.holds(key) => Lookup::Live,
            Some(slot) if slot.generation() > key.generation() => Lookup::Stale,
            None if key.slot() < self.most && key.generation() < self.fresh => Lookup::Stale,
            _ => Lookup::Unknown,
        }
    }

    /// Every value, in the order of the slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().filter_map(|slot| {
            let key = Key::of_bits(slot.state)?;
            Some((key, &slot.value))
        })
    }
}

/// Moves a list to less memory, if there is memory to do so.
fn shrink<T: Copy>(list: &mut Vec<T>, capacity: usize) {
    let mut smaller = Vec::new();
    if smaller.try_reserve_exact(capacity).is_ok() {
        smaller.extend_from_slice(list);
        *list = smaller;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(generation: u64, slot: usize, lane: usize) -> Key {
        Key::new(generation, slot, lane)
    }

    fn add<T: Copy>(slab: &mut Slab<T>, value: T) -> Key {
        let key = slab.next_key();
        slab.insert(key, value);
        key
    }

    #[test]
    fn what_is_empty_at_the_end_is_given_back() {
        let mut slab = Slab::new(0);
        slab.reserve(1).unwrap();
        let first = add(&mut slab, 0_u64);
        let mut keys = Vec::new();
        for value in 0..1_000 {
            slab.reserve(1).unwrap();
            keys.push(add(&mut slab, value));
        }
        assert!(slab.slots.capacity() < 1_200);
        for &key in &keys {
            assert!(slab.remove(key));
        }
        assert!(slab.slots.capacity() <= FEW && slab.free.capacity() <= FEW);
        assert_eq!(slab.get(first), Some(&0));
        for &key in &keys {
            assert_eq!(slab.look_up(key), Lookup::Stale);
        }
        slab.reserve(5).unwrap();
        let again: Vec<_> = (0..5).map(|value| add(&mut slab, value)).collect();
        assert!(keys.iter().all(|&key| slab.look_up(key) == Lookup::Stale));
        assert!(again.iter().all(|key| !keys.contains(key)));
        assert_eq!(slab.look_up(key(9, 2_000, 0)), Lookup::Unknown);
    }

    #[test]
    fn a_full_table_refuses_until_a_value_is_removed() {
        let mut slab = Slab::new(63);
        slab.reserve(MOST).unwrap();
        let keys: Vec<Key> = (0..MOST).map(|_| add(&mut slab, ())).collect();
        assert!(slab.reserve(1).is_err());
        assert_eq!((keys[0].lane(), keys[MOST - 1].lane()), (63, 63));
        slab.remove(keys[7]);
        assert!(slab.reserve(2).is_err());
        slab.reserve(1).unwrap();
        assert_eq!(add(&mut slab, ()).slot(), 7);
    }

    #[test]
    fn a_removed_key_is_stale_and_its_slot_is_used_again() {
        let mut slab = Slab::new(5);
        slab.reserve(2).unwrap();
        let first = add(&mut slab, 'a');
        assert_eq!((first.lane(), slab.look_up(first)), (5, Lookup::Live));
        assert!(slab.remove(first));
        assert!(!slab.remove(first));
        assert_eq!(slab.look_up(first), Lookup::Stale);
        let second = add(&mut slab, 'b');
        assert_eq!(second.slot(), first.slot());
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&'b')));
        let never = |generation, slot| slab.look_up(key(generation, slot, 5));
        assert_eq!([never(9, 0), never(1, 9)], [Lookup::Unknown; 2]);
    }

    #[test]
    fn a_slot_without_generations_left_is_retired() {
        let mut slab = Slab::new(0);
        slab.reserve(2).unwrap();
        let first = add(&mut slab, 'a');
        let last = key(Key::LAST_GENERATION, first.slot(), 0);
        slab.slots[0].state = last.bits();
        assert!(slab.remove(last));
        assert_eq!(slab.look_up(last), Lookup::Stale);
        assert_eq!(add(&mut slab, 'b').slot(), 1);
    }
}
