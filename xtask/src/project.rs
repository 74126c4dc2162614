//! Paths in the project.

use std::path::{Path, PathBuf};

use anyhow::Result;
use driver_build::{Arch, Cross, Wishes, profile_name};

/// The repository.
pub(crate) struct Project {
    root: PathBuf,
    wishes: Wishes,
}

impl Project {
    /// The repository that this program was compiled in.
    pub(crate) fn new(wishes: Wishes) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = root.canonicalize().unwrap_or(root);
        Self { root, wishes }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What builds drivers, in the usual place or in a directory.
    pub(crate) fn cross(&self, directory: Option<&Path>) -> Result<Cross> {
        match directory {
            Some(directory) => Cross::at(directory, self.wishes.clone()),
            None => Ok(Cross::new(&self.root.join("target"), self.wishes.clone())),
        }
    }

    /// Where built drivers are put, for one processor and profile.
    pub(crate) fn drivers(&self, arch: Arch, release: bool) -> PathBuf {
        self.root
            .join("target/driver")
            .join(arch.name())
            .join(profile_name(release))
    }
}
