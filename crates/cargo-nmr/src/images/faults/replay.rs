//! What the registrar saw in one run, told like any other.

use std::io::{self, Write};

use driver_host::{Fate, Step};
use nmr_host::{Actor, Record};

use super::super::names;
use super::super::sayings;
use super::super::seen::Seen;
use super::super::stage::{LOADING, WORKING};
use super::{Findings, table};
use crate::check;
use crate::format;
use crate::options::Format;
use crate::run::{Beat, Cast, Cue, Expected, Images, Run};
use crate::trace::Trace;

/// Writes the story of a run.
pub(super) fn write(findings: &Findings, run: &super::Run, out: &mut dyn Write) -> io::Result<()> {
    let story = story(findings, run);
    let trace = Trace::new(&story);
    let verdict = check::judge(&story, &trace);
    writeln!(out)?;
    format::write(
        (Format::Text, format::terminal_width()),
        &story,
        &trace,
        &verdict,
        out,
    )
}

fn story(findings: &Findings, run: &super::Run) -> Run {
    let outcome = &run.outcome;
    let records = outcome.records.clone();
    let reports = outcome.reports.iter();
    let images = Images {
        fates: Vec::new(),
        reports: reports.map(sayings::report).collect(),
        pool_left: outcome.pool_left,
        ..Images::default()
    };
    Run {
        title: format!("When {}", run.what_failed()),
        cast: cast(&outcome.steps, &records),
        policy: findings.policy.clone(),
        beats: outcome.steps.iter().map(beat).collect(),
        records,
        reports: outcome.rules.clone(),
        leaks: outcome.leaks.clone(),
        expected: Expected::Anything,
        failure: None,
        images: Some(images),
    }
}

fn beat(step: &Step) -> Beat {
    let name = name(step);
    let title = match step.fate {
        Fate::Loaded => format!("{name} is loaded"),
        Fate::NotLoaded(_) | Fate::Refused(_) => format!("{name} is not loaded"),
        Fate::NoDevice(_) => format!("{name} gets no device"),
        Fate::Unloaded => format!("{name} is unloaded"),
        Fate::NotUnloaded => format!("{name} cannot be unloaded"),
        Fate::Stopped => format!("{name} ends everything"),
    };
    let text = table::step_words(step).map_or_else(String::new, |words| format!("{words}."));
    Beat {
        at: step.at,
        cue: Cue::Section { title, text },
    }
}

/// The image of a step. A native peer has none, and this program starts no peer.
fn name(step: &Step) -> &str {
    step.image.as_deref().unwrap_or("the peer")
}

/// The modules with their names, and the threads with what they do.
fn cast(steps: &[Step], records: &[Record]) -> Cast {
    let mut cast = Cast::default();
    for (place, step) in steps.iter().enumerate() {
        let end = steps.get(place + 1).map_or(u64::MAX, |next| next.at);
        let during = |record: &&Record| (step.at..end).contains(&record.sequence);
        let seen = Seen(records.iter().filter(during).cloned().collect());
        for (id, name) in names::of_modules(name(step), &seen.registered()) {
            if cast.modules.iter().all(|(known, _)| *known != id) {
                cast.modules.push((id, name));
            }
        }
    }
    let mut calls = records.iter().filter(|record| record.caller != Actor::Nmr);
    if let Some(first) = calls.next() {
        cast.add_thread(first.thread, LOADING);
    }
    cast.add_callers(records, WORKING);
    cast.with_workers(records)
}
