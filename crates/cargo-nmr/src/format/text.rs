//! The explanation: sections with what the reader should know, and every step with its thread,
//! indented by what it is inside.

pub(super) mod summary;

use std::collections::HashSet;
use std::io::{self, Write};

use nmr_host::{Actor, ModuleId};

use super::paint::{self, paint};
use super::{call_words, result_words, wrap};
use crate::check::Verdict;
use crate::explain;
use crate::run::Run;
use crate::trace::{Item, Step, Trace};

/// The margin of explanations.
const MARGIN: usize = 3;
/// The least width of the names of modules and threads.
const NAMES: usize = 10;

/// Writes what is shown of a trace, and the summary.
pub(super) fn write(
    run: &Run,
    trace: &Trace<'_>,
    verdict: &Verdict,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_head(run, trace, out)?;
    let mut known = HashSet::new();
    for item in trace.items(run) {
        match item {
            Item::Section {
                number,
                title,
                text,
            } => write_section((number, title, text), width, out)?,
            Item::Folded(text) => writeln!(
                out,
                "      {}",
                paint(paint::quiet(), format!("… {text} …"))
            )?,
            Item::Note(text) => writeln!(out, "       {text}")?,
            Item::Step(step) => {
                write_step(trace, step, out)?;
                write_why(step, &mut known, out)?;
            }
        }
    }
    summary::write(run, verdict, width, out)
}

fn write_head(run: &Run, trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", paint(paint::heading(), &run.title))?;
    let names = trace.participants.iter();
    let longest = names
        .map(|participant| participant.name.chars().count())
        .max();
    let width = NAMES.max(longest.unwrap_or_default() + 2);
    for participant in &trace.participants {
        if let Actor::Module(module) = participant.actor {
            let id = module.id.map_or_else(String::new, identity);
            writeln!(
                out,
                "  {:<width$}{:<10}{id}",
                participant.name, participant.kind
            )?;
        }
    }
    for (name, group) in run.participants.thread_groups() {
        let kind = if group.len() == 1 {
            "thread"
        } else {
            "threads"
        };
        let what = group.first().map_or("", |(_, what)| what);
        writeln!(out, "  {name:<width$}{kind:<10}{what}")?;
    }
    Ok(())
}

fn identity(id: ModuleId) -> String {
    format!("module {id}")
}

fn write_section(
    (number, title, text): (usize, &str, &str),
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let heading = format!("{number}. {title}");
    writeln!(out, "\n{}", paint(paint::heading(), heading))?;
    for line in wrap(text, width - MARGIN) {
        writeln!(out, "   {line}")?;
    }
    writeln!(out)
}

fn write_step(trace: &Trace<'_>, step: &Step<'_>, out: &mut dyn Write) -> io::Result<()> {
    if step.is_refused() && step.is_call() {
        return write_refused(trace, step, out);
    }
    if step.is_refused() {
        return Ok(());
    }
    let margin = margin(step);
    let place = place(step);
    if step.is_call() {
        let words = call_line(trace, step);
        return writeln!(out, "{margin}{words}{place}");
    }
    let function = &step.record.function;
    let result = match result_words(step) {
        nothing if nothing.is_empty() => nothing,
        words => format!(" {}", paint(paint::result(&step.record.moment), words)),
    };
    writeln!(out, "{margin}└ {function} returns{result}{place}")
}

/// A call that the module turned down itself, with its result.
fn write_refused(trace: &Trace<'_>, step: &Step<'_>, out: &mut dyn Write) -> io::Result<()> {
    let caller = &trace.participant(step.caller).name;
    let end = step.partner.map(|end| &trace.steps[end]);
    let result = end.map_or_else(String::new, |end| {
        paint(paint::result(&end.record.moment), result_words(end))
    });
    let margin = margin(step);
    writeln!(
        out,
        "{margin}{caller} calls {}: refused, {result}",
        call_words(step)
    )
}

/// The thread, and a line for each call that the step is inside.
fn margin(step: &Step<'_>) -> String {
    let thread = step.record.thread;
    let name = paint(paint::thread(thread), format!("{:>5}", thread.to_string()));
    let depth = paint(paint::quiet(), "│ ".repeat(step.depth));
    format!("{name}  {depth}")
}

fn call_line(trace: &Trace<'_>, step: &Step<'_>) -> String {
    let from = trace.participant(step.caller);
    let to = trace.participant(step.callee);
    let words = call_words(step);
    match (from.actor, to.actor) {
        (_, Actor::Nmr) => format!("{} calls {words}", from.name),
        (Actor::Nmr, _) => format!("the NMR calls {}'s {words}", to.name),
        _ => format!("{} calls {}'s {words}", from.name, to.name),
    }
}

/// The IRQL, where it is worth a word.
fn place(step: &Step<'_>) -> String {
    if step.record.irql == nmr_host::irql::PASSIVE_LEVEL {
        String::new()
    } else {
        paint(paint::quiet(), format!("  at {}", step.record.irql))
    }
}

/// The reason for a step, the first time.
fn write_why(
    step: &Step<'_>,
    known: &mut HashSet<&'static str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(sentence) = explain::why(step).filter(|sentence| known.insert(sentence)) else {
        return Ok(());
    };
    let guides = "│ ".repeat(step.depth + usize::from(step.is_call() && !step.is_refused()));
    let line = format!("       {guides}· {sentence}");
    writeln!(out, "{}", paint(paint::quiet(), line))
}
