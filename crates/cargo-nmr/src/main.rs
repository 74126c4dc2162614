//! `cargo nmr`: makes a driver's package, builds it, tests it, packages it, and runs its image on the embedded
//! registrar. What happened is shown as text, as events for programs, or as a sequence diagram.
//!
//! Without a command it runs native modules of the sample's interface and tells the story of one binding.
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr, clippy::print_stdout)]
#![cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    allow(dead_code, unused_imports, reason = "images cannot be loaded here")
)]

mod check;
mod explain;
mod format;
mod images;
mod inspect;
mod job_thread;
mod new;
mod options;
mod output;
mod own;
mod package;
mod pause;
mod progress;
mod run;
mod script;
mod status;
mod stderr;
mod stop;
mod story;
mod trace;

use std::process::ExitCode;

use crate::options::{Command, CommandLine, Format, ResultOptions, RunOptions, StoryOptions};
use crate::output::Output;
use crate::run::Run;
use crate::stop::Stop;
use crate::trace::Trace;

fn main() -> ExitCode {
    let options = match options::parse() {
        Ok(options) => options,
        Err(help) if !help.use_stderr() => {
            let written = output::written(help.print());
            return written.map_or_else(|error| Stop::from(error).tell(), |()| ExitCode::SUCCESS);
        }
        Err(error) => {
            stderr::lines(&options::message(&error));
            return ExitCode::from(stop::BAD_USAGE);
        }
    };
    do_it(options).unwrap_or_else(|stop| stop.tell())
}

fn do_it(options: CommandLine) -> Result<ExitCode, Stop> {
    match options.command {
        None => tell_story(&options.story),
        Some(Command::Story(options)) => tell_story(&options),
        Some(Command::New(options)) => new::new(&options),
        Some(Command::Setup(options)) => own::setup(&options),
        Some(Command::Build(options)) => own::build(&options),
        Some(Command::Test(options)) => own::test(&options),
        Some(Command::Run(mut options)) => {
            if options.images.is_empty() {
                let package = own::package(&options.own)?;
                options.exercise.take(&package.settings)?;
                options.images = vec![own::built(&package, &options.own)?];
            }
            run_images(&options)
        }
        Some(Command::Faults(mut options)) => {
            options.images = own::images(&options.images, &options.own)?;
            Ok(images::faults(&options)?)
        }
        Some(Command::Inspect(options)) => {
            let image = own::image(options.image.as_deref(), &options.own)?;
            Ok(inspect::inspect(&image, &options)?)
        }
        Some(Command::Package(options)) => package::package(&options),
        Some(Command::Verify(options)) => Ok(package::verify(&options)?),
    }
}

/// Runs the story and writes it.
fn tell_story(options: &StoryOptions) -> Result<ExitCode, Stop> {
    options.total_calls()?;
    let policy = options.policy()?;
    let output = Output::open(options.result.output.as_deref(), &[])?;
    let faults = match story::tell(options, policy) {
        Ok(run) => show(&run, &options.result, output)?,
        Err(reason) => vec![reason],
    };
    Ok(report(&faults))
}

/// Runs images and writes what happened.
fn run_images(options: &RunOptions) -> Result<ExitCode, Stop> {
    let policy = options.policy()?;
    options.exercise.check()?;
    let output = Output::open(options.result.output.as_deref(), &options.images)?;
    let run = images::tell(options, policy)?;
    Ok(report(&show(&run, &options.result, output)?))
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
