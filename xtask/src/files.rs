//! Writing files without touching what is right already: Cargo compiles again what depends on a
//! file whose time has changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Writes a file, with its directories. Tells whether it was different.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    create_parent(path)?;
    fs::write(path, content).with_context(|| path.display().to_string())?;
    Ok(true)
}

pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Copies a file to a place whose directories need not exist.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<u64> {
    create_parent(to)?;
    fs::copy(from, to).with_context(|| from.display().to_string())
}

/// The entries of a directory, in order.
pub(crate) fn list(directory: &Path) -> Result<Vec<PathBuf>> {
    let context = || directory.display().to_string();
    let entries = fs::read_dir(directory).with_context(context)?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()
        .with_context(context)?;
    paths.sort();
    Ok(paths)
}

pub(crate) fn create_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| path.display().to_string())
}

pub(crate) fn create_parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), create_directory)
}

/// Where Cargo keeps what it downloads.
pub(crate) fn cargo_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Gives a program another name.
pub(crate) fn link(to: &Path, name: &Path) -> Result<()> {
    if fs::read_link(name).is_ok_and(|old| old == to) {
        return Ok(());
    }
    create_parent(name)?;
    match fs::remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => symlink(to, name),
    }
    .with_context(|| name.display().to_string())
}

#[cfg(unix)]
fn symlink(to: &Path, name: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, name)
}

#[cfg(not(unix))]
fn symlink(to: &Path, name: &Path) -> io::Result<()> {
    fs::copy(to, name).map(drop)
}
