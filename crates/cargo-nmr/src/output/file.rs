//! A file for the result. It is written under a temporary name beside its place and renamed at the
//! end, so that the place has the old file or the whole new one. What is no regular file, such as a
//! device or a pipe, is written to directly; so is a file in a folder in which nothing can be made.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that can be written.
pub(crate) struct OutputFile<'a> {
    /// As it was asked for.
    path: &'a Path,
    place: Place,
}

enum Place {
    /// Under a temporary name, to become the file with this path.
    Renamed(NamedTempFile, PathBuf),
    Direct(File),
}

impl<'a> OutputFile<'a> {
    /// Opens a file, and changes nothing that is there. Refuses it if it is one of those that are read,
    /// under whatever name.
    pub(super) fn open(path: &'a Path, read: &[PathBuf]) -> Result<Self, String> {
        let identity = identity(path);
        if identity.is_some()
            && let Some(input) = read.iter().find(|input| self::identity(input) == identity)
        {
            return Err(format!(
                "--output {} would overwrite the image {}",
                path.display(),
                input.display()
            ));
        }
        let place = place(path).map_err(|error| complaint(path, &error))?;
        Ok(Self { path, place })
    }

    /// Writes the whole file.
    pub(super) fn write(self, write: impl FnOnce(File) -> io::Result<()>) -> Result<(), String> {
        let path = self.path;
        self.place
            .write(write)
            .map_err(|error| complaint(path, &error))
    }
}

impl Place {
    fn write(self, write: impl FnOnce(File) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Renamed(file, target) => {
                write(file.as_file().try_clone()?)?;
                file.persist(target)?;
                Ok(())
            }
            Self::Direct(file) => {
                if file.metadata()?.is_file() {
                    file.set_len(0)?;
                }
                write(file)
            }
        }
    }
}

fn place(path: &Path) -> io::Result<Place> {
    let Ok(about) = fs::metadata(path) else {
        return Ok(Place::Renamed(temporary(path)?, path.to_owned()));
    };
    // This also finds out whether it may be written to.
    let file = OpenOptions::new().write(true).open(path)?;
    if !about.is_file() {
        return Ok(Place::Direct(file));
    }
    // A link stays a link.
    let target = fs::canonicalize(path)?;
    Ok(match temporary(&target) {
        Ok(temporary) => {
            temporary.as_file().set_permissions(about.permissions())?;
            Place::Renamed(temporary, target)
        }
        Err(_) => Place::Direct(file),
    })
}

/// A file beside a place.
fn temporary(place: &Path) -> io::Result<NamedTempFile> {
    let folder = match place.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".cargo-nmr-");
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        // The system takes away what the user does not want.
        builder.permissions(fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}

/// The identity of a file, whatever its name. `None` if there is no file.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

/// The identity of a file, as far as its path determines it. `None` if there is no file.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

fn complaint(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
