//! [`Nested`]: what a thread is inside of. The first level takes no memory, and none is kept when it is left.

use std::collections::TryReserveError;

/// A stack of values.
pub(crate) struct Nested<T> {
    innermost: Option<T>,
    /// The others, the innermost last.
    outer: Vec<T>,
}

impl<T> Nested<T> {
    pub(crate) const fn new() -> Self {
        Self {
            innermost: None,
            outer: Vec::new(),
        }
    }

    /// Makes room for one more value.
    #[inline]
    pub(crate) fn reserve(&mut self) -> Result<(), TryReserveError> {
        match self.innermost {
            Some(_) => self.outer.try_reserve(1),
            None => Ok(()),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.innermost.is_some() {
            self.outer.extend(self.innermost.take());
        }
        self.innermost = Some(value);
    }

    /// Takes the innermost value away, and returns what is wanted of it.
    #[inline]
    pub(crate) fn pop<U>(&mut self, take: impl FnOnce(&mut T) -> U) -> Option<U> {
        let taken = self.innermost.as_mut().map(take);
        if self.outer.is_empty() {
            self.innermost = None;
        } else {
            self.innermost = self.outer.pop();
            if self.outer.is_empty() {
                self.outer = Vec::new();
            }
        }
        taken
    }

    pub(crate) fn innermost(&self) -> Option<&T> {
        self.innermost.as_ref()
    }

    pub(crate) fn innermost_mut(&mut self) -> Option<&mut T> {
        self.innermost.as_mut()
    }

    /// All values, the innermost first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.innermost.iter().chain(self.outer.iter().rev())
    }

    /// The innermost value of which this is true.
    #[inline]
    pub(crate) fn find(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        match &mut self.innermost {
            Some(value) if is_it(value) => self.innermost.as_mut(),
            _ => self.outer.iter_mut().rfind(|value| is_it(value)),
        }
    }
}
