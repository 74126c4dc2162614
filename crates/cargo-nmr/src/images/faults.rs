//! Faults in driver images: every run of a scenario with one thing refused, and what was lost.

mod json;
mod replay;
mod table;

use std::process::ExitCode;

use driver_host::{Outcome, Scenario, Trial, printable};
use nmr_host::Policy;

use super::{names, read_loadable};
use crate::options::{FactsFormat, FaultsOptions, UnloadOrder};
use crate::output::Output;
use crate::progress::Progress;
use crate::stderr;

/// What was done, and what it led to.
struct Findings {
    /// What the images are called.
    images: Vec<String>,
    policy: Policy,
    /// The run without a fault.
    dry: Outcome,
    /// What is wrong with that.
    wrong: Vec<String>,
    runs: Vec<Run>,
}

/// A run with a fault.
struct Run {
    trial: Trial,
    outcome: Outcome,
    lost: Vec<String>,
}

/// Lets each thing fail that images ask for. The exit code is 1 if something was lost.
pub(crate) fn faults(options: &FaultsOptions) -> Result<ExitCode, String> {
    let policy = options.policy()?;
    let bytes = read_loadable(&options.images)?;
    let images = names::of_images(&options.images);
    let scenario = Scenario {
        unload_in_order: options.unload_order == UnloadOrder::First,
        policy,
        ..Scenario::new(images.iter().cloned().zip(bytes).collect())
    };
    let dry = scenario.run(&Trial::Dry);
    let wrong = printed(&dry.wrong());
    let trials = chosen(&dry, options.point)?;
    let runs = if wrong.is_empty() {
        run_all(&scenario, &dry, trials)
    } else {
        Vec::new()
    };
    let findings = Findings {
        images,
        policy: scenario.policy,
        dry,
        wrong,
        runs,
    };
    let replayed = match options.point {
        Some(_) => findings.runs.as_slice(),
        None => &[],
    };
    let styled = options.format == FactsFormat::Text;
    Output::Standard.write(styled, |out| match options.format {
        FactsFormat::Json => json::write(&findings, out),
        FactsFormat::Text => {
            table::write(&findings, out)?;
            let mut runs = replayed.iter();
            runs.try_for_each(|run| replay::write(&findings, run, out))
        }
    })?;
    Ok(complain(&findings))
}

/// The trials that follow from the dry run, or those of one point.
fn chosen(dry: &Outcome, point: Option<u64>) -> Result<Vec<Trial>, String> {
    let Some(number) = point else {
        return Ok(dry.trials());
    };
    if !dry.points.iter().any(|point| point.ordinal == number) {
        let count = dry.points.len();
        return Err(format!("--point {number}: there are {count} points"));
    }
    let is_it = |trial: &Trial| matches!(trial, Trial::Point(point, _) if point.ordinal == number);
    Ok(dry.trials().into_iter().filter(is_it).collect())
}

fn run_all(scenario: &Scenario, dry: &Outcome, trials: Vec<Trial>) -> Vec<Run> {
    let mut progress = Progress::new("failing", trials.len() as u64);
    let runs = trials
        .into_iter()
        .map(|trial| {
            let outcome = scenario.run(&trial);
            progress.step();
            let lost = printed(&outcome.lost(dry));
            Run {
                trial,
                outcome,
                lost,
            }
        })
        .collect();
    progress.finish();
    runs
}

fn printed(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| printable(line)).collect()
}

/// Says on standard error what was lost.
fn complain(findings: &Findings) -> ExitCode {
    for wrong in &findings.wrong {
        stderr::line(format_args!("wrong without a fault: {wrong}"));
    }
    for run in &findings.runs {
        for lost in &run.lost {
            stderr::line(format_args!("lost when {}: {lost}", run.what_failed()));
        }
    }
    if findings.all_is_well() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Findings {
    fn all_is_well(&self) -> bool {
        self.wrong.is_empty() && self.runs.iter().all(|run| run.lost.is_empty())
    }
}

impl Run {
    /// What did not work, in words.
    fn what_failed(&self) -> String {
        match &self.trial {
            Trial::Point(point, _) => format!("{} failed", printable(&point.site.to_string())),
            Trial::Dry | Trial::Teardown => "everything failed at the unload".to_owned(),
        }
    }

    /// What the driver did about it, in words, for each image that did something.
    fn answer(&self, dry: &Outcome) -> String {
        let failures = self.outcome.steps.iter().filter_map(table::step_words);
        let failures: Vec<_> = failures.collect();
        if !failures.is_empty() {
            return failures.join(", ");
        }
        match dry.attached.saturating_sub(self.outcome.attached) {
            0 if self.refused() == 0 => "asks for nothing".to_owned(),
            0 => "goes on".to_owned(),
            1 => "attach refused".to_owned(),
            more => format!("{more} attaches refused"),
        }
    }

    /// How many points were refused.
    fn refused(&self) -> usize {
        let refused = self.outcome.points.iter();
        refused.filter(|point| point.refused.is_some()).count()
    }
}
