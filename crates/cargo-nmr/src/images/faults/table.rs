//! The table to read.

use std::io::{self, Write};

use driver_host::{Fate, Point, Refusal, Step, Trial, printable};

use super::{Findings, Run};
use crate::format::paint::{self, paint};
use crate::script;
use crate::status;

/// The headings of the columns.
const HEADINGS: [&str; 6] = ["point", "function", "at", "refused with", "answer", "lost"];

/// Writes everything.
pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("Faults in {}", script::list(&findings.images));
    writeln!(out, "{}\n", paint(paint::heading(), title))?;
    let points = findings.dry.points.len();
    writeln!(out, "  points    {points}")?;
    writeln!(out, "  bindings  {}", findings.dry.attached)?;
    for warning in findings.dry.warnings() {
        writeln!(
            out,
            "  warning   {} (without a fault, so it does not count)",
            printable(&warning)
        )?;
    }
    if findings.wrong.is_empty() {
        write_table(findings, out)?;
    }
    write_end(findings, out)
}

fn write_table(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<_> = findings.runs.iter().map(|run| row(findings, run)).collect();
    let headings = HEADINGS.map(str::to_owned);
    let widths: Vec<_> = (0..HEADINGS.len())
        .map(|column| {
            let cells = rows.iter().chain([&headings]).map(|row| &row[column]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| match column {
            0 => format!("{cell:>width$}"),
            5 => cell.clone(),
            _ => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    writeln!(out, "\n  {}", paint(paint::quiet(), line(&headings)))?;
    for (row, run) in rows.iter().zip(&findings.runs) {
        if run.lost.is_empty() {
            writeln!(out, "  {}", line(row))?;
        } else {
            writeln!(out, "  {}", paint(paint::bad(), line(row)))?;
        }
        for lost in &run.lost {
            writeln!(out, "         {lost}")?;
        }
    }
    Ok(())
}

fn row(findings: &Findings, run: &Run) -> [String; 6] {
    let answer = run.answer(&findings.dry);
    let lost = match run.lost.len() {
        0 => "nothing".to_owned(),
        1 => "1 thing".to_owned(),
        more => format!("{more} things"),
    };
    let [number, function, at, refusal] = match &run.trial {
        Trial::Point(point, refusal) => [
            point.ordinal.to_string(),
            printable(&point.site.function),
            place(findings, point),
            refusal_words(*refusal),
        ],
        Trial::Dry | Trial::Teardown => [
            "all".to_owned(),
            "of the unload".to_owned(),
            String::new(),
            format!("{} refusals", run.refused()),
        ],
    };
    [number, function, at, refusal, answer, lost]
}

/// Where a point is: the image if there are several, the offset, and how often the place was reached
/// before.
fn place(findings: &Findings, point: &Point) -> String {
    let site = &point.site;
    let mut parts = Vec::new();
    if findings.images.len() > 1 {
        parts.push(printable(&site.image));
    }
    parts.extend(site.offset.map(|offset| format!("{offset:#x}")));
    if site.occurrence > 1 {
        parts.push(format!("x{}", site.occurrence));
    }
    parts.join(" ")
}

pub(super) fn refusal_words(refusal: Refusal) -> String {
    match refusal {
        Refusal::Null => "NULL".to_owned(),
        Refusal::Status(status) => status::name(status).into_owned(),
    }
}

/// What failed for the driver in a step, in words.
pub(super) fn step_words(step: &Step) -> Option<String> {
    Some(match &step.fate {
        Fate::NotLoaded(status) => format!("DriverEntry {}", status::name(*status)),
        Fate::NoDevice(status) => format!("AddDevice {}", status::name(*status)),
        Fate::Refused(reason) => printable(reason),
        Fate::NotUnloaded => "stays in memory".to_owned(),
        Fate::Stopped => "stops the machine".to_owned(),
        Fate::Loaded | Fate::Unloaded => return None,
    })
}

fn write_end(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let runs = findings.runs.len();
    let lost = findings.runs.iter().filter(|run| !run.lost.is_empty());
    let runs = match runs {
        1 => "1 run".to_owned(),
        more => format!("{more} runs"),
    };
    let end = match (&*findings.wrong, lost.count()) {
        ([], 0) => paint(paint::good(), format!("{runs}: nothing is lost.")),
        ([], 1) => paint(paint::bad(), format!("{runs}: something is lost in 1.")),
        ([], lost) => paint(
            paint::bad(),
            format!("{runs}: something is lost in {lost}."),
        ),
        (wrong, _) => {
            writeln!(out)?;
            for wrong in wrong {
                writeln!(out, "  {}     {wrong}", paint(paint::bad(), "wrong"))?;
            }
            paint(
                paint::bad(),
                "It is wrong without a fault, so none was tried.",
            )
        }
    };
    writeln!(out, "\n  {end}")
}
