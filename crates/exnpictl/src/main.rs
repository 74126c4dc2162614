//! `exnpictl`: see the crate's text.
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use clap::Parser;
use exnpictl::{Device, Failure, Options};

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(help) if !help.use_stderr() => {
            return match help.print() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    complain(&format!("cannot write the output: {error}"), 2)
                }
                _ => ExitCode::SUCCESS,
            };
        }
        Err(error) => return complain(&exnpictl::message(&error), 2),
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
    // What cannot be written is left out: the exit code says as much.
    let line = format!("exnpictl: {why}\n");
    let _ = anstream::stderr().lock().write_all(line.as_bytes());
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
