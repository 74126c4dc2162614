//! [`Noted`]: a list that does not need memory to go on.

use alloc::vec::Vec;

/// What was noted, in order. Once memory runs out it keeps one more value, for which it has a place,
/// and counts those that come after.
#[derive(Clone, Debug)]
pub struct Noted<T> {
    list: Vec<T>,
    /// The value for which there was no memory. While it is here, the list does not grow.
    spare: Option<T>,
    lost: u64,
}

impl<T> Default for Noted<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            spare: None,
            lost: 0,
        }
    }
}

impl<T> Noted<T> {
    /// Notes a value.
    pub fn push(&mut self, value: T) {
        if self.spare.is_some() {
            self.lose(1);
        } else if self.list.try_reserve(1).is_ok() {
            self.list.push(value);
        } else {
            self.spare = Some(value);
        }
    }

    /// Counts values that were lost elsewhere.
    pub fn lose(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
    }

    /// How many were lost.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// How many are here.
    pub fn len(&self) -> usize {
        self.list.len() + usize::from(self.spare.is_some())
    }

    /// Returns `true` if nothing is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.spare.is_none()
    }

    /// One of them, the oldest with index 0.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.list
            .get(index)
            .or_else(|| self.spare.as_ref().filter(|_| index == self.list.len()))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.list.iter().chain(&self.spare)
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.list.iter_mut().chain(&mut self.spare)
    }
}

impl<T> IntoIterator for Noted<T> {
    type Item = T;
    type IntoIter = core::iter::Chain<alloc::vec::IntoIter<T>, core::option::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().chain(self.spare)
    }
}
