//! Lists threaded through the values of a slab: append and remove in constant time, in order, and
//! without memory of their own.

use crate::slab::{Key, Slab};

/// A value's neighbours in one list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Links {
    before: Option<Key>,
    pub after: Option<Key>,
}

/// A value that is in a list, or in one list for each `End` of it.
pub(crate) trait Linked: Copy {
    /// Which of the value's lists is meant.
    type End: Copy;
    fn links(&self, end: Self::End) -> &Links;
    fn links_mut(&mut self, end: Self::End) -> &mut Links;
}

/// The first and the last value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct List {
    first: Option<Key>,
    last: Option<Key>,
}

impl List {
    pub(crate) fn first(&self) -> Option<Key> {
        self.first
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Appends a value that is going to be inserted, and returns the links that it has then.
    #[inline]
    pub(crate) fn append<T: Linked>(&mut self, slab: &mut Slab<T>, key: Key, end: T::End) -> Links {
        let before = self.last.replace(key);
        match before {
            Some(before) => links(slab, before, end).after = Some(key),
            None => self.first = Some(key),
        }
        Links {
            before,
            after: None,
        }
    }

    /// Takes out the value that had these links.
    #[inline]
    pub(crate) fn remove<T: Linked>(&mut self, slab: &mut Slab<T>, links_of: Links, end: T::End) {
        let Links { before, after } = links_of;
        match before {
            Some(before) => links(slab, before, end).after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => links(slab, after, end).before = before,
            None => self.last = before,
        }
    }

    /// The value after `key`.
    pub(crate) fn after<T: Linked>(slab: &Slab<T>, key: Key, end: T::End) -> Option<Key> {
        slab.get(key)?.links(end).after
    }

    /// The values from first to last.
    pub(crate) fn iter<T: Linked>(self, slab: &Slab<T>, end: T::End) -> impl Iterator<Item = Key> {
        core::iter::successors(self.first, move |&key| Self::after(slab, key, end))
    }
}

fn links<T: Linked>(slab: &mut Slab<T>, key: Key, end: T::End) -> &mut Links {
    slab.live_mut(key).links_mut(end)
}
