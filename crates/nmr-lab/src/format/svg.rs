//! A sequence diagram as a picture that needs nothing else.

use std::io::{self, Write};

use nmr_host::ThreadNumber;
use svg::Document;
use svg::node::Comment;
use svg::node::element::{
    Definitions, Description, Group, Line, Marker, Path, Polyline, Rectangle, Style, Text, Title,
};

use super::picture::{Arrow, ArrowKind, Bar, HALF_BAR, LINE, Lifeline, PADDING, Picture, Section};
use super::wrap;
use crate::run::Run;
use crate::trace::Trace;

/// The colours of threads, by their numbers: dark enough to read, and told apart by most eyes.
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
        .add(Comment::new("made by nmr-lab"))
        .add(Style::new(STYLE))
        .add(arrow_heads())
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
        arrows(&picture),
        foot(run, &picture),
    ] {
        document = document.add(part);
    }
    document
}

/// What the picture shows, for those who cannot see it.
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

/// One head for each colour: a head cannot take the colour of its line everywhere.
fn arrow_heads() -> Definitions {
    let mut definitions = Definitions::new();
    for (place, colour) in THREADS.iter().enumerate() {
        let solid = Path::new()
            .set("d", "M0,0 L9,4 L0,8 Z")
            .set("fill", *colour);
        let open = Polyline::new()
            .set("points", "1,0.5 8.5,4 1,7.5")
            .set("fill", "none")
            .set("stroke", *colour)
            .set("stroke-width", 1.4);
        definitions = definitions
            .add(marker(&format!("solid{place}")).add(solid))
            .add(marker(&format!("open{place}")).add(open));
    }
    definitions
}

fn marker(id: &str) -> Marker {
    Marker::new()
        .set("id", id)
        .set("markerWidth", 10)
        .set("markerHeight", 8)
        .set("refX", 9)
        .set("refY", 4)
        .set("orient", "auto")
        .set("markerUnits", "userSpaceOnUse")
}

/// The title and the threads.
fn head(run: &Run, picture: &Picture) -> Group {
    let mut group = Group::new().add(text(24, 40, "title", "start", &run.title));
    let mut x = 24;
    for (name, threads) in run.cast.thread_groups() {
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

fn arrows(picture: &Picture) -> Group {
    let mut group = Group::new();
    for arrow in &picture.arrows {
        group = group.add(arrow_group(arrow, picture.width));
    }
    for (y, words) in &picture.folds {
        let middle = picture.lifelines.iter().map(|line| line.x).sum::<i32>();
        let count = i32::try_from(picture.lifelines.len().max(1)).unwrap_or(1);
        group = group.add(text(middle / count, *y, "fold label", "middle", words));
    }
    group
}

fn arrow_group(arrow: &Arrow, width: i32) -> Group {
    let thread = text(
        28,
        arrow.y + 4,
        "thread",
        "start",
        &arrow.thread.to_string(),
    );
    let thread = thread.set("style", format!("fill: {}", colour(arrow.thread)));
    let mut group = Group::new()
        .add(thread)
        .add(stroke(arrow))
        .add(label(arrow));
    if let Some(irql) = &arrow.irql {
        group = group.add(text(width - 24, arrow.y + 4, "quiet", "end", irql));
    }
    group
}

fn label(arrow: &Arrow) -> Text {
    let class = match arrow.kind {
        ArrowKind::Pending => "label pending",
        ArrowKind::Failure | ArrowKind::Refused => "label failure",
        ArrowKind::Call | ArrowKind::Return => "label",
    };
    if arrow.kind == ArrowKind::Refused {
        return text(arrow.from + 42, arrow.y + 4, class, "start", &arrow.label);
    }
    text(arrow.label_x, arrow.y - 5, class, "middle", &arrow.label)
}

fn stroke(arrow: &Arrow) -> Path {
    let place = THREADS
        .iter()
        .position(|known| *known == colour(arrow.thread));
    let place = place.unwrap_or_default();
    let (from, to, y) = (arrow.from, arrow.to, arrow.y);
    let path = Path::new()
        .set("fill", "none")
        .set("stroke", colour(arrow.thread))
        .set("stroke-width", 1.5);
    match arrow.kind {
        ArrowKind::Call => path
            .set("d", format!("M{from},{y} H{to}"))
            .set("marker-end", format!("url(#solid{place})")),
        ArrowKind::Refused => path
            .set("d", format!("M{from},{} h30 v12 h-30", y - 6))
            .set("stroke-dasharray", "2 3")
            .set("marker-end", format!("url(#open{place})")),
        _ => path
            .set("d", format!("M{from},{y} H{to}"))
            .set("stroke-dasharray", "6 4")
            .set("marker-end", format!("url(#open{place})")),
    }
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
