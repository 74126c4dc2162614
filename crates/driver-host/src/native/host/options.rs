//! Options of a load, and its errors.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::file::{self, Unreadable};
use crate::native::kernel::nt::NtStatus;
use crate::native::kernel::report::{Report, Stopped};
use crate::pe::Malformed;

/// Where the bytes of an image come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// Memory.
    Bytes(Vec<u8>),
}

impl Source {
    /// Reads the bytes.
    pub(crate) fn read(self) -> Result<Vec<u8>, LoadError> {
        match self {
            Self::Path(path) => file::read(&path).map_err(|error| LoadError::Read(path, error)),
            Self::Bytes(bytes) => Ok(bytes),
        }
    }

    /// The default name of the image.
    pub(crate) fn name(&self) -> String {
        let name = match self {
            Self::Path(path) => path.file_name(),
            Self::Bytes(_) => None,
        };
        name.map_or_else(
            || "image".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&PathBuf> for Source {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        Self::Path(path.into())
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// How to load an image.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// What reports call it. The default is the name of its file.
    pub name: Option<String>,
}

impl LoadOptions {
    /// Loads it under a name, which should end in `.sys`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
        }
    }
}

/// Why an image was not loaded. Nothing of it is left, except after [`LoadError::Stopped`].
#[derive(Debug)]
pub enum LoadError {
    /// The file cannot be read.
    Read(PathBuf, Unreadable),
    /// The image is refused.
    Malformed(Malformed),
    /// The system has no memory for it.
    Map(io::Error),
    /// Its entry point failed.
    Entry {
        /// What it returned.
        status: NtStatus,
        /// What it left behind, and should not have.
        reports: Vec<Report>,
    },
    /// The host was stopped, before or during the entry point.
    Stopped(Stopped),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(_, error) => write!(f, "it cannot be read: {error}"),
            Self::Malformed(error) => write!(f, "refused: {error}"),
            Self::Map(error) => write!(f, "it cannot be mapped: {error}"),
            Self::Entry { status, reports } => {
                write!(f, "DriverEntry returned {status:#010x}")?;
                reports
                    .iter()
                    .try_for_each(|report| write!(f, "; {report}"))
            }
            Self::Stopped(stopped) => stopped.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}
