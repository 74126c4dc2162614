//! The drivers of this repository, and where their images are put.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use driver_build::build::{Driver, Profile};
use driver_build::package::Package;
use driver_build::setup::{self, Log};
use driver_build::{Cross, Toolchain, command, files, output};
use serde::Deserialize;

use crate::c_driver;
use crate::options::{BuildDriver, BuildFixtures, Role};
use crate::project::Project;

/// This machine, set up.
pub(crate) struct Builder<'a> {
    project: &'a Project,
    cross: Cross,
    toolchain: Toolchain,
}

impl<'a> Builder<'a> {
    /// Sets up what is missing.
    pub(crate) fn new(project: &'a Project, log: Log) -> Result<Self> {
        let cross = project.cross(None)?;
        let toolchain = setup::ready(&cross, log)?;
        Ok(Self {
            project,
            cross,
            toolchain,
        })
    }

    /// The sample, or a package below `cross`.
    fn package(&self, directory: &str) -> Result<Package> {
        let manifest = self.project.root().join(directory).join("Cargo.toml");
        Package::find(Some(&manifest), None)
    }

    fn driver<'b>(&'b self, package: &'b Package) -> Result<Driver<'b>> {
        Driver::new(&self.cross, self.toolchain, package, Log::Changes)
    }

    /// Builds the sample.
    pub(crate) fn sample(&self, build: &BuildDriver) -> Result<()> {
        let package = self.package("")?;
        let profile = Profile {
            release: build.release,
            arch: build.arch,
            ..of_role(build.role)
        };
        let image = self.driver(&package)?.build(&profile)?;
        let to = self.project.drivers(build.arch, build.release);
        deliver(&image, &to.join(build.role.name()).join("exnpi_driver.sys"))
    }

    /// Where the linker's map of the driver that ships is, after it was built.
    pub(crate) fn map(&self) -> Result<PathBuf> {
        let package = self.package("")?;
        let profile = Profile {
            release: true,
            ..Profile::default()
        };
        let driver = self.driver(&package)?;
        Ok(driver.product(&profile, "deps/exnpi_driver.map"))
    }

    /// Builds every fixture: a driver for each feature of two packages, and those in C.
    pub(crate) fn fixtures(&self, build: &BuildFixtures) -> Result<()> {
        let (arch, release) = (build.arch, build.release);
        let to = self.project.drivers(arch, release).join("fixtures");
        for driver in c_driver::drivers(arch) {
            let image = c_driver::build(self.project, &self.cross, arch, release, driver)?;
            deliver(&image, &to.join(driver.0).with_extension("sys"))?;
        }
        let plain = Profile {
            release,
            arch,
            ..Profile::default()
        };
        let package = self.package("cross/ntapi")?;
        let image = self.driver(&package)?.build(&plain)?;
        deliver(&image, &to.join("ntapi.sys"))?;
        for directory in ["cross/fixtures", "cross/glue"] {
            let package = self.package(directory)?;
            let driver = self.driver(&package)?;
            for fixture in features(&package)? {
                let features = vec![fixture.clone()];
                let image = driver.build(&Profile {
                    features,
                    ..plain.clone()
                })?;
                deliver(&image, &to.join(format!("{fixture}.sys")))?;
            }
        }
        Ok(())
    }

    /// Runs clippy on the sample, with the modules that it can have.
    pub(crate) fn clippy(&self) -> Result<()> {
        let package = self.package("")?;
        let driver = self.driver(&package)?;
        for role in Role::ALL {
            let mut cargo = driver.cargo("clippy", &of_role(role));
            command::run(cargo.args(["--quiet", "--", "--deny", "warnings"]))?;
        }
        Ok(())
    }
}

fn of_role(role: Role) -> Profile {
    Profile {
        no_default_features: true,
        features: vec![role.features().to_owned()],
        ..Profile::default()
    }
}

/// The features of a package of fixtures.
fn features(package: &Package) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Manifest {
        features: toml::Table,
    }
    let manifest = files::read(&package.directory.join("Cargo.toml"))?;
    let manifest: Manifest = toml::from_str(&manifest).with_context(|| package.name.clone())?;
    let names = manifest.features.into_iter().map(|(name, _)| name);
    Ok(names.collect())
}

/// Puts an image where it is looked for.
fn deliver(image: &Path, to: &Path) -> Result<()> {
    let size = files::copy(image, to)?;
    output::line(format_args!("{}  {size} bytes", files::shown(to)));
    Ok(())
}
