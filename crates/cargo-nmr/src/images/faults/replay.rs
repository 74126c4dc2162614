//! A replay of one run of `faults`, in the form of any other run.

use std::io::{self, Write};

use driver_host::{Fate, Step};
use nmr_host::{Actor, Record};

use super::super::excerpt::Excerpt;
use super::super::messages;
use super::super::names;
use super::super::session::{LOADING, WORKING};
use super::{Findings, table};
use crate::check;
use crate::format;
use crate::options::Format;
use crate::run::{Annotation, Expected, Images, Marker, Participants, Run};
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
        reports: reports.map(messages::report).collect(),
        pool_left: outcome.pool_left,
        ..Images::default()
    };
    Run {
        title: format!("When {}", run.what_failed()),
        participants: participants(&outcome.steps, &records),
        policy: findings.policy.clone(),
        annotations: outcome.steps.iter().map(annotation).collect(),
        records,
        reports: outcome.rules.clone(),
        leaks: outcome.leaks.clone(),
        expected: Expected::Anything,
        failure: None,
        images: Some(images),
    }
}

fn annotation(step: &Step) -> Annotation {
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
    Annotation {
        at: step.at,
        marker: Marker::Section { title, text },
    }
}

/// The image of a step. A native peer has none, and this program starts no peer.
fn name(step: &Step) -> &str {
    step.image.as_deref().unwrap_or("the peer")
}

/// The modules with their names, and the threads with what they do.
fn participants(steps: &[Step], records: &[Record]) -> Participants {
    let mut participants = Participants::default();
    for (place, step) in steps.iter().enumerate() {
        let end = steps.get(place + 1).map_or(u64::MAX, |next| next.at);
        let during = |record: &&Record| (step.at..end).contains(&record.sequence);
        let excerpt = Excerpt(records.iter().filter(during).cloned().collect());
        for (id, name) in names::of_modules(name(step), &excerpt.registered()) {
            if participants.modules.iter().all(|(known, _)| *known != id) {
                participants.modules.push((id, name));
            }
        }
    }
    let mut calls = records.iter().filter(|record| record.caller != Actor::Nmr);
    if let Some(first) = calls.next() {
        participants.add_thread(first.thread, LOADING);
    }
    participants.add_callers(records, WORKING);
    participants.with_workers(records)
}
