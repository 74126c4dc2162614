//! The output of a command: standard output, with colour if it is a terminal, or a file, without.

mod file;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice, StripStream};

use file::OutputFile;

/// A place to write to.
pub(crate) enum Output<'a> {
    Standard,
    File(OutputFile<'a>),
}

impl<'a> Output<'a> {
    /// Looks whether the place can be written to, so that a run is not in vain. Nothing that is
    /// there is lost yet. A file that the run reads is refused.
    pub(crate) fn open(path: Option<&'a Path>, read: &[PathBuf]) -> Result<Self, String> {
        match path {
            None => Ok(Self::Standard),
            Some(path) => OutputFile::open(path, read).map(Self::File),
        }
    }

    /// Writes, and takes the colours of a styled text away where they are not wanted. That the
    /// reader of standard output does not want to read on is no failure.
    pub(crate) fn write(
        self,
        styled: bool,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), String> {
        match self {
            Self::Standard => written(write_standard(styled, write)),
            Self::File(file) => file.write(|out| write_through(out, styled, write)),
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
    write_through(io::stdout().lock(), styled && plain, write)
}

/// Writes, with or without a stream that takes the colours away.
fn write_through(
    out: impl Write + 'static,
    strip: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out: Box<dyn Write> = Box::new(BufWriter::new(out));
    if strip {
        out = Box::new(StripStream::new(out));
    }
    write(&mut out)?;
    out.flush()
}
