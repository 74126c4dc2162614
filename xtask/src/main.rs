//! `cargo xtask`: sets up a machine to build the driver, builds it, runs all tests, and installs the
//! registrar for C.
//!
//! It exits with 0 if all was done, with 1 if something failed, which standard error tells, or if standard
//! output cannot be written, and with 2 if the command line is wrong. A reader of standard output who
//! does not want to read on is no failure.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod build;
mod c_driver;
mod command;
mod debian;
mod files;
mod install_c;
mod options;
mod output;
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

use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::options::{Options, Task};
use crate::project::Project;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return explain(&error),
    };
    match run(&options).and_then(|()| output::check()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(format_args!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Prints help, or what is wrong with the command line.
fn explain(error: &clap::Error) -> ExitCode {
    let written = error.print();
    let failed = written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe);
    if error.use_stderr() {
        ExitCode::from(2)
    } else if failed {
        output::error(format_args!("error: standard output cannot be written\n"));
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
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
