//! `cargo xtask test`: everything from an empty machine to the tests of the images.

use std::env;
use std::process::Command;

use anyhow::Result;
use driver_build::setup::Log;
use driver_build::{Arch, command, output, tools};

use crate::build::Builder;
use crate::options::{BuildDriver, BuildFixtures, Role};
use crate::packaging;
use crate::project::Project;

pub(crate) fn run(project: &Project) -> Result<()> {
    step("set-up");
    let builder = Builder::new(project, Log::All)?;
    packaging::make(&project.cross(None)?, Log::All)?;
    tools::for_c(Log::All)?;
    tools::for_packages(Log::All)?;

    step("tests of the host");
    command::run(cargo(project).arg("test"))?;
    command::run(cargo(project).args(["test", "--package", "exnpictl", "--package", "xtask"]))?;

    step("drivers");
    let for_arm = (Role::Both, Arch::Arm64);
    let images = Role::ALL.map(|role| (role, Arch::X64));
    for (role, arch) in images.into_iter().chain([for_arm]) {
        let image = BuildDriver {
            role,
            arch,
            release: true,
        };
        builder.sample(&image)?;
    }
    let (arch, release) = (Arch::X64, true);
    builder.fixtures(&BuildFixtures { arch, release })?;

    step("tests of the drivers");
    let mut images = cargo(project);
    images.arg("test");
    for package in [
        "exnpi-driver",
        "driver-host",
        "driver-package",
        "cargo-nmr",
        "exnpictl",
    ] {
        images.args(["--package", package]);
    }
    command::run(images.args(["--tests", "--", "--ignored"]))
}

fn step(name: &str) {
    output::line(format_args!("\n== {name}"));
}

/// Cargo, for programs of this machine.
fn cargo(project: &Project) -> Command {
    // The one that runs this program.
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(project.root());
    cargo
}
