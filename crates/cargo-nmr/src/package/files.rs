//! Files that are read and written, with messages that name them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Reads a file of at most so many bytes.
pub(super) fn read(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let complaint = |error: io::Error| format!("cannot read {}: {error}", path.display());
    if !fs::metadata(path).map_err(complaint)?.is_file() {
        return Err(format!("cannot read {}: it is no file", path.display()));
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(complaint)?.take(most as u64 + 1);
    file.read_to_end(&mut bytes).map_err(complaint)?;
    if bytes.len() > most {
        return Err(format!(
            "{}: it has more than {} MiB",
            path.display(),
            most >> 20
        ));
    }
    Ok(bytes)
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copied = fs::copy(from, to);
    copied.map(drop).map_err(|error| {
        format!(
            "cannot copy {} to {}: {error}",
            from.display(),
            to.display()
        )
    })
}

pub(super) fn create_folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path)
        .map_err(|error| format!("cannot make the folder {}: {error}", path.display()))
}

/// Writes a new file that only its owner may read.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// The folder `target` of the project that the current folder belongs to: beside the outermost
/// `Cargo.lock`. Without a project, `target` in the current folder.
pub(super) fn target() -> PathBuf {
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
        return target.into();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let root = here
        .ancestors()
        .filter(|folder| folder.join("Cargo.lock").is_file())
        .last();
    match root {
        Some(root) if root != here => root.join("target"),
        _ => "target".into(),
    }
}

/// The PowerShell scripts in a folder.
pub(super) fn scripts(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let complaint = |error: io::Error| format!("cannot read {}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(complaint)?;
    let paths: Result<Vec<PathBuf>, _> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let is_script = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ending == "ps1" || ending == "psm1")
    };
    let mut paths: Vec<PathBuf> = paths
        .map_err(complaint)?
        .into_iter()
        .filter(is_script)
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(format!(
            "{}: --scripts takes a folder with .ps1 files",
            folder.display()
        ));
    }
    Ok(paths)
}
