//! The driver's package, as its own manifest describes it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, TargetKind};
use serde_json::Value;

use crate::wdk::KMDF;

/// A package that makes a driver.
#[derive(Debug)]
pub struct Package {
    /// As Cargo knows it.
    pub name: String,
    /// The name of the library, which the image gets.
    pub library: String,
    /// The directory of its manifest.
    pub directory: PathBuf,
    /// The directory of the manifest of its workspace: that of its own, if it is in none.
    pub workspace: PathBuf,
    /// Where Cargo puts what it builds.
    pub target_directory: PathBuf,
    /// The table `package.metadata.nmr`, or nothing.
    pub settings: Value,
}

impl Package {
    /// Finds the package of a manifest, of the workspace with a name, or of the current directory. The manifest and
    /// its lock file are read, and not written.
    pub fn find(manifest: Option<&Path>, name: Option<&str>) -> Result<Self> {
        let nearest = match manifest {
            Some(manifest) => manifest.canonicalize().ok(),
            None => nearest_manifest(),
        };
        Self::choose(&workspace(manifest)?, nearest.as_deref(), name)
    }

    fn choose(metadata: &Metadata, nearest: Option<&Path>, name: Option<&str>) -> Result<Self> {
        let packages = metadata.workspace_packages();
        let is_nearest = |package: &&cargo_metadata::Package| {
            nearest.is_some_and(|nearest| package.manifest_path == nearest)
        };
        let found = match name {
            Some(name) => packages
                .into_iter()
                .find(|package| package.name.as_str() == name)
                .with_context(|| format!("there is no package {name} in the workspace"))?,
            None => match packages.iter().copied().find(is_nearest) {
                Some(package) => package,
                None => only_driver(packages)?,
            },
        };
        if !is_driver(found) {
            bail!(
                "{} is no driver: its manifest has no [package.metadata.wdk.driver-model]",
                found.name
            );
        }
        check_model(found, metadata)?;
        let library = found.targets.iter().find(|target| {
            let kinds = [TargetKind::CDyLib, TargetKind::Lib];
            target.kind.iter().any(|kind| kinds.contains(kind))
        });
        let library = library.with_context(|| format!("{} has no library", found.name))?;
        if !library.kind.contains(&TargetKind::CDyLib) {
            bail!(
                "the library of {} is no `cdylib`, as the image of a driver has to be",
                found.name
            );
        }
        let directory = found.manifest_path.parent().context("no directory")?;
        Ok(Self {
            name: found.name.to_string(),
            library: library.name.replace('-', "_"),
            directory: directory.into(),
            workspace: metadata.workspace_root.clone().into(),
            target_directory: metadata.target_directory.clone().into(),
            settings: found.metadata["nmr"].clone(),
        })
    }
}

/// The manifest of the current directory, or of the next one above it that has one, as Cargo looks for it.
fn nearest_manifest() -> Option<PathBuf> {
    let current = std::env::current_dir().ok()?;
    let manifests = current.ancestors().map(|above| above.join("Cargo.toml"));
    let mut there = manifests.filter(|manifest| manifest.is_file());
    there.next()
}

/// The workspace of a manifest, or of the current directory. Nothing is written.
pub fn workspace(manifest: Option<&Path>) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.no_deps();
    if let Some(manifest) = manifest {
        command.manifest_path(manifest);
    }
    command.exec().map_err(short)
}

/// The only package of a workspace that makes a driver.
fn only_driver(packages: Vec<&cargo_metadata::Package>) -> Result<&cargo_metadata::Package> {
    let drivers: Vec<_> = packages
        .into_iter()
        .filter(|package| is_driver(package))
        .collect();
    match drivers.as_slice() {
        [] => bail!("no package of this workspace is a driver"),
        [driver] => Ok(driver),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|package| package.name.as_str())
                .collect();
            bail!(
                "several packages are drivers; name one with `-p`: {}",
                names.join(", ")
            )
        }
    }
}

fn is_driver(package: &cargo_metadata::Package) -> bool {
    package.metadata.get("wdk").is_some()
}

/// Refuses what the headers and libraries that are made here are not for.
fn check_model(package: &cargo_metadata::Package, metadata: &Metadata) -> Result<()> {
    let of_workspace = &metadata.workspace_metadata["wdk"]["driver-model"];
    let model = match &package.metadata["wdk"]["driver-model"] {
        Value::Null => of_workspace,
        model => model,
    };
    match model["driver-type"].as_str() {
        Some("KMDF") => {
            let (major, minor) = KMDF;
            let is = |key: &str, number: u32| model[key].as_u64() == Some(number.into());
            if !is("kmdf-version-major", major) || !is("target-kmdf-version-minor", minor) {
                bail!(
                    "{}: drivers are built for KMDF {major}.{minor} here: set `kmdf-version-major = {major}` and \
                     `target-kmdf-version-minor = {minor}` in [package.metadata.wdk.driver-model]",
                    package.name
                );
            }
            Ok(())
        }
        Some("WDM") => Ok(()),
        other => bail!(
            "{}: the driver-type in [package.metadata.wdk.driver-model] has to be KMDF or WDM, not {}",
            package.name,
            other.unwrap_or("missing")
        ),
    }
}

/// What Cargo says, without its own `error: ` and the lines around it.
pub(crate) fn short(error: cargo_metadata::Error) -> anyhow::Error {
    let cargo_metadata::Error::CargoMetadata { stderr } = &error else {
        return error.into();
    };
    let lines = stderr.lines().map(|line| {
        let line = line.trim();
        line.strip_prefix("error: ").unwrap_or(line)
    });
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    anyhow::anyhow!("{}", lines.join(": "))
}
