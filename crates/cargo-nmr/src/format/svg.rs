//! A sequence diagram as a picture that needs nothing else.

mod arrows;

use std::io::{self, Write};

use nmr_host::ThreadNumber;
use svg::Document;
use svg::node::Comment;
use svg::node::element::{Description, Group, Line, Rectangle, Style, Text, Title};

use super::picture::{Bar, HALF_BAR, LINE, Lifeline, PADDING, Picture, Section};
use super::wrap;
use crate::run::Run;
use crate::trace::Trace;

/// The colours of threads, by their numbers: dark enough to read, and distinct for most eyes.
const THREADS: &[&str] = &[
    "#1d5fa6", "#9c3587", "#0f7b5f", "#b2560d", "#5b4bb0", "#7d6608", "#a32626", "#336b87",
];

const STYLE: &str = "\
text { font-family: 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif; font-size: 13px; fill: #1f2933 }
.title { font-size: 20px; font-weight: bold }
.name { font-size: 15px; font-weight: bold }
.heading { font-size: 14px; font-weight: bold }
.quiet { fill: #5a6673; font-size: 12px }
.thread { font-size: 12px; font-weight: bold }
.label { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
.pending { fill: #8a5a00; font-weight: bold }
.failure { fill: #b02020; font-weight: bold }
.fold { font-style: italic; fill: #5a6673 }";

/// Writes what is shown of a trace.
pub(super) fn write(run: &Run, trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    svg::write(&mut *out, &document(run, trace))?;
    writeln!(out)
}

fn document(run: &Run, trace: &Trace<'_>) -> Document {
    let picture = Picture::new(run, trace);
    let (width, height) = (picture.width, picture.height);
    let mut document = Document::new()
        .set("width", width)
        .set("height", height)
        .set("viewBox", (0, 0, width, height))
        .set("role", "img")
        .add(Title::new(&*run.title))
        .add(Description::new().add(svg::node::Text::new(description(&picture))))
        .add(Comment::new("made by cargo-nmr"))
        .add(Style::new(STYLE))
        .add(arrows::heads())
        .add(
            Rectangle::new()
                .set("width", width)
                .set("height", height)
                .set("fill", "#ffffff"),
        );
    for part in [
        head(run, &picture),
        lifelines(&picture),
        bars(&picture),
        sections(&picture),
        arrows::draw(&picture),
        foot(run, &picture),
    ] {
        document = document.add(part);
    }
    document
}

/// What the picture shows, for screen readers.
fn description(picture: &Picture) -> String {
    let names: Vec<_> = picture.lifelines.iter().map(|line| &*line.name).collect();
    let sections: Vec<_> = picture
        .sections
        .iter()
        .map(|section| &*section.title)
        .collect();
    format!(
        "A sequence diagram with the lifelines {}. {}.",
        names.join(", "),
        sections.join(". ")
    )
}

fn text(x: i32, y: i32, class: &str, anchor: &str, words: &str) -> Text {
    Text::new(words)
        .set("x", x)
        .set("y", y)
        .set("class", class)
        .set("text-anchor", anchor)
}

fn colour(thread: ThreadNumber) -> &'static str {
    let place = usize::try_from(thread.0)
        .unwrap_or_default()
        .wrapping_sub(1);
    THREADS[place % THREADS.len()]
}

/// The title and the threads.
fn head(run: &Run, picture: &Picture) -> Group {
    let mut group = Group::new().add(text(24, 40, "title", "start", &run.title));
    let mut x = 24;
    for (name, threads) in run.participants.thread_groups() {
        for (number, _) in threads.iter().take(THREADS.len()) {
            group = group.add(thread_mark(x, colour(*number)));
            x += 13;
        }
        let what = threads.first().map_or("", |(_, what)| what);
        let label = format!("{name} {what}");
        group = group.add(text(x + 3, 70, "quiet", "start", &label));
        x += 24 + width_of(&label);
    }
    for line in &picture.lifelines {
        group = group.add(lifeline_head(line));
    }
    group
}

/// A square in the colour of a thread.
fn thread_mark(x: i32, colour: &'static str) -> Rectangle {
    Rectangle::new()
        .set("x", x)
        .set("y", 60)
        .set("width", 10)
        .set("height", 10)
        .set("rx", 2)
        .set("fill", colour)
}

/// About how wide a small text is. Fonts differ, so it is rather too much.
fn width_of(words: &str) -> i32 {
    i32::try_from(words.chars().count()).unwrap_or_default() * 7
}

fn lifeline_head(line: &Lifeline) -> Group {
    let frame = Rectangle::new()
        .set("x", line.x - 75)
        .set("y", 98)
        .set("width", 150)
        .set("height", 50)
        .set("rx", 6)
        .set("fill", "#eef3f8")
        .set("stroke", "#7b8a99");
    Group::new()
        .add(frame)
        .add(text(line.x, 119, "name", "middle", &line.name))
        .add(text(line.x, 138, "quiet", "middle", line.kind))
}

fn lifelines(picture: &Picture) -> Group {
    let mut group = Group::new()
        .set("stroke", "#9aa7b4")
        .set("stroke-dasharray", "5 4");
    for line in &picture.lifelines {
        let line = Line::new()
            .set("x1", line.x)
            .set("y1", 148)
            .set("x2", line.x)
            .set("y2", picture.bottom);
        group = group.add(line);
    }
    group
}

fn sections(picture: &Picture) -> Group {
    let mut group = Group::new();
    for section in &picture.sections {
        group = group.add(section_box(section, picture.width));
    }
    group
}

fn section_box(section: &Section, width: i32) -> Group {
    let height = super::picture::section_height(section.lines.len());
    let frame = Rectangle::new()
        .set("x", 16)
        .set("y", section.top)
        .set("width", width - 32)
        .set("height", height)
        .set("rx", 4)
        .set("fill", "#f6f4ec");
    let mut y = section.top + PADDING + LINE - 4;
    let mut group = Group::new()
        .add(frame)
        .add(text(28, y, "heading", "start", &section.title));
    for line in &section.lines {
        y += LINE;
        group = group.add(text(28, y, "explanation", "start", line));
    }
    group
}

fn bars(picture: &Picture) -> Group {
    let mut group = Group::new();
    for bar in &picture.bars {
        group = group.add(bar_box(bar));
    }
    group
}

fn bar_box(bar: &Bar) -> Rectangle {
    Rectangle::new()
        .set("x", bar.x - HALF_BAR)
        .set("y", bar.top)
        .set("width", 2 * HALF_BAR)
        .set("height", (bar.bottom - bar.top).max(8))
        .set("fill", "#ffffff")
        .set("stroke", colour(bar.thread))
        .set("stroke-width", 1.3)
}

fn foot(run: &Run, picture: &Picture) -> Group {
    let policy = format!("Policy: {}", run.policy).replace(',', " ");
    let ends = picture.lifelines.iter().map(|line| line.x);
    let mut group = Group::new();
    for x in ends {
        let line = Line::new()
            .set("x1", x - 20)
            .set("x2", x + 20)
            .set("y1", picture.bottom)
            .set("y2", picture.bottom)
            .set("stroke", "#7b8a99");
        group = group.add(line);
    }
    let first = picture.bottom + 34;
    let lines = wrap(&policy, picture.characters());
    for (line, y) in lines.iter().zip((first..).step_by(17)) {
        group = group.add(text(24, y, "quiet", "start", line));
    }
    group
}
