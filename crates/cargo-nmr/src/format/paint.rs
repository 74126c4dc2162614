//! Colours for a terminal. They are taken away again where they are not wanted.

use std::fmt::Display;

use anstyle::{AnsiColor, Color, Style};
use nmr_host::{Moment, ThreadNumber};
use nmr_sys::{NT_SUCCESS, STATUS_PENDING};

/// The colours of threads, by their numbers.
const THREADS: &[AnsiColor] = &[
    AnsiColor::Blue,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Red,
];

/// A text in a style.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

pub(crate) fn heading() -> Style {
    Style::new().bold()
}

pub(crate) fn quiet() -> Style {
    Style::new().dimmed()
}

pub(super) fn thread(number: ThreadNumber) -> Style {
    let place = usize::try_from(number.0)
        .unwrap_or_default()
        .wrapping_sub(1);
    colour(THREADS[place % THREADS.len()])
}

/// Green for success, yellow for what is pending, red for failure.
pub(super) fn result(moment: &Moment) -> Style {
    match moment {
        Moment::Status(STATUS_PENDING) => colour(AnsiColor::Yellow),
        Moment::Status(status) if NT_SUCCESS(*status) => colour(AnsiColor::Green),
        Moment::Status(_) => colour(AnsiColor::Red),
        _ => Style::new(),
    }
}

pub(crate) fn good() -> Style {
    colour(AnsiColor::Green).bold()
}

pub(crate) fn bad() -> Style {
    colour(AnsiColor::Red).bold()
}
