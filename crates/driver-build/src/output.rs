//! The output of `cargo xtask`.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a line for standard output is lost.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line on standard output. One that cannot be written does not end what is being done:
/// [`check`] says so when it is done. That the reader does not want to read on is no failure.
pub fn line(text: fmt::Arguments<'_>) {
    let written = writeln!(io::stdout().lock(), "{text}");
    if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        FAILED.store(true, Ordering::Relaxed);
    }
}

/// Prints a text on standard error, if it can be written.
pub fn error(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// Fails if a line for standard output is lost.
pub fn check() -> anyhow::Result<()> {
    anyhow::ensure!(
        !FAILED.load(Ordering::Relaxed),
        "standard output cannot be written"
    );
    Ok(())
}
