//! Reads memory that may not be there.

pub(crate) use super::system::{copy, read};

/// What a look at memory found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// The bytes.
    Bytes(Vec<u8>),
    /// It cannot be read, or not all of it.
    Nothing,
    /// This system does not let the registrar look: then nothing is claimed.
    Unknown,
}
