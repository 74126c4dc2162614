//! The laboratory: runs network modules on the embedded registrar, and shows what happened as text,
//! as events for programs, or as a sequence diagram.
#![forbid(unsafe_code)]

mod check;
mod explain;
mod format;
mod hand;
mod options;
mod output;
mod pause;
mod progress;
mod run;
mod script;
mod status;
mod story;
mod trace;
mod watched;

use std::process::ExitCode;

use crate::options::{Format, StoryOptions};
use crate::output::Output;
use crate::trace::Trace;

/// The command line is wrong, or the output cannot be written.
const BAD_USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match options::parse() {
        Ok(options) => options.story,
        Err(help) if !help.use_stderr() => {
            // Nobody is left to be told if this fails.
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return bad_usage(&options::one_line(&error)),
    };
    match tell_story(&options) {
        Ok(faults) => report(&faults),
        Err(error) => bad_usage(&error),
    }
}

/// Runs the story and writes it. Returns what was wrong with it.
fn tell_story(options: &StoryOptions) -> Result<Vec<String>, String> {
    options.total_calls()?;
    let policy = options.registrar_policy()?;
    let mut output = Output::open(options.output.as_deref())?;
    let run = match story::tell(options, policy) {
        Ok(run) => run,
        Err(reason) => return Ok(vec![reason]),
    };
    let trace = Trace::new(&run);
    let verdict = check::judge(&run, &trace);
    let styled = options.format == Format::Text;
    output.write(styled, |out| {
        format::write(options.format, &run, &trace, &verdict, out)
    })?;
    Ok(verdict.faults)
}

fn report(faults: &[String]) -> ExitCode {
    for fault in faults {
        anstream::eprintln!("nmr-lab: the run was wrong: {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn bad_usage(error: &str) -> ExitCode {
    anstream::eprintln!("nmr-lab: {error}");
    ExitCode::from(BAD_USAGE)
}
