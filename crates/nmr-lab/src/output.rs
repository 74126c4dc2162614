//! Where the result goes: standard output, with colour if it is a terminal, or a file, without.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice, StripStream};

/// A place to write to.
pub(crate) enum Output<'a> {
    Standard,
    File(&'a Path),
}

impl<'a> Output<'a> {
    /// Looks whether the place can be written to, so that a run is not in vain. Nothing that is
    /// there is lost yet.
    pub(crate) fn open(path: Option<&'a Path>) -> Result<Self, String> {
        let Some(path) = path else {
            return Ok(Self::Standard);
        };
        let attempt = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path);
        attempt.map_err(|error| complaint(path, &error))?;
        Ok(Self::File(path))
    }

    /// Writes, and takes the colours of a styled text away where they are not wanted. That the
    /// reader of standard output does not want to read on is no failure.
    pub(crate) fn write(
        &mut self,
        styled: bool,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), String> {
        match self {
            Self::Standard => written(write_standard(styled, write)),
            Self::File(path) => {
                write_file(path, styled, write).map_err(|error| complaint(path, &error))
            }
        }
    }
}

/// What became of a write to standard output.
pub(crate) fn written(result: io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

fn write_standard(
    styled: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let plain = AutoStream::choice(&io::stdout()) == ColorChoice::Never;
    write_through(buffered(io::stdout().lock()), styled && plain, write)
}

fn write_file(
    path: &Path,
    styled: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write_through(buffered(File::create(path)?), styled, write)
}

/// Writes, with or without a stream that takes the colours away.
fn write_through(
    mut out: Box<dyn Write>,
    strip: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if strip {
        out = Box::new(StripStream::new(out));
    }
    write(&mut out)?;
    out.flush()
}

fn buffered(out: impl Write + 'static) -> Box<dyn Write> {
    Box::new(BufWriter::new(out))
}

fn complaint(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
