//! [`Got`]: the value that a report is about.

use std::fmt;

/// What a registrar got instead of what it expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// A null pointer.
    Null,
    /// The value of a field.
    Field(&'static str, u64),
    /// A handle.
    Handle(usize),
    /// What is there and what is missing, in words.
    Words(&'static str),
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Field(name, value) => write!(f, "{name} {value}"),
            Self::Handle(value) => write!(f, "handle {value:#x}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}
