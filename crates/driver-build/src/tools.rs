//! Clang, LLVM's tools and a linker for Windows; and what builds programs in C here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command;
use crate::debian;
use crate::files;
use crate::setup::Log;

const LLVM: &str = "/usr/lib/";
/// What is needed, and the package that has it: the programs, and the library that bindgen loads.
const NEEDED: [(&str, &str); 4] = [
    ("clang", "clang"),
    ("libclang", "libclang-dev"),
    ("llvm-dlltool", "llvm"),
    ("llvm-lib", "llvm"),
];
/// LLVM's own linker knows the options of drivers since this version.
const LINKER_VERSION: u32 = 19;
const LINKER_PACKAGE: &str = "lld-19";

/// What builds `examples/c-module` and the modules in C of the tests: the programs, and Debian's packages of the same names.
const FOR_C: [&str; 5] = ["clang", "cmake", "g++", "make", "pkg-config"];

/// What verifies the packages that the tests make, and turns their certificates into its format.
const FOR_PACKAGES: [&str; 2] = ["openssl", "osslsigncode"];

/// Installs what the tests of modules in C need, and leave out without.
pub fn for_c(log: Log) -> Result<()> {
    programs("for C", &FOR_C, log)
}

/// Installs the independent witness of the tests of driver packages.
pub fn for_packages(log: Log) -> Result<()> {
    programs("packages", &FOR_PACKAGES, log)
}

/// Installs what counts instructions.
pub fn for_counts(log: Log) -> Result<()> {
    programs("counts", &["valgrind"], log)
}

/// Installs the programs that are missing, from Debian's packages of the same names.
fn programs(what: &str, wanted: &[&'static str], log: Log) -> Result<()> {
    let is_missing = |program: &&str| command::find(program).is_none();
    let missing: Vec<&str> = wanted.iter().copied().filter(is_missing).collect();
    if missing.is_empty() {
        log.found(what, &wanted.join(", "));
        return Ok(());
    }
    log.did(what, &format!("installing {}", missing.join(", ")));
    debian::install(&missing)
}

/// Programs that are needed, wherever they are.
pub(crate) struct Tools {
    pub(crate) clang: PathBuf,
    pub(crate) dlltool: PathBuf,
    pub(crate) lib: PathBuf,
    pub(crate) linker: PathBuf,
}

impl Tools {
    pub(crate) fn get(log: Log) -> Result<Self> {
        let missing = missing()?;
        if missing.is_empty() {
            log.found("clang", "with its library and LLVM's tools");
        } else {
            let (names, mut packages): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
            packages.dedup();
            log.did(
                "clang",
                &format!(
                    "no {}; installing {}",
                    names.join(", "),
                    packages.join(", ")
                ),
            );
            debian::install(&packages).with_context(|| format!("no {}", names.join(", ")))?;
        }
        Ok(Self {
            clang: installed("clang")?,
            dlltool: installed("llvm-dlltool")?,
            lib: installed("llvm-lib")?,
            linker: linker(log)?,
        })
    }
}

/// What is needed and not there. Fails if `LIBCLANG_PATH`, which bindgen obeys, is not there.
fn missing() -> Result<Vec<(&'static str, &'static str)>> {
    let has_libclang = has_libclang()?;
    let is_there = |name| match name {
        "libclang" => has_libclang,
        program => tool(program).is_some(),
    };
    let missing = NEEDED.into_iter().filter(|(name, _)| !is_there(*name));
    Ok(missing.collect())
}

fn installed(name: &str) -> Result<PathBuf> {
    tool(name).with_context(|| format!("{name} is still missing after its package was installed"))
}

/// A program of LLVM's, from the path or from the newest version that has it.
fn tool(name: &str) -> Option<PathBuf> {
    command::find(name).or_else(|| {
        let of = |(_, directory): &(u32, PathBuf)| directory.join("bin").join(name);
        versions().iter().map(of).find(|path| path.is_file())
    })
}

/// Debian's versions of LLVM, the newest first.
fn versions() -> Vec<(u32, PathBuf)> {
    let directories = files::list(Path::new(LLVM)).unwrap_or_default();
    let version = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        Some((name.strip_prefix("llvm-")?.parse().ok()?, path))
    };
    let mut versions: Vec<_> = directories.into_iter().filter_map(version).collect();
    versions.sort();
    versions.reverse();
    versions
}

fn has_libclang() -> Result<bool> {
    let is_libclang = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_file() && (name.starts_with("libclang.so") || name.starts_with("libclang-"))
    };
    let in_directory = |directory: &Path| {
        let files = files::list(directory).unwrap_or_default();
        files.iter().any(|path| is_libclang(path))
    };
    if let Some(path) = std::env::var_os("LIBCLANG_PATH") {
        // bindgen takes a directory or the file itself.
        let path = PathBuf::from(path);
        if !in_directory(&path) && !is_libclang(&path) {
            bail!(
                "LIBCLANG_PATH is {}, where no libclang is: correct it or unset it",
                path.display()
            );
        }
        return Ok(true);
    }
    let mut directories = versions().into_iter().map(|(_, path)| path.join("lib"));
    Ok(directories.any(|directory| in_directory(&directory)))
}

/// The linker that comes with Rust, or a new one of LLVM's.
fn linker(log: Log) -> Result<PathBuf> {
    if let Some(linker) = rust_lld() {
        log.found("linker", "rust-lld");
        return Ok(linker);
    }
    if let Some(linker) = lld_link() {
        log.found("linker", &linker.display().to_string());
        return Ok(linker);
    }
    log.did("linker", &format!("installing {LINKER_PACKAGE}"));
    debian::install(&[LINKER_PACKAGE]).context("no rust-lld beside rustc, and no lld-link")?;
    match lld_link() {
        Some(linker) => Ok(linker),
        None => bail!("{LINKER_PACKAGE} is installed, but has no lld-link"),
    }
}

fn rust_lld() -> Option<PathBuf> {
    let mut rustc = command::clean(Path::new("rustc"));
    let directory = command::quiet(rustc.args(["--print", "target-libdir"]))?;
    let lld = Path::new(directory.trim()).parent()?.join("bin/rust-lld");
    lld.is_file().then_some(lld)
}

fn lld_link() -> Option<PathBuf> {
    let new = versions()
        .into_iter()
        .take_while(|(version, _)| *version >= LINKER_VERSION);
    new.map(|(_, directory)| directory.join("bin/lld-link"))
        .find(|path| path.is_file())
}
