//! Writing files whole or not at all, and without touching what is right already: Cargo compiles again
//! what depends on a file whose time has changed.
//!
//! A file is written under a temporary name beside its place and renamed, so that a run that is killed,
//! or finds the disk full, leaves the old file or the new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Writes a file, with its directories. Returns `true` if it was different.
pub fn write(path: &Path, content: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    replace(path, |partial| fs::write(partial, content))?;
    Ok(true)
}

/// The text of a file.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Copies a file to a place whose directories need not exist. Returns its size in bytes.
pub fn copy(from: &Path, to: &Path) -> Result<u64> {
    // Its error has to name the file that is at fault.
    let mut source =
        fs::File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
    replace(to, |partial| {
        let mut copy = fs::File::create(partial)?;
        let size = io::copy(&mut source, &mut copy)?;
        copy.set_permissions(source.metadata()?.permissions())?;
        Ok(size)
    })
}

/// The entries of a directory, in order.
pub fn list(directory: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot read {}", directory.display());
    let entries = fs::read_dir(directory).with_context(context)?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()
        .with_context(context)?;
    paths.sort();
    Ok(paths)
}

/// Creates a directory with those above it, unless it is there.
pub fn create_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Creates the directory that a file will be in.
pub fn create_parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), create_directory)
}

/// Removes a file or a link, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Removes an empty directory.
pub fn remove_directory(path: &Path) -> Result<()> {
    fs::remove_dir(path).with_context(|| format!("cannot remove {}", path.display()))
}

/// Removes a directory with what is in it, if it is there.
pub fn remove_all(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

/// A path the way it is shown: below the current directory without that.
#[must_use]
pub fn shown(path: &Path) -> std::path::Display<'_> {
    let current = std::env::current_dir();
    let below = current.ok().and_then(|above| path.strip_prefix(above).ok());
    below.unwrap_or(path).display()
}

/// Where Cargo keeps what it downloads.
pub fn cargo_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Gives a file or a directory another name. Returns `true` if the name meant another one.
pub fn link(to: &Path, name: &Path) -> Result<bool> {
    if fs::read_link(name).is_ok_and(|old| old == to) {
        return Ok(false);
    }
    remove(&partial(name))?;
    replace(name, |partial| symlink(to, partial))?;
    Ok(true)
}

/// The temporary name of a file: beside its place, so that the rename stays in one file system.
#[must_use]
pub fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Renames a file or a directory.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("cannot write {}", to.display()))
}

/// Puts what `make` writes in the place of a file.
fn replace<T>(path: &Path, make: impl FnOnce(&Path) -> io::Result<T>) -> Result<T> {
    create_parent(path)?;
    let partial = partial(path);
    let result = make(&partial).with_context(|| format!("cannot write {}", path.display()));
    if result.is_err() {
        // It takes room on a disk that may be full.
        let _ = fs::remove_file(&partial);
    }
    let value = result?;
    rename(&partial, path)?;
    Ok(value)
}

#[cfg(unix)]
fn symlink(to: &Path, name: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, name)
}

#[cfg(not(unix))]
fn symlink(to: &Path, name: &Path) -> io::Result<()> {
    fs::copy(to, name).map(drop)
}
