//! Compiling a driver's package for Windows, with the environment of a machine that has a WDK.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command;
use crate::files;
use crate::missing::Missing;
use crate::project::Project;
use crate::target::Arch;
use crate::toolchain::Toolchain;
use crate::wdk;

/// A package of the cross build.
pub(crate) struct Package<'a> {
    project: &'a Project,
    toolchain: Toolchain,
    directory: PathBuf,
}

impl<'a> Package<'a> {
    pub(crate) fn new(project: &'a Project, toolchain: Toolchain, name: &str) -> Self {
        Self {
            project,
            toolchain,
            directory: project.cross(name),
        }
    }

    /// wdk-build wants the directory below the manifest.
    fn target_dir(&self) -> PathBuf {
        self.directory.join("target")
    }

    /// What was built.
    pub(crate) fn image(&self, name: &str, arch: Arch, release: bool) -> PathBuf {
        let target_dir = self.target_dir();
        self.toolchain
            .results(arch, &target_dir, release)
            .join(name)
    }

    /// Cargo, with the environment of a machine that has a WDK.
    pub(crate) fn cargo(&self, subcommand: &str, arch: Arch, release: bool) -> Command {
        let project = self.project;
        let mut cargo = self.toolchain.cargo(subcommand, arch, &self.target_dir());
        cargo.current_dir(&self.directory).arg("--locked");
        if release {
            cargo.arg("--release");
        }
        cargo.env("WDKContentRoot", wdk::root(project));
        cargo.env("Version_Number", wdk::VERSION);
        let compiler = project.made("bin/clang-cl");
        cargo.env(format!("CC_{}", arch.variable()), compiler);
        let archiver = project.made("bin/llvm-lib");
        cargo.env(format!("AR_{}", arch.variable()), archiver);
        // Not by RUSTFLAGS, which would replace the flags of `.cargo/config.toml`.
        let target = format!("target.'{}'", arch.triple());
        let linker = project.made("bin/lld-link");
        let linker = linker.display();
        cargo.args(["--config", &format!("{target}.linker='{linker}'")]);
        let sources = remapped(project)
            .map(|(from, to)| format!("'--remap-path-prefix={}={to}'", from.display()))
            .join(", ");
        cargo.args(["--config", &format!("{target}.rustflags=[{sources}]")]);
        cargo
    }

    /// The features of the package.
    pub(crate) fn features(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Manifest {
            features: toml::Table,
        }
        let manifest = files::read(&self.directory.join("Cargo.toml"))?;
        let manifest: Manifest =
            toml::from_str(&manifest).with_context(|| format!("{}", self.directory.display()))?;
        Ok(manifest
            .features
            .into_iter()
            .map(|(name, _)| name)
            .collect())
    }
}

/// Runs Cargo. If it fails for functions that the WDK does not have, the error says how to add them.
pub(crate) fn compile(cargo: &mut Command) -> Result<()> {
    let mut missing = Missing::default();
    let result = command::run_watched(cargo, |line| missing.look(line));
    match missing.advice() {
        Some(advice) if result.is_err() => bail!("{advice}"),
        _ => result,
    }
}

/// The names of the sources that an image has for its panics: the same wherever it is built.
fn remapped(project: &Project) -> [(PathBuf, &'static str); 3] {
    [
        (project.root().join(""), ""),
        (PathBuf::from("../../"), ""),
        (files::cargo_home().join("registry/src"), "registry"),
    ]
}
