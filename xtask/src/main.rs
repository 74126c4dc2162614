//! `cargo xtask`: sets up a machine to build the driver, builds it, runs all tests, and installs the
//! registrar for C.

mod build;
mod c_driver;
mod command;
mod debian;
mod files;
mod install_c;
mod options;
mod packaging;
mod project;
mod setup;
mod size;
mod target;
mod test;
mod toolchain;
mod tools;
mod wdk;
mod wdk_build;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::options::{Options, Task};
use crate::project::Project;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let project = Project::new();
    match &options.task {
        Task::Setup => setup::run(&project, options.rust).map(drop),
        Task::BuildDriver(build) => build::driver(&project, options.rust, build),
        Task::BuildFixtures(build) => build::fixtures(&project, options.rust, build),
        Task::Clippy => build::clippy(&project, options.rust),
        Task::Size => size::run(&project, options.rust),
        Task::InstallC(install) => install_c::run(&project, install),
        Task::Test => test::run(&project, options.rust),
    }
}
