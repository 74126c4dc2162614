//! The table for programs.

use std::io::{self, Write};

use driver_host::Trial;
use serde::Serialize;

use super::{Findings, Run, table};

#[derive(Serialize)]
struct All<'a> {
    images: &'a [String],
    policy: String,
    /// How many points a run without a fault reaches, and how many bindings it makes.
    points: usize,
    bindings: usize,
    /// What is reported without a fault and does not count.
    warnings: Vec<String>,
    /// What is wrong without a fault. Then there are no runs.
    wrong: &'a [String],
    runs: Vec<One<'a>>,
    passes: bool,
}

#[derive(Serialize)]
struct One<'a> {
    /// The point. Without one, everything was refused at the unload.
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point<'a>>,
    /// How many points were refused.
    refused: usize,
    answer: String,
    bindings: usize,
    /// How many bindings are made when everything comes again.
    bindings_again: Option<usize>,
    leaks: usize,
    pool_left: usize,
    reports: Vec<String>,
    lost: &'a [String],
}

#[derive(Serialize)]
struct Point<'a> {
    number: u64,
    image: &'a str,
    function: &'a str,
    offset: Option<u64>,
    occurrence: u64,
    refusal: String,
}

/// Writes everything.
pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let all = All {
        images: &findings.images,
        policy: findings.policy.to_string(),
        points: findings.dry.points.len(),
        bindings: findings.dry.attached,
        warnings: findings.dry.warnings(),
        wrong: &findings.wrong,
        runs: findings.runs.iter().map(|run| one(findings, run)).collect(),
        passes: findings.all_is_well(),
    };
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)
}

fn one<'a>(findings: &Findings, run: &'a Run) -> One<'a> {
    let outcome = &run.outcome;
    let point = match &run.trial {
        Trial::Point(point, refusal) => Some(Point {
            number: point.ordinal,
            image: &point.site.image,
            function: &point.site.function,
            offset: point.site.offset,
            occurrence: point.site.occurrence,
            refusal: table::refusal_words(*refusal),
        }),
        Trial::Dry | Trial::Teardown => None,
    };
    let reports = outcome.reports.iter().map(ToString::to_string);
    let rules = outcome.rules.iter().map(ToString::to_string);
    One {
        point,
        refused: run.refused(),
        answer: run.answer(&findings.dry),
        bindings: outcome.attached,
        bindings_again: outcome.attached_again,
        leaks: outcome.leaks.len(),
        pool_left: outcome.pool_left,
        reports: reports.chain(rules).collect(),
        lost: &run.lost,
    }
}
