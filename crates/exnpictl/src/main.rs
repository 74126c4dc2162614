//! `exnpictl`: see the crate's text.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use exnpictl::{Device, Failure, Options};

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(help) if !help.use_stderr() => {
            // Nobody is left to be told if this fails.
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return complain(&exnpictl::one_line(&error), 2),
    };
    let done = open(&options)
        .and_then(|device| exnpictl::run(&options, &*device, &mut anstream::stdout().lock()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(why)) => complain(&why, 1),
        Err(Failure::Output(why)) => complain(&why, 2),
        Err(Failure::NoDevice(why)) => complain(&why, 3),
    }
}

fn complain(why: &str, code: u8) -> ExitCode {
    anstream::eprintln!("exnpictl: {why}");
    ExitCode::from(code)
}

#[cfg(windows)]
fn open(options: &Options) -> Result<Box<dyn Device>, Failure> {
    let writes = options.command.writes();
    Ok(Box::new(exnpictl::windows::Driver::open(writes)?))
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn open(options: &Options) -> Result<Box<dyn Device>, Failure> {
    Ok(Box::new(exnpictl::image::Driver::load(&options.images)?))
}

#[cfg(not(any(windows, all(target_os = "linux", target_arch = "x86_64"))))]
fn open(_options: &Options) -> Result<Box<dyn Device>, Failure> {
    Err(Failure::NoDevice(
        "there is a driver on Windows only, and images can be loaded on x86-64 Linux only"
            .to_owned(),
    ))
}
