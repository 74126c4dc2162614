//! A sequence diagram for Markdown, in the language of Mermaid.

use std::io::{self, Write};

use super::{call_words, result_words};
use crate::run::Run;
use crate::trace::{Item, Step, Trace};

/// Writes what is shown of a trace.
pub(super) fn write(run: &Run, trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "---\ntitle: {}\n---", run.title)?;
    writeln!(out, "sequenceDiagram")?;
    for (place, participant) in trace.participants.iter().enumerate() {
        let (name, kind) = (escape(&participant.name), participant.kind);
        writeln!(out, "    participant P{place} as {name}<br/>{kind}")?;
    }
    for item in trace.items(run) {
        writeln!(out, "    {}", line(trace, &item))?;
    }
    Ok(())
}

fn line(trace: &Trace<'_>, item: &Item<'_>) -> String {
    match item {
        Item::Section { number, title, .. } => {
            format!(
                "Note over {}: {number}. {}",
                everybody(trace),
                escape(title)
            )
        }
        Item::Folded(text) => format!("Note over {}: … {} …", everybody(trace), escape(text)),
        Item::Note(text) => format!("Note over {}: {}", everybody(trace), escape(text)),
        Item::Step(step) => arrow(step),
    }
}

fn everybody(trace: &Trace<'_>) -> String {
    match trace.participants.len() {
        0 | 1 => "P0".to_owned(),
        count => format!("P0,P{}", count - 1),
    }
}

fn arrow(step: &Step<'_>) -> String {
    let (from, to, thread) = (step.caller, step.callee, step.record.thread);
    if step.is_call() {
        let words = escape(&call_words(step));
        return format!("P{from}->>P{to}: {thread}: {words}");
    }
    let function = &step.record.function;
    let words = match result_words(step) {
        nothing if nothing.is_empty() => format!("{function} returns"),
        value if step.is_refused() => format!("{function} refused, {value}"),
        value if step.is_between_modules() => format!("{function} returns {value}"),
        status => status,
    };
    let head = if step.is_refused() { "--x" } else { "-->>" };
    format!("P{to}{head}P{from}: {thread}: {}", escape(&words))
}

/// Replaces the characters that mean something to Mermaid.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, character| {
        match character {
            ';' => escaped.push_str("#59;"),
            '#' => escaped.push_str("#35;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_ends_a_statement_is_escaped() {
        assert_eq!(escape("a;b#c<d>"), "a#59;b#35;c#lt;d#gt;");
    }
}
