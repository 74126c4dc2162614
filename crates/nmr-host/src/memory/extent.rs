//! [`Extent`]: how long a structure of a module is.

use super::probe::{self, Seen};

/// The most bytes that are compared or copied.
pub(crate) const LARGEST: usize = 1 << 16;

/// How long a structure is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// So many bytes.
    Bytes(usize),
    /// As many as the structure says itself, in an unsigned number.
    Field {
        /// The offset of the number in bytes.
        offset: usize,
        /// The size of the number in bytes: 1, 2, 4 or 8.
        width: usize,
    },
}

impl Extent {
    /// The length of the structure at an address. `None` if it cannot be read, or cannot be right.
    pub(crate) fn at(self, address: usize) -> Option<usize> {
        let size = match self {
            Self::Bytes(size) => size,
            Self::Field { offset, width } => {
                let Seen::Bytes(bytes) = probe::read(address.checked_add(offset)?, width) else {
                    return None;
                };
                let mut number = [0; 8];
                number.get_mut(..width)?.copy_from_slice(&bytes);
                usize::try_from(u64::from_le_bytes(number)).ok()?
            }
        };
        (size <= LARGEST).then_some(size)
    }

    /// The least length that such a structure has.
    pub(crate) fn least(self) -> usize {
        match self {
            Self::Bytes(size) => size,
            Self::Field { offset, width } => offset.saturating_add(width),
        }
    }

    pub(crate) fn is_possible(self) -> bool {
        match self {
            Self::Bytes(_) => true,
            Self::Field { offset, width } => offset <= LARGEST && matches!(width, 1 | 2 | 4 | 8),
        }
    }
}

#[cfg(all(test, target_os = "linux", not(any(miri, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_structure_says_how_long_it_is() {
        let bytes: [u8; 4] = [9, 24, 1, 0];
        let at = |offset, width| Extent::Field { offset, width }.at((&raw const bytes).addr());
        assert_eq!(at(1, 1), Some(24));
        assert_eq!(at(1, 2), Some(280));
        assert_eq!(at(0, 4), None, "more than the most");
        let nowhere = Extent::Field {
            offset: 0,
            width: 4,
        };
        assert_eq!(nowhere.at(16), None);
    }
}
