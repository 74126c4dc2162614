//! A package as a folder of files.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// The largest file that is read, in bytes, and the most of all together.
const MAX_FILE: u64 = 1 << 28;
const MAX_ALL: u64 = 1 << 29;
/// The most files.
const MAX_COUNT: usize = 10_000;
/// The ending of symbols, which come along for people and are large.
const UNREAD: [&str; 1] = ["pdb"];

/// The files of a folder, by name. Files of folders inside are named `inner/file`.
#[derive(Clone, Default, Debug)]
pub struct Folder {
    files: BTreeMap<String, Vec<u8>>,
    unread: Vec<String>,
}

/// How deep folders are read.
const MAX_DEPTH: usize = 4;

impl Folder {
    /// Reads the files of a folder and of those inside of it. Fails if one cannot be read, or if they
    /// are too many or too large for a package.
    pub fn read(path: &Path) -> Result<Self> {
        // A folder that is none may be large.
        let names = fs::read_dir(path)
            .map_err(unreadable(path))?
            .flatten()
            .map(|entry| entry.file_name());
        if !names
            .into_iter()
            .any(|name| has_ending(&name.to_string_lossy(), &["inf"]))
        {
            let path = path.display();
            return Err(Error::new(format!(
                "{path}: no driver package: the folder has no .inf file"
            )));
        }
        let mut folder = Self::default();
        folder.read_into(
            path,
            "",
            &mut Left {
                bytes: MAX_ALL,
                files: MAX_COUNT,
            },
        )?;
        folder.unread.sort();
        Ok(folder)
    }

    /// Reads a folder whose files have names with a prefix.
    fn read_into(&mut self, path: &Path, prefix: &str, left: &mut Left) -> Result<()> {
        for entry in fs::read_dir(path).map_err(unreadable(path))? {
            let entry = entry.map_err(unreadable(path))?;
            let path = entry.path();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            left.files = left
                .files
                .checked_sub(1)
                .ok_or_else(|| unreadable(&path)("there are too many files for a package"))?;
            if path.is_dir() && prefix.matches('/').count() < MAX_DEPTH {
                self.read_into(&path, &format!("{name}/"), left)?;
            } else if has_ending(&name, &UNREAD) {
                self.unread.push(name);
            } else if path.is_file() {
                self.add(&name, read_file(&path, left)?);
            }
        }
        Ok(())
    }

    /// Adds a file.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.files.insert(name.to_owned(), bytes);
    }

    /// A file, by its name in any case, in the folder or in one inside of it.
    pub(crate) fn get(&self, name: &str) -> Option<(&str, &[u8])> {
        let is_last = |path: &str| {
            path.rsplit('/')
                .next()
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        let direct = self.all().find(|(own, _)| own.eq_ignore_ascii_case(name));
        direct.or_else(|| self.all().find(|(own, _)| is_last(own)))
    }

    /// All files that were read, in the order of their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// The files with an ending.
    pub(crate) fn with_ending<'a>(
        &'a self,
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.all()
            .filter(move |(name, _)| has_ending(name, &[ending]))
    }

    /// The names of the files that come along for people and were not read.
    pub(crate) fn unread(&self) -> &[String] {
        &self.unread
    }
}

/// What may still be read.
struct Left {
    bytes: u64,
    files: usize,
}

/// Reads a file, as far as the limits allow.
fn read_file(path: &Path, left: &mut Left) -> Result<Vec<u8>> {
    let limit = left.bytes.min(MAX_FILE);
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable(path))?;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable(path))?;
    let size = bytes.len() as u64;
    if size > limit {
        return Err(unreadable(path)("it is too large for a package"));
    }
    left.bytes -= size;
    Ok(bytes)
}

fn unreadable<E: fmt::Display>(path: &Path) -> impl FnOnce(E) -> Error {
    move |error| Error::new(format!("cannot read {}: {error}", path.display()))
}

/// Returns `true` if a name has one of the endings, in any case.
pub(crate) fn has_ending(name: &str, endings: &[&str]) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    endings
        .iter()
        .any(|wanted| wanted.eq_ignore_ascii_case(ending))
}
