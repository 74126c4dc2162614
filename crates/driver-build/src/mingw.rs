//! The headers of the NT DDK and the lists of the kernel's exports, as mingw-w64 packages them for Linux.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::read::archive::ArchiveFile;

use crate::debian;
use crate::files;
use crate::setup::Log;

/// Where distributions put `include` and `lib`: Debian and Arch, Fedora.
const PLACES: [&str; 2] = [
    "/usr/x86_64-w64-mingw32",
    "/usr/x86_64-w64-mingw32/sys-root/mingw",
];
const PACKAGE: &str = "mingw-w64-x86-64-dev";
/// The version of the package; a header that includes no other.
const VERSION: &str = "_mingw_mac.h";

/// The package: a directory with `include` and `lib`.
pub(crate) struct Mingw(PathBuf);

impl Mingw {
    /// The package in the directory that is wished for, or where distributions put it, or else installed.
    pub(crate) fn get(wish: Option<&Path>, log: Log) -> Result<Self> {
        if let Some(directory) = wish {
            let Some(found) = Self::at(directory) else {
                bail!(
                    "{} has no include/ddk/wdm.h and lib/libntoskrnl.a of mingw-w64",
                    directory.display()
                );
            };
            return Ok(found);
        }
        let places = || PLACES.iter().find_map(|place| Self::at(Path::new(place)));
        if let Some(found) = places() {
            log.found("mingw-w64", &found.0.display().to_string());
            return Ok(found);
        }
        log.did("mingw-w64", &format!("installing {PACKAGE}"));
        debian::install(&[PACKAGE]).context("no headers of mingw-w64")?;
        places().with_context(|| format!("{PACKAGE} is installed, but has no ddk/wdm.h"))
    }

    fn at(directory: &Path) -> Option<Self> {
        let found = Self(std::path::absolute(directory).ok()?);
        let has = |path: PathBuf| path.is_file().then_some(());
        has(found.kernel_headers().join("wdm.h"))?;
        has(found.library("ntoskrnl"))?;
        Some(found)
    }

    /// The headers for programs, which those for drivers include.
    pub(crate) fn headers(&self) -> PathBuf {
        self.0.join("include")
    }

    /// The headers for drivers.
    pub(crate) fn kernel_headers(&self) -> PathBuf {
        self.headers().join("ddk")
    }

    /// A text that differs between versions of the package.
    pub(crate) fn version(&self) -> Result<String> {
        files::read(&self.headers().join(VERSION))
    }

    fn library(&self, name: &str) -> PathBuf {
        self.0.join(format!("lib/lib{name}.a"))
    }

    /// The names that an import library has, with `true` for data. There is none if the package does not
    /// have the library.
    pub(crate) fn exports(&self, name: &str) -> Result<BTreeMap<String, bool>> {
        let path = self.library(name);
        if !path.is_file() {
            return Ok(BTreeMap::new());
        }
        let shown = || format!("cannot read {}", path.display());
        let content = fs::read(&path).with_context(shown)?;
        exports(&content).with_context(shown)
    }
}

/// A function has a symbol of its name and a pointer; data has the pointer alone.
fn exports(library: &[u8]) -> Result<BTreeMap<String, bool>> {
    let mut exports = BTreeMap::new();
    let mut functions = Vec::new();
    let archive = ArchiveFile::parse(library)?;
    for symbol in archive.symbols()?.into_iter().flatten() {
        let symbol = symbol?;
        let name = std::str::from_utf8(symbol.name())?;
        match name.strip_prefix("__imp_") {
            Some(name) => {
                exports.insert(name.to_owned(), true);
            }
            None => functions.push(name),
        }
    }
    for function in functions {
        if let Some(is_data) = exports.get_mut(function) {
            *is_data = false;
        }
    }
    Ok(exports)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library whose table has these names.
    fn library(names: &[&str]) -> Vec<u8> {
        let count = u32::try_from(names.len()).unwrap();
        let mut table = count.to_be_bytes().to_vec();
        table.resize(4 + 4 * names.len(), 0);
        for name in names {
            table.extend(name.bytes());
            table.push(0);
        }
        let size = table.len();
        let header = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", "/", 0, 0, 0, 0);
        [b"!<arch>\n", header.as_bytes(), &table].concat()
    }

    #[test]
    fn data_is_told_from_functions() {
        let names = [
            "_head_x",
            "DbgPrint",
            "__imp_DbgPrint",
            "__imp_IoFileObjectType",
        ];
        let expected = [("DbgPrint", false), ("IoFileObjectType", true)];
        let expected = expected.map(|(name, is_data)| (name.to_owned(), is_data));
        assert_eq!(exports(&library(&names)).unwrap(), BTreeMap::from(expected));
    }
}
