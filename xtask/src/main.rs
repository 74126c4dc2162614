//! `cargo xtask`: sets up a machine to build the driver, builds it, runs all tests, plants faults for them,
//! and installs the registrar for C.
//!
//! It exits with 0 if all was done, with 1 if something failed, which is on standard error, or if standard
//! output cannot be written, and with 2 if the command line is wrong. A reader of standard output who
//! does not want to read on is no failure.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod build;
mod c_driver;
mod faults;
mod install_c;
mod options;
mod packaging;
mod project;
mod size;
mod test;

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use driver_build::output;
use driver_build::setup::{self, Log};

use crate::build::Builder;
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
            // If it cannot be written, the exit code still says that the task failed.
            let reason = escaped(&format!("{error:#}"));
            output::error(format_args!("error: {reason}\n"));
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
    let project = Project::new(options.wishes.clone());
    let builder = || Builder::new(&project, Log::Changes);
    match &options.task {
        Task::Setup(options) => {
            let cross = project.cross(options.dir.as_deref())?;
            setup::ready(&cross, Log::All).map(drop)
        }
        Task::BuildDriver(build) => builder()?.sample(build),
        Task::BuildFixtures(build) => builder()?.fixtures(build),
        Task::Clippy => builder()?.clippy(),
        Task::Size => size::run(&builder()?),
        Task::InstallC(install) => install_c::run(&project, install),
        Task::Test(test) => test::run(&project, test),
        Task::PlantFaults(plant) => faults::run(&project, plant),
    }
}

/// A message without the characters that a terminal would obey: paths may hold any.
fn escaped(message: &str) -> String {
    let mut text = String::new();
    for character in message.chars() {
        let invisible = matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || invisible {
            // Writing to a string does not fail.
            let _ = write!(text, "{}", character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_is_one_line_without_control_characters() {
        let message = "cannot read /a\nb\u{1b}[2J\u{202e}c: gone";
        let expected = "cannot read /a\\nb\\u{1b}[2J\\u{202e}c: gone";
        assert_eq!(super::escaped(message), expected);
    }
}
