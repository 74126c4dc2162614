//! The results, for people and for programs.

use std::fmt::Write;

use nmr_bench::statistics::Middle;
use serde::Serialize;

use crate::line::Line;
use crate::measure::Measurements;

/// What came out of a line.
#[derive(Serialize)]
pub(crate) struct Outcome {
    line: &'static str,
    value: Middle,
    bound: Option<String>,
    /// Whether the median keeps to the bound.
    pub(crate) holds: Option<bool>,
    /// What was measured for it.
    measured: Vec<Measured>,
}

/// Nanoseconds each.
#[derive(Serialize)]
struct Measured {
    name: &'static str,
    nanoseconds: Middle,
}

impl Outcome {
    pub(crate) fn of(line: &Line, measurements: &Measurements) -> Self {
        let variants = line.value.variants();
        let times: Vec<_> = variants
            .iter()
            .map(|variant| measurements.of(variant))
            .collect();
        let repetitions = 0..times[0].len();
        let value = Middle::of(repetitions.map(|repetition| {
            let at_once: Vec<_> = times.iter().map(|times| times[repetition]).collect();
            line.value.compute(&at_once)
        }));
        let measured = variants
            .iter()
            .zip(&times)
            .map(|(variant, times)| Measured {
                name: variant.name,
                nanoseconds: Middle::of(times.iter().copied()),
            });
        Self {
            line: line.name,
            value,
            bound: line.bound.map(|bound| bound.to_string()),
            holds: line.bound.map(|bound| bound.holds(value.median)),
            measured: measured.collect(),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.holds {
            Some(true) => "holds",
            Some(false) => "BROKEN",
            None => "",
        }
    }

    /// The quartiles, or the two modes.
    fn spread(&self) -> String {
        match self.value.modes {
            None => format!(
                "{} … {}",
                number(self.value.lower_quartile),
                number(self.value.upper_quartile)
            ),
            Some(modes) => modes
                .map(|mode| format!("{} ({:.0} %)", number(mode.median), 100.0 * mode.share))
                .join(" or "),
        }
    }

    /// The median and the quartiles or modes, the bound, the verdict, the nanoseconds, the name.
    fn cells(&self) -> [String; 6] {
        let times: Vec<_> = self
            .measured
            .iter()
            .map(|measured| number(measured.nanoseconds.median))
            .collect();
        [
            number(self.value.median),
            self.spread(),
            self.bound.clone().unwrap_or_default(),
            self.verdict().to_owned(),
            times.join(" / "),
            self.line.to_owned(),
        ]
    }
}

const HEADINGS: [&str; 6] = ["median", "quartiles or modes", "bound", "", "ns", "what"];

/// For a terminal.
pub(crate) fn text(outcomes: &[Outcome]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(outcomes.iter().map(Outcome::cells));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..HEADINGS.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
    }
    text
}

/// For the documentation.
pub(crate) fn markdown(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| what | median | quartiles or modes | bound | | ns |\n|---|--:|--:|--:|---|--:|\n",
    );
    for outcome in outcomes {
        let [median, quartiles, bound, verdict, times, name] = outcome.cells();
        writeln!(
            text,
            "| {name} | **{median}** | {quartiles} | {bound} | {verdict} | {times} |"
        )
        .expect("a string takes everything");
    }
    text
}

/// A number with three digits that matter, or all of those before the point.
pub(crate) fn number(value: f64) -> String {
    let places = match value.abs() {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    let digits = format!("{value:.places$}");
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}
