//! Calls and returns: arrows in the colours of their threads, with labels.

use svg::node::element::{Definitions, Group, Marker, Path, Polyline, Text};

use super::super::picture::{Arrow, ArrowKind, Picture};
use super::{THREADS, colour, text};

/// One head for each colour: a head cannot take the colour of its line everywhere.
pub(super) fn heads() -> Definitions {
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

/// All arrows, and the notes between them.
pub(super) fn draw(picture: &Picture) -> Group {
    let mut group = Group::new();
    for arrow in &picture.arrows {
        group = group.add(arrow_group(arrow, picture.width));
    }
    for (y, words) in &picture.folds {
        let middle = picture.width / 2;
        group = group.add(text(middle, *y, "fold label", "middle", words));
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
