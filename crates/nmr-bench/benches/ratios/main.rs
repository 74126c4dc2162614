//! The ratios that have to hold, measured in one run.

use std::process::ExitCode;
use std::thread;

use clap::Parser;
use nmr_bench::{document, processors};

mod line;
mod measure;
mod table;
mod works;

use crate::line::{LINES, Line};
use crate::measure::Measurements;
use crate::table::Outcome;

/// Measures the ratios that have to hold, and fails if one does not.
///
/// Everything is measured once in each repetition. A ratio is computed for each repetition; what
/// counts is the median of those. All of it takes about a minute.
#[derive(Parser)]
#[command(name = "ratios", after_help = EXAMPLES)]
struct Arguments {
    /// Only the lines that contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// How often everything is measured
    #[arg(long, value_name = "NUMBER", default_value_t = 101, value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: u32,

    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Print the lines instead of measuring them
    #[arg(long)]
    list: bool,

    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

const EXAMPLES: &str = "\
Examples:
  cargo bench -p nmr-bench --bench ratios
  cargo bench -p nmr-bench --bench ratios -- --filter 'six callbacks' --repetitions 100
  cargo bench -p nmr-bench --bench ratios -- --json > ratios.json
  UPDATE_DOCS=1 cargo bench -p nmr-bench --bench ratios

With UPDATE_DOCS=1 the whole table also goes into docs/performance.md.
The exit code is 1 if a bound is broken, and 2 if no line contains the text.";

/// Starts a thread that does nothing: the C library takes no locks in a process that has one thread.
fn begin_second_thread() {
    thread::spawn(|| {
        loop {
            thread::park();
        }
    });
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let _ = arguments.bench;
    let filter = arguments.filter.as_deref().unwrap_or_default();
    let lines: Vec<&Line> = LINES
        .iter()
        .filter(|line| line.name.contains(filter))
        .collect();
    if lines.is_empty() {
        eprintln!("ratios: no line contains '{filter}'; --list shows all");
        return ExitCode::from(2);
    }
    if arguments.list {
        for line in lines {
            println!("{}", line.name);
        }
        return ExitCode::SUCCESS;
    }
    // A pinned thread sees one processor.
    let machine = document::circumstances();
    begin_second_thread();
    processors::pin(0);
    let measurements = Measurements::take(&lines, arguments.repetitions);
    let outcomes: Vec<_> = lines
        .iter()
        .map(|line| Outcome::of(line, &measurements))
        .collect();
    if document::wanted() && filter.is_empty() {
        let table = table::markdown(&outcomes);
        let times = arguments.repetitions;
        document::write(
            "ratios",
            &format!("{machine} {times} repetitions.\n\n{table}"),
        );
    }
    if arguments.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&outcomes).expect("these are plain values")
        );
    } else {
        print!("{}", table::text(&outcomes));
    }
    if outcomes.iter().any(|outcome| outcome.holds == Some(false)) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
