//! The laboratory: runs network modules on the embedded registrar, and shows what happened as text,
//! as events for programs, or as a sequence diagram. The modules are native ones, or come from
//! driver images.
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr, clippy::print_stdout)]
#![cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    allow(dead_code, unused_imports, reason = "images cannot be loaded here")
)]

mod check;
mod explain;
mod format;
mod hand;
mod images;
mod inspect;
mod options;
mod output;
mod package;
mod pause;
mod progress;
mod run;
mod script;
mod status;
mod stderr;
mod story;
mod trace;
mod watched;

use std::process::ExitCode;

use crate::options::{Command, Format, ResultOptions, RunOptions, StoryOptions};
use crate::output::Output;
use crate::run::Run;
use crate::trace::Trace;

/// The command line is wrong, or the output cannot be written.
const BAD_USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match options::parse() {
        Ok(options) => options,
        Err(help) if !help.use_stderr() => {
            let written = output::written(help.print());
            return written.map_or_else(|error| bad_usage(&error), |()| ExitCode::SUCCESS);
        }
        Err(error) => return bad_usage(&options::one_line(&error)),
    };
    let done = match &options.command {
        None => tell_story(&options.story).map(|faults| report(&faults)),
        Some(Command::Run(options)) => run_images(options).map(|faults| report(&faults)),
        Some(Command::Faults(options)) => images::faults(options),
        Some(Command::Inspect(options)) => inspect::inspect(options),
        Some(Command::Package(options)) => package::package(options),
        Some(Command::Verify(options)) => package::verify(options),
    };
    done.unwrap_or_else(|error| bad_usage(&error))
}

/// Runs the story and writes it. Returns what was wrong with it.
fn tell_story(options: &StoryOptions) -> Result<Vec<String>, String> {
    options.total_calls()?;
    let policy = options.policy()?;
    let output = Output::open(options.result.output.as_deref(), &[])?;
    match story::tell(options, policy) {
        Ok(run) => show(&run, &options.result, output),
        Err(reason) => Ok(vec![reason]),
    }
}

/// Runs images and writes what happened. Returns what was wrong with it.
fn run_images(options: &RunOptions) -> Result<Vec<String>, String> {
    let policy = options.policy()?;
    options.exercise.check()?;
    let output = Output::open(options.result.output.as_deref(), &options.images)?;
    let run = images::tell(options, policy)?;
    show(&run, &options.result, output)
}

/// Judges a run and writes it. Returns what was wrong with it.
fn show(run: &Run, options: &ResultOptions, output: Output<'_>) -> Result<Vec<String>, String> {
    let format = options.format;
    let trace = Trace::new(run).only(run, &options.sections)?;
    let verdict = check::judge(run, &trace);
    let width = match options.output {
        None => format::terminal_width(),
        Some(_) => format::WIDTH,
    };
    output.write(format == Format::Text, |out| {
        format::write((format, width), run, &trace, &verdict, out)
    })?;
    Ok(verdict.faults)
}

fn report(faults: &[String]) -> ExitCode {
    for fault in faults {
        stderr::line(format_args!("the run was wrong: {fault}"));
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn bad_usage(error: &str) -> ExitCode {
    stderr::line(format_args!("{error}"));
    ExitCode::from(BAD_USAGE)
}
