//! `cargo xtask test`: everything from an empty machine to the tests of the images.

use std::env;
use std::process::Command;

use anyhow::Result;

use crate::build;
use crate::command;
use crate::options::{BuildDriver, BuildFixtures, Role, Rust};
use crate::output;
use crate::packaging;
use crate::project::Project;
use crate::setup::{self, Log};
use crate::target::Arch;
use crate::tools;

pub(crate) fn run(project: &Project, rust: Option<Rust>) -> Result<()> {
    step("set-up");
    let toolchain = setup::run(project, rust)?;
    packaging::make(project, Log::All)?;
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
        build::one_driver(project, toolchain, &image)?;
    }
    let (arch, release) = (Arch::X64, true);
    build::all_fixtures(project, toolchain, &BuildFixtures { arch, release })?;

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
