//! Folders of the set-up, and the tools that it prefers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::toolchain::Rust;

/// The tools that a user wants, as options. Without one, the set-up takes what it finds.
#[derive(Args, Clone, Debug, Default)]
pub struct Wishes {
    /// Rust toolchain that compiles for Windows [default: rustup's if it has or can install the targets, otherwise Debian's]
    #[arg(long, global = true)]
    pub rust: Option<Rust>,
    /// Directory with mingw-w64's `include` and `lib` [default: the one of Debian, Arch or Fedora, otherwise Debian's package]
    #[arg(long, visible_alias = "mingw", global = true, value_name = "DIR")]
    pub headers: Option<PathBuf>,
    /// Microsoft's WDK, installed or unpacked from its packages, instead of mingw-w64's headers [default: `WDKContentRoot`, if set]
    #[arg(long, global = true, value_name = "DIR")]
    pub wdk: Option<PathBuf>,
}

/// The directory of the set-up, and the wishes for it.
#[derive(Debug)]
pub struct Cross {
    directory: PathBuf,
    pub(crate) wishes: Wishes,
}

impl Cross {
    /// The directory `nmr` in a target directory of Cargo's, which `cargo clean` removes.
    #[must_use]
    pub fn new(target_directory: &Path, wishes: Wishes) -> Self {
        let directory = target_directory.join("nmr");
        Self { directory, wishes }
    }

    /// A directory of its own.
    pub fn at(directory: &Path, wishes: Wishes) -> Result<Self> {
        let directory = std::path::absolute(directory)
            .with_context(|| format!("cannot use {}", directory.display()))?;
        Ok(Self { directory, wishes })
    }

    /// A path in the directory.
    #[must_use]
    pub fn made(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }
}
