//! Lines on standard error.

use std::fmt;
use std::io::Write as _;

use driver_host::printable;

/// Prints `cargo-nmr: ` and a text as one line. What comes from files, paths and images in it is made printable.
/// What cannot be written is left out: the exit code says as much, and there is no better place for it.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    write(&format!("cargo-nmr: {}\n", printable(&text.to_string())));
}

/// The same for a text with line breaks of this program's own.
pub(crate) fn lines(text: &str) {
    let lines: Vec<_> = text.lines().map(printable).collect();
    write(&format!("cargo-nmr: {}\n", lines.join("\n")));
}

fn write(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
