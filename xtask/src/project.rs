//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::options::Options;
use crate::target::Arch;

/// The repository.
pub(crate) struct Project {
    root: PathBuf,
    made: PathBuf,
    mingw: Option<PathBuf>,
    kit: Option<PathBuf>,
}

impl Project {
    /// The repository that this program was compiled in.
    pub(crate) fn new(options: &Options) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = root.canonicalize().unwrap_or(root);
        let made = root.join("target/cross");
        Self {
            root,
            made,
            mingw: options.mingw.clone(),
            kit: options.wdk.clone(),
        }
    }

    /// The same, with another directory for what the set-up makes.
    pub(crate) fn with_made(self, directory: Option<&Path>) -> Result<Self> {
        let Some(directory) = directory else {
            return Ok(self);
        };
        let made = std::path::absolute(directory)
            .with_context(|| format!("cannot use {}", directory.display()))?;
        Ok(Self { made, ..self })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file of the cross build.
    pub(crate) fn cross(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join("cross").join(path)
    }

    /// The directory of mingw-w64 that is wished for.
    pub(crate) fn mingw(&self) -> Option<&Path> {
        self.mingw.as_deref()
    }

    /// The directory of Microsoft's WDK that is wished for.
    pub(crate) fn kit(&self) -> Option<&Path> {
        self.kit.as_deref()
    }

    /// What the set-up makes. `cargo clean` removes it, and the next set-up makes it again.
    pub(crate) fn made(&self, path: impl AsRef<Path>) -> PathBuf {
        self.made.join(path)
    }

    /// Where built drivers are put, for one processor and profile.
    pub(crate) fn drivers(&self, arch: Arch, release: bool) -> PathBuf {
        let profile = if release { "release" } else { "debug" };
        self.root
            .join("target/driver")
            .join(arch.name())
            .join(profile)
    }

    /// A path the way it is shown.
    pub(crate) fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}
