//! The shadow of a package: a package below the target directory whose files are those of the user's, by links,
//! and whose manifest says in addition what Linux needs. So the user's own manifest and lock file stay as
//! they are for Windows.
//!
//! Three ways were weighed. `[patch]` in the user's manifest would hold on Windows too. `--config patch.…` leaves
//! the manifest alone and rewrites `Cargo.lock`. A shadow has a lock file of its own, which begins as a copy of
//! the user's, so the same versions are built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;
use serde::Deserialize;

use crate::Cross;
use crate::build_script;
use crate::files;
use crate::manifest;
use crate::package::Package;
use crate::setup::Log;
use crate::wdk_build;

/// What of a package's directory is not linked.
const OWN: [&str; 9] = [
    ".cargo",
    ".git",
    "Cargo.lock",
    "Cargo.toml",
    "benches",
    "build.rs",
    "examples",
    "target",
    "tests",
];
/// The user's lock file from which that of the shadow began.
const SEED: &str = "Cargo.lock.seed";

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
}

/// Makes the shadow of a package, or brings it up to date. Returns its directory.
pub fn make(cross: &Cross, package: &Package, log: Log) -> Result<PathBuf> {
    let directory = cross.made("shadow").join(&package.name);
    link(package, &directory)?;
    build_script::write(package, &directory)?;
    seed(package, &directory)?;
    let text = |directory: &Path| files::read(&directory.join("Cargo.toml"));
    let (own, above) = (text(&package.directory)?, text(&package.workspace)?);
    let mut manifest = manifest::shadow((&package.directory, &own), (&package.workspace, &above))?;
    let path = directory.join("Cargo.toml");
    let version = match version(&directory)? {
        Some(version) if wdk_build::is_made(cross, &version) => Some(version),
        _ => {
            files::write(&path, manifest.to_string().as_bytes())?;
            prepare(cross, &path, log)?
        }
    };
    if let Some(version) = version {
        let copy = wdk_build::copy(cross, &version);
        let windows = wdk_build::windows(cross);
        let patched = [("wdk-build", &*copy), ("windows", &*windows)];
        manifest::patch(&mut manifest, patched).context("[patch] is no table of tables")?;
        files::write(&path, manifest.to_string().as_bytes())?;
    }
    Ok(directory)
}

/// Links what the package's directory has, and removes the links to what it does not have any more.
fn link(package: &Package, directory: &Path) -> Result<()> {
    files::create_directory(directory)?;
    let is_linked = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        *path != package.target_directory && OWN.iter().all(|own| name != *own)
    };
    let wanted: Vec<_> = files::list(&package.directory)?
        .into_iter()
        .filter(is_linked)
        .collect();
    for path in files::list(directory)? {
        if path.is_symlink() && !wanted.iter().any(|to| to.file_name() == path.file_name()) {
            files::remove(&path)?;
        }
    }
    for path in wanted {
        files::link(&path, &directory.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// Begins with the versions of the user's lock file, now and when that changes.
fn seed(package: &Package, directory: &Path) -> Result<()> {
    let own = package.workspace.join("Cargo.lock");
    let Ok(text) = fs::read(&own) else {
        return Ok(());
    };
    if files::write(&directory.join(SEED), &text)? {
        files::write(&directory.join("Cargo.lock"), &text)?;
    }
    Ok(())
}

/// The version of wdk-build that is locked, if one is.
fn version(directory: &Path) -> Result<Option<String>> {
    let path = directory.join("Cargo.lock");
    if !path.is_file() {
        return Ok(None);
    }
    let lock: Lock =
        toml::from_str(&files::read(&path)?).with_context(|| path.display().to_string())?;
    let mut packages = lock.package.into_iter();
    let found = packages.find(|package| package.name == "wdk-build");
    Ok(found.map(|package| package.version))
}

/// Lets Cargo download what the package depends on, and makes the copy of wdk-build, if that is among it.
fn prepare(cross: &Cross, manifest: &Path, log: Log) -> Result<Option<String>> {
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest);
    let metadata = command.exec().map_err(crate::package::short)?;
    let mut packages = metadata.packages.into_iter();
    let Some(found) = packages.find(|package| package.name.as_str() == "wdk-build") else {
        return Ok(None);
    };
    let version = found.version.to_string();
    let source = found.manifest_path.parent().context("no directory")?;
    wdk_build::make(cross, &version, source.as_std_path(), log)?;
    Ok(Some(version))
}
