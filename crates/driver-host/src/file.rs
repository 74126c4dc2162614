//! Files that should be images: read whole, if they are files, and not larger than an image can be.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::pe;

/// The size of the largest file that is read, in bytes.
pub const LARGEST: u64 = pe::MAX_SIZE as u64;

/// The environment variable in which `cargo nmr test` passes the path of the image to the tests.
pub const IMAGE_VARIABLE: &str = "NMR_IMAGE";

/// The driver of the package whose tests run, as `cargo nmr test` has built it.
///
/// # Panics
///
/// Without `cargo nmr test`, which names it in [`IMAGE_VARIABLE`], or if it cannot be read.
#[must_use]
pub fn built_image() -> Vec<u8> {
    let Some(path) = std::env::var_os(IMAGE_VARIABLE) else {
        panic!("which image? `cargo nmr test` builds it and says where it is");
    };
    let path = Path::new(&path);
    read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Why a file is not read.
#[derive(Debug)]
pub enum Unreadable {
    /// The system says no.
    System(io::Error),
    /// It is a folder.
    Folder,
    /// It is a device, a pipe or a socket, which may have no end, or none yet.
    NotRegular,
    /// It has more bytes than [`LARGEST`].
    TooLarge,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Folder => f.write_str("it is a directory"),
            Self::NotRegular => f.write_str("it is no regular file"),
            Self::TooLarge => {
                write!(
                    f,
                    "it is too large for a driver image, which has {LARGEST} bytes at most"
                )
            }
        }
    }
}

impl std::error::Error for Unreadable {}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Reads a file that should be an image. What is no regular file, or is too large, is not read; a pipe
/// is not even opened.
pub fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    check(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    // It may be another file by now, or grow.
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Unreadable::TooLarge);
    }
    Ok(bytes)
}

fn check(about: &fs::Metadata) -> Result<(), Unreadable> {
    if about.is_dir() {
        Err(Unreadable::Folder)
    } else if !about.is_file() {
        Err(Unreadable::NotRegular)
    } else if about.len() > LARGEST {
        Err(Unreadable::TooLarge)
    } else {
        Ok(())
    }
}
