//! The error of the readers and writers of this crate.

use std::borrow::Cow;
use std::fmt;

/// A file or a value that cannot be read, stamped or signed. The text is one line without a full stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(Cow<'static, str>);

/// The result of what may fail with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a text.
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// An error that names the part that is malformed, and the reason a library gives.
    pub(crate) fn malformed(part: &str, reason: impl fmt::Display) -> Self {
        Self(format!("{part} is malformed: {reason}").into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Turns the error of a library into "PART is malformed: REASON".
pub(crate) fn malformed<E: fmt::Display>(part: &'static str) -> impl FnOnce(E) -> Error {
    move |reason| Error::malformed(part, reason)
}
