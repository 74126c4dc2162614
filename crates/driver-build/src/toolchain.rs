//! The Rust that compiles for Windows: a compiler with `core` and `alloc` for the two targets.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::command;
use crate::debian;
use crate::files;
use crate::setup::Log;
use crate::target::{Arch, profile_name};

/// Long enough to download two targets, short enough to wait for when there is no network.
const DOWNLOAD: Duration = Duration::from_secs(90);

const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// Where the packages put things, which have the same names as rustup's.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/core/Cargo.toml";

/// Which Rust compiles for Windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Rust {
    /// rustup's toolchain and targets
    Rustup,
    /// Debian's packages rustc-web, cargo-web and rust-web-src, which build the standard library first
    Debian,
}

/// A Rust that is there.
#[derive(Clone, Copy, Debug)]
pub struct Toolchain(Rust);

impl Toolchain {
    /// The one that is wished for, or else the one that is there, or else the first that can be
    /// installed.
    pub(crate) fn get(wish: Option<Rust>, log: Log) -> Result<Self> {
        let allowed = |rust| wish.is_none_or(|wish| wish == rust);
        if allowed(Rust::Rustup) && has_targets() {
            log.found("rust", "a compiler with the targets for Windows");
            return Ok(Self(Rust::Rustup));
        }
        if allowed(Rust::Debian) && has_packages() {
            log.found("rust", "Debian's compiler with the source of its library");
            return Ok(Self(Rust::Debian));
        }
        if allowed(Rust::Rustup) && add_targets() {
            log.did("rust", "added the targets for Windows with rustup");
            return Ok(Self(Rust::Rustup));
        }
        if !allowed(Rust::Debian) {
            bail!(
                "type `rustup target add {}` and see what it says",
                triples().join(" ")
            );
        }
        let reason = if command::find("rustup").is_some() {
            "rustup cannot add the targets for Windows"
        } else {
            "no rustc with the targets for Windows on PATH, and no rustup"
        };
        log.did("rust", &format!("{reason}; installing Debian's compiler"));
        debian::install(&PACKAGES).context(reason)?;
        if !has_packages() {
            bail!(
                "{} are installed, but not the library's source",
                PACKAGES.join(", ")
            );
        }
        Ok(Self(Rust::Debian))
    }

    /// Cargo, to compile for one target. Results of different compilers are kept apart.
    pub(crate) fn cargo(self, subcommand: &str, arch: Arch, target_dir: &Path) -> Command {
        let mut cargo = match self.0 {
            Rust::Rustup => command::clean(Path::new("cargo")),
            Rust::Debian => command::clean(Path::new(DEBIAN_CARGO)),
        };
        cargo.args([subcommand, "--target", arch.triple(), "--target-dir"]);
        match self.0 {
            Rust::Rustup => {
                cargo.arg(target_dir.join("rustup"));
            }
            Rust::Debian => {
                cargo.arg(target_dir.join("debian"));
                // Building the library is not a stable feature. The packages always have the
                // library and the compiler of one version, which is all it needs.
                cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", DEBIAN_RUSTC);
                cargo.env_remove("RUSTUP_TOOLCHAIN");
                // Without it, the library refers to mathematics that the kernel does not have.
                cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
                cargo.args(["-Zbuild-std=core,alloc"]);
                cargo.args(["-Zbuild-std-features=compiler-builtins-mem"]);
            }
        }
        cargo
    }

    /// Where [`cargo`](Self::cargo) puts what it builds.
    pub(crate) fn results(self, arch: Arch, target_dir: &Path, release: bool) -> PathBuf {
        let name = match self.0 {
            Rust::Rustup => "rustup",
            Rust::Debian => "debian",
        };
        let directory = target_dir.join(name).join(arch.triple());
        directory.join(profile_name(release))
    }
}

fn triples() -> [&'static str; 2] {
    Arch::ALL.map(Arch::triple)
}

/// Returns `true` if the compiler that can be typed has a library for both targets.
fn has_targets() -> bool {
    triples().into_iter().all(|triple| {
        let mut rustc = command::clean(Path::new("rustc"));
        rustc.args(["--print", "target-libdir", "--target", triple]);
        command::quiet(&mut rustc).is_some_and(|path| has_library(Path::new(path.trim())))
    })
}

/// Returns `true` if a directory has the whole library. A download that was interrupted may leave a part of it,
/// and an archive that is empty.
fn has_library(directory: &Path) -> bool {
    let files = files::list(directory).unwrap_or_default();
    ["libcore-", "liballoc-", "libcompiler_builtins-"]
        .iter()
        .all(|prefix| {
            files.iter().any(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(prefix) && path.metadata().is_ok_and(|file| file.len() > 0)
            })
        })
}

/// Returns `true` if the packages are there, and not in the middle of their installation.
fn has_packages() -> bool {
    [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LIBRARY]
        .iter()
        .all(|path| Path::new(path).is_file())
        && debian::are_installed(&PACKAGES)
}

fn add_targets() -> bool {
    let mut rustup = command::clean(Path::new("rustup"));
    rustup.args(["target", "add"]).args(triples());
    command::succeeds_within(DOWNLOAD, &mut rustup) && has_targets()
}
