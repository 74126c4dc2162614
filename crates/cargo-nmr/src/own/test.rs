//! `cargo nmr test`.

use std::path::Path;
use std::process::ExitCode;

use driver_build::command;
use driver_host::IMAGE_VARIABLE;

use super::{TestOptions, built, package};
use crate::stop::Stop;

/// Whether images can be loaded on this machine.
const LOADS: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Builds the image and runs all tests of its package with it.
pub(crate) fn test(options: &TestOptions) -> Result<ExitCode, Stop> {
    let own = &options.own;
    let package = package(own)?;
    let mut cargo = command::clean(Path::new("cargo"));
    cargo.arg("test").current_dir(&package.directory);
    cargo.args(["--package", &package.name]);
    driver_build::build::select_features(&mut cargo, &own.profile);
    cargo.arg("--");
    if LOADS {
        cargo.env(IMAGE_VARIABLE, built(&package, own)?);
        cargo.arg("--include-ignored");
    }
    cargo.args(&options.arguments);
    command::run(&mut cargo).map_err(|error| Stop::failed(&error))?;
    Ok(ExitCode::SUCCESS)
}
