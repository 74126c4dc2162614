//! Compiling drivers on a machine without Windows.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::c_driver;
use crate::command;
use crate::files;
use crate::missing::Missing;
use crate::options::{BuildDriver, BuildFixtures, Role, Rust};
use crate::project::Project;
use crate::setup::{self, Log};
use crate::target::Arch;
use crate::toolchain::Toolchain;
use crate::wdk;

/// A package of the cross build.
struct Package<'a> {
    project: &'a Project,
    toolchain: Toolchain,
    directory: PathBuf,
}

/// `cargo xtask build-driver`.
pub(crate) fn driver(project: &Project, rust: Option<Rust>, build: &BuildDriver) -> Result<()> {
    let toolchain = setup::ready(project, rust, Log::Changes)?;
    one_driver(project, toolchain, build)
}

/// Builds the driver on a machine that is set up.
pub(crate) fn one_driver(
    project: &Project,
    toolchain: Toolchain,
    build: &BuildDriver,
) -> Result<()> {
    let (arch, release) = (build.arch, build.release);
    let package = Package::new(project, toolchain, "driver");
    let mut cargo = package.cargo("build", arch, release);
    cargo.args(["--no-default-features", "--features", build.role.features()]);
    compile(&mut cargo)?;
    let image = package.image("exnpi_driver.dll", arch, release);
    deliver(project, &image, &project.driver(build.role, arch, release))
}

/// Where the linker's map of the driver that ships is, after it was built.
pub(crate) fn map(project: &Project, toolchain: Toolchain) -> PathBuf {
    let package = Package::new(project, toolchain, "driver");
    package.image("deps/exnpi_driver.map", Arch::X64, true)
}

/// `cargo xtask build-fixtures`.
pub(crate) fn fixtures(project: &Project, rust: Option<Rust>, build: &BuildFixtures) -> Result<()> {
    let toolchain = setup::ready(project, rust, Log::Changes)?;
    all_fixtures(project, toolchain, build)
}

/// Builds every fixture on a machine that is set up: a driver for each feature of the package, and the
/// one in C.
pub(crate) fn all_fixtures(
    project: &Project,
    toolchain: Toolchain,
    build: &BuildFixtures,
) -> Result<()> {
    let (arch, release) = (build.arch, build.release);
    let to = project.drivers(arch, release).join("fixtures");
    let image = c_driver::build(project, arch, release)?;
    deliver(project, &image, &to.join("quota.sys"))?;
    let package = Package::new(project, toolchain, "ntapi");
    compile(package.cargo("build", arch, release).arg("--quiet"))?;
    deliver(
        project,
        &package.image("ntapi.dll", arch, release),
        &to.join("ntapi.sys"),
    )?;
    let package = Package::new(project, toolchain, "fixtures");
    for fixture in package.features()? {
        let mut cargo = package.cargo("build", arch, release);
        compile(cargo.args(["--quiet", "--features", &fixture]))?;
        let image = package.image("fixtures.dll", arch, release);
        deliver(project, &image, &to.join(format!("{fixture}.sys")))?;
    }
    Ok(())
}

/// `cargo xtask clippy`.
pub(crate) fn clippy(project: &Project, rust: Option<Rust>) -> Result<()> {
    let toolchain = setup::ready(project, rust, Log::Changes)?;
    one_clippy(project, toolchain)
}

/// Runs clippy on the driver, with the modules that it can have.
pub(crate) fn one_clippy(project: &Project, toolchain: Toolchain) -> Result<()> {
    let package = Package::new(project, toolchain, "driver");
    for role in Role::ALL {
        let mut cargo = package.cargo("clippy", Arch::X64, false);
        cargo.args(["--quiet", "--no-default-features"]);
        cargo.args(["--features", role.features()]);
        command::run(cargo.args(["--", "--deny", "warnings"]))?;
    }
    Ok(())
}

/// Runs Cargo. If it fails for functions that the WDK does not have, the error says how to add them.
fn compile(cargo: &mut Command) -> Result<()> {
    let mut missing = Missing::default();
    let result = command::run_watched(cargo, |line| missing.look(line));
    if result.is_err() && !missing.is_empty() {
        bail!("{missing}");
    }
    result
}

/// The names of the sources that an image has for its panics: the same wherever it is built.
fn remapped(project: &Project) -> [(PathBuf, &'static str); 3] {
    [
        (project.root().join(""), ""),
        (PathBuf::from("../../"), ""),
        (files::cargo_home().join("registry/src"), "registry"),
    ]
}

/// Puts an image where it is looked for.
fn deliver(project: &Project, image: &Path, to: &Path) -> Result<()> {
    let size = files::copy(image, to)?;
    println!("{}  {size} bytes", project.show(to));
    Ok(())
}

impl<'a> Package<'a> {
    fn new(project: &'a Project, toolchain: Toolchain, name: &str) -> Self {
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
    fn image(&self, name: &str, arch: Arch, release: bool) -> PathBuf {
        let target_dir = self.target_dir();
        self.toolchain
            .results(arch, &target_dir, release)
            .join(name)
    }

    /// Cargo, with the environment of a machine that has a WDK.
    fn cargo(&self, subcommand: &str, arch: Arch, release: bool) -> Command {
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
    fn features(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Manifest {
            features: toml::Table,
        }
        let manifest = files::read(&self.directory.join("Cargo.toml"))?;
        let manifest: Manifest = toml::from_str(&manifest).context("cross/fixtures")?;
        Ok(manifest
            .features
            .into_iter()
            .map(|(name, _)| name)
            .collect())
    }
}
