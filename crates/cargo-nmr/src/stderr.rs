//! Lines on standard error.

use std::fmt;
use std::io::Write as _;

use driver_host::printable;

/// Prints `cargo-nmr: ` and a text as one line. What comes from files, paths and images in it is made printable.
/// What cannot be written is left out: the exit code says as much, and there is no better place for it.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let line = format!("cargo-nmr: {}\n", printable(&text.to_string()));
    let _ = anstream::stderr().lock().write_all(line.as_bytes());
}
