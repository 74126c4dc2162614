//! The bytes of a program, read one choice at a time.

use std::collections::VecDeque;

/// A reader of choices. After the last byte every choice is 0, which is the honest one.
#[derive(Debug)]
pub(super) struct Program {
    bytes: VecDeque<u8>,
}

impl Program {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.iter().copied().collect(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A number below `count`.
    pub(super) fn choose(&mut self, count: usize) -> usize {
        let byte = self.bytes.pop_front();
        byte.map_or(0, |byte| usize::from(byte) % count)
    }

    /// Returns `true` if the next of `count` equally frequent choices is the last one.
    pub(super) fn rarely(&mut self, count: usize) -> bool {
        self.choose(count) == count - 1
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.choose(choices.len())]
    }
}
