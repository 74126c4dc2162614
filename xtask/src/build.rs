//! The drivers of this repository, and where their images are put.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::c_driver;
use crate::command;
use crate::files;
use crate::options::{BuildDriver, BuildFixtures, Role, Rust};
use crate::output;
use crate::package::{Package, compile};
use crate::project::Project;
use crate::setup::{self, Log};
use crate::target::Arch;
use crate::toolchain::Toolchain;

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
    let to = project.drivers(arch, release).join(build.role.name());
    deliver(project, &image, &to.join("exnpi_driver.sys"))
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

/// Builds every fixture on a machine that is set up: a driver for each feature of two packages, and the
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
    for name in ["fixtures", "glue"] {
        let package = Package::new(project, toolchain, name);
        for fixture in package.features()? {
            let mut cargo = package.cargo("build", arch, release);
            compile(cargo.args(["--quiet", "--features", &fixture]))?;
            let image = package.image(&format!("{name}.dll"), arch, release);
            deliver(project, &image, &to.join(format!("{fixture}.sys")))?;
        }
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

/// Puts an image where it is looked for.
fn deliver(project: &Project, image: &Path, to: &Path) -> Result<()> {
    let size = files::copy(image, to)?;
    output::line(format_args!("{}  {size} bytes", project.show(to)));
    Ok(())
}
