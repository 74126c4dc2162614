//! The package of the current directory: set up, build, test; and its image for the commands that take one.

mod options;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use driver_build::build::{self, Driver};
use driver_build::package::Package;
use driver_build::setup::{self, Log};
use driver_build::{Cross, command, files, output};

pub(crate) use options::{BuildOptions, OwnPackage, SetupOptions, TestOptions};
pub(crate) use test::test;

use crate::output::Output;
use crate::stop::Stop;

/// `cargo nmr setup`: says in a line each what is there, and installs what is missing.
pub(crate) fn setup(options: &SetupOptions) -> Result<ExitCode, Stop> {
    let directory = options.dir.clone();
    let directory = directory.map_or_else(target_directory, Ok);
    let done = directory.and_then(|directory| {
        let cross = Cross::at(&directory, options.tools.clone())?;
        setup::ready(&cross, Log::All)?;
        output::check()
    });
    done.map_err(|error| Stop::failed(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the packages around the current directory have what the set-up makes.
fn target_directory() -> anyhow::Result<PathBuf> {
    let metadata = driver_build::package::workspace(None);
    let metadata = metadata.context("name a directory with --dir, or go to a driver's package")?;
    Ok(metadata.target_directory.join("nmr").into())
}

/// `cargo nmr build`: compiles the driver and says where its image is.
pub(crate) fn build(options: &BuildOptions) -> Result<ExitCode, Stop> {
    if cfg!(windows) {
        return hand_over(options).map_err(|error| Stop::failed(&error));
    }
    let image = built(&package(&options.own)?, &options.own)?;
    let size = image.metadata().map(|image| image.len());
    let size = size.map_err(|error| format!("{}: {error}", image.display()))?;
    Output::Standard.write(false, |out| {
        writeln!(out, "{}  {size} bytes", files::shown(&image))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The images that were named, or the one of this package, which is built first.
pub(crate) fn images(given: &[PathBuf], own: &OwnPackage) -> Result<Vec<PathBuf>, Stop> {
    if given.is_empty() {
        return Ok(vec![image(None, own)?]);
    }
    Ok(given.to_vec())
}

/// The image that was named, or the one of this package, which is built first.
pub(crate) fn image(given: Option<&Path>, own: &OwnPackage) -> Result<PathBuf, Stop> {
    match given {
        Some(image) => Ok(image.to_owned()),
        None => built(&package(own)?, own),
    }
}

/// Builds the image of a package.
pub(crate) fn built(package: &Package, own: &OwnPackage) -> Result<PathBuf, Stop> {
    if cfg!(windows) {
        let hint = "name the image: on Windows `cargo build` or `cargo make` builds it";
        return Err(hint.to_owned().into());
    }
    let cross = Cross::new(&package.target_directory, own.tools.clone());
    let built = setup::ready(&cross, Log::Changes).and_then(|toolchain| {
        let driver = Driver::new(&cross, toolchain, package, Log::Changes)?;
        driver.build(&own.profile)
    });
    built.map_err(|error| Stop::failed(&error))
}

/// The package that is meant.
pub(crate) fn package(own: &OwnPackage) -> Result<Package, Stop> {
    let found = Package::find(own.manifest_path.as_deref(), own.package.as_deref());
    found.map_err(|error| {
        let hint = "a driver's package is made by `cargo nmr new`";
        Stop::from(format!("{error:#}; {hint}"))
    })
}

/// On Windows the WDK is there, and Cargo builds drivers with it.
fn hand_over(options: &BuildOptions) -> anyhow::Result<ExitCode> {
    let own = &options.own;
    let mut cargo = command::clean(Path::new("cargo"));
    cargo.args(["build", "--target", own.profile.arch.triple()]);
    if let Some(manifest) = &own.manifest_path {
        cargo.arg("--manifest-path").arg(manifest);
    }
    if let Some(package) = &own.package {
        cargo.args(["--package", package]);
    }
    build::select(&mut cargo, &own.profile);
    command::run(&mut cargo)?;
    Ok(ExitCode::SUCCESS)
}
