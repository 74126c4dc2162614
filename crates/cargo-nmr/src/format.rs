//! The output formats.

mod html;
mod json;
mod mermaid;
pub(crate) mod paint;
mod picture;
mod svg;
mod text;

use std::io::{self, Write};

use nmr_host::Moment;

use crate::check::Verdict;
use crate::options::Format;
use crate::run::Run;
use crate::status;
use crate::trace::{Step, Trace};

/// How wide a text is where no terminal says otherwise.
pub(crate) const WIDTH: usize = 95;

/// How wide a text on standard output is: as wide as the terminal, as far as that can be read well.
pub(crate) fn terminal_width() -> usize {
    let size = terminal_size::terminal_size_of(io::stdout());
    size.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(40, 120))
}

/// Writes a run, of which a text has this width.
pub(crate) fn write(
    (format, width): (Format, usize),
    run: &Run,
    trace: &Trace<'_>,
    verdict: &Verdict,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(run, trace, verdict, width, out),
        Format::Json => json::write(run, trace, out),
        Format::Mermaid => mermaid::write(run, trace, out),
        Format::Svg => svg::write(run, trace, out),
        Format::Html => html::write(run, trace, verdict, out),
    }
}

/// A function, with its arguments if they are known: those of the NMR's are not.
fn call_words(step: &Step<'_>) -> String {
    let function = &step.record.function;
    match &step.record.moment {
        // Of an interface that is not known there are places of functions, and no names.
        Moment::Call(arguments) if arguments.is_empty() && function.contains(' ') => {
            function.to_string()
        }
        Moment::Call(arguments) if step.is_between_modules() => format!("{function}({arguments})"),
        _ => function.to_string(),
    }
}

/// What a call returned. Empty if that is nothing.
fn result_words(step: &Step<'_>) -> String {
    match &step.record.moment {
        Moment::Call(_) => String::new(),
        Moment::Status(value) => status::name(*value).into_owned(),
        Moment::Return(value) => value.to_string(),
    }
}

/// Breaks a text into lines of at most so many characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("indivisible", 4), ["indivisible"]);
        assert!(wrap("", 4).is_empty());
    }
}
