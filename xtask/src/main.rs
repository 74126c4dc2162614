//! `cargo xtask`: sets up a machine to build the driver, builds it, runs all tests, and installs the
//! registrar for C. Exits with 0 on success, with 1 if a task failed, and with 2 if the command line is
//! wrong.

mod build;
mod c_driver;
mod command;
mod debian;
mod files;
mod install_c;
mod lock;
mod mingw;
mod missing;
mod options;
mod package;
mod packaging;
mod project;
mod setup;
mod size;
mod target;
mod test;
mod toolchain;
mod tools;
mod tree;
mod wdk;
mod wdk_build;

use std::fmt::Write as _;
use std::io::{self, Write as _};
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
            // If it cannot be written, the exit code still says that the task failed.
            let _ = writeln!(io::stderr(), "error: {}", escaped(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let project = Project::new(options);
    match &options.task {
        Task::Setup(setup) => {
            setup::run(&project.with_made(setup.dir.as_deref())?, options.rust).map(drop)
        }
        Task::BuildDriver(build) => build::driver(&project, options.rust, build),
        Task::BuildFixtures(build) => build::fixtures(&project, options.rust, build),
        Task::Clippy => build::clippy(&project, options.rust),
        Task::Size => size::run(&project, options.rust),
        Task::InstallC(install) => install_c::run(&project, install),
        Task::Test => test::run(&project, options.rust),
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
