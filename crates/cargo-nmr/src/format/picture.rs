//! The layout of a sequence diagram: where everything is, in whole pixels, before it is drawn.

use std::collections::HashMap;

use nmr_host::{Moment, ThreadNumber};
use nmr_sys::STATUS_PENDING;

use super::{call_words, result_words, wrap};
use crate::run::Run;
use crate::trace::{Item, Step, Trace};

/// The place of the first lifeline, and the distance to the next.
const FIRST: i32 = 170;
const DISTANCE: i32 = 330;
/// What is to the right of the last lifeline.
const RIGHT: i32 = 170;
/// The height of the title, the threads and the heads of the lifelines.
const TOP: i32 = 156;
/// The height of a step.
const ROW: i32 = 25;
/// The height of a line of an explanation.
pub(super) const LINE: i32 = 17;
/// What is above and below the text of a section.
pub(super) const PADDING: i32 = 10;
/// How many characters of an explanation fit on a line, for each lifeline.
const CHARACTERS: usize = 42;
/// Half the width of an activation bar, and how far one is beside another.
pub(super) const HALF_BAR: i32 = 5;
const BESIDE: i32 = 7;

/// A sequence diagram.
pub(super) struct Picture {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) lifelines: Vec<Lifeline>,
    pub(super) sections: Vec<Section>,
    pub(super) bars: Vec<Bar>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) folds: Vec<(i32, String)>,
    /// Where the lifelines end.
    pub(super) bottom: i32,
}

/// A participant.
pub(super) struct Lifeline {
    pub(super) x: i32,
    pub(super) name: String,
    pub(super) kind: &'static str,
}

/// A heading with its explanation.
pub(super) struct Section {
    pub(super) top: i32,
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

/// The time that a function runs, on the lifeline of its module.
pub(super) struct Bar {
    pub(super) x: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
    pub(super) thread: ThreadNumber,
}

/// A call or a return.
pub(super) struct Arrow {
    pub(super) y: i32,
    pub(super) from: i32,
    pub(super) to: i32,
    /// Where the middle of the label is.
    pub(super) label_x: i32,
    pub(super) label: String,
    pub(super) kind: ArrowKind,
    pub(super) thread: ThreadNumber,
    /// The IRQL, where it is worth a word.
    pub(super) irql: Option<String>,
}

/// What an arrow looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ArrowKind {
    Call,
    Return,
    /// A return whose value is `STATUS_PENDING`.
    Pending,
    /// A return whose value is an error.
    Failure,
    /// A call that its own module refuses, with the result.
    Refused,
}

impl Picture {
    /// Lays out what is shown of a trace.
    pub(super) fn new(run: &Run, trace: &Trace<'_>) -> Self {
        let items = trace.items(run);
        let (rows, sections, folds, bottom) = stack(trace, &items);
        let bars = Bars::new(trace, &items, &rows, bottom);
        let arrows = items.iter().filter_map(|item| match item {
            Item::Step(step) => arrow(trace, step, &rows, &bars),
            _ => None,
        });
        let lifelines = trace.participants.iter().zip(0..);
        Self {
            width: x_of(trace.participants.len().max(2) - 1) + RIGHT,
            height: bottom + 72,
            lifelines: lifelines
                .map(|(participant, place)| Lifeline {
                    x: x_of(place),
                    name: participant.name.clone(),
                    kind: participant.kind,
                })
                .collect(),
            sections,
            arrows: arrows.collect(),
            bars: bars.list,
            folds,
            bottom,
        }
    }
}

impl Picture {
    /// About how many characters fit on a line. Fonts differ, so it is rather too few.
    pub(super) fn characters(&self) -> usize {
        characters(self.lifelines.len())
    }
}

fn characters(lifelines: usize) -> usize {
    CHARACTERS * lifelines.max(2)
}

/// Where each shown step is, by its number.
type Rows = HashMap<u64, i32>;

/// Puts the items below each other.
fn stack(trace: &Trace<'_>, items: &[Item<'_>]) -> (Rows, Vec<Section>, Vec<(i32, String)>, i32) {
    let (mut rows, mut sections, mut folds) = (Rows::new(), Vec::new(), Vec::new());
    let characters = characters(trace.participants.len());
    let mut y = TOP;
    for item in items {
        match item {
            Item::Section {
                number,
                title,
                text,
            } => {
                let lines = wrap(text, characters);
                let top = y + PADDING;
                y = top + section_height(lines.len()) + ROW;
                let title = format!("{number}. {title}");
                sections.push(Section { top, title, lines });
            }
            Item::Step(step) if step.is_refused() && !step.is_call() => {}
            Item::Step(step) => {
                rows.insert(step.record.sequence, y);
                y += ROW + if step.is_refused() { PADDING } else { 0 };
            }
            Item::Folded(text) => {
                folds.push((y, format!("… {text} …")));
                y += ROW;
            }
            Item::Note(text) => {
                for line in wrap(text, characters) {
                    folds.push((y, line));
                    y += ROW;
                }
            }
        }
    }
    (rows, sections, folds, y)
}

/// The height of a section's heading and explanation.
pub(super) fn section_height(lines: usize) -> i32 {
    let lines = i32::try_from(lines).unwrap_or_default();
    2 * PADDING + LINE * (lines + 1)
}

/// Where a lifeline is.
fn x_of(place: usize) -> i32 {
    FIRST + DISTANCE * i32::try_from(place).unwrap_or_default()
}

/// The activation bars, and which call has which.
struct Bars {
    list: Vec<Bar>,
    by_call: HashMap<u64, i32>,
}

impl Bars {
    fn new(trace: &Trace<'_>, items: &[Item<'_>], rows: &Rows, bottom: i32) -> Self {
        let mut bars = Self {
            list: Vec::new(),
            by_call: HashMap::new(),
        };
        for item in items {
            if let Item::Step(step) = item
                && step.is_call()
                && !step.is_refused()
            {
                bars.add(trace, step, rows, bottom);
            }
        }
        bars
    }

    /// Adds the bar of a call, beside those that are there at the time.
    fn add(&mut self, trace: &Trace<'_>, call: &Step<'_>, rows: &Rows, bottom: i32) {
        let top = rows[&call.record.sequence];
        let mut x = x_of(call.callee);
        while self.list.iter().any(|bar| bar.x == x && top <= bar.bottom) {
            x += BESIDE;
        }
        self.list.push(Bar {
            x,
            top,
            bottom: end_of(trace, call, rows).unwrap_or(bottom),
            thread: call.record.thread,
        });
        self.by_call.insert(call.record.sequence, x);
    }

    /// Where an arrow begins or ends: at the edge of a call's bar that looks to the other end, or
    /// at the lifeline if there is no bar.
    fn edge(&self, trace: &Trace<'_>, call: Option<usize>, place: usize, other: usize) -> i32 {
        let bar = call.and_then(|call| self.by_call.get(&trace.steps[call].record.sequence));
        match bar {
            Some(x) if trace.steps[call.unwrap_or_default()].callee == place => {
                x + if other > place { HALF_BAR } else { -HALF_BAR }
            }
            _ => x_of(place),
        }
    }
}

/// Where a call ends: at its return, or, if that is not shown, below the last step inside. `None`
/// if it does not end.
fn end_of(trace: &Trace<'_>, call: &Step<'_>, rows: &Rows) -> Option<i32> {
    let end = trace.steps[call.partner?].record.sequence;
    if let Some(&row) = rows.get(&end) {
        return Some(row);
    }
    let inside = trace.steps.iter().filter(|step| {
        step.record.thread == call.record.thread
            && (call.record.sequence..end).contains(&step.record.sequence)
    });
    let last = inside
        .filter_map(|step| rows.get(&step.record.sequence))
        .max();
    last.map(|row| row + ROW / 2)
}

/// The arrow of a step. `None` for the end of a refused call, which is a part of its beginning.
fn arrow(trace: &Trace<'_>, step: &Step<'_>, rows: &Rows, bars: &Bars) -> Option<Arrow> {
    let y = *rows.get(&step.record.sequence)?;
    let (start, end) = if step.is_call() {
        let begin = bars.edge(trace, step.outer, step.caller, step.callee);
        let end = bars.edge(trace, Some(step.place), step.callee, step.caller);
        ((step.caller, begin), (step.callee, end))
    } else {
        let begin = bars.edge(trace, step.partner, step.callee, step.caller);
        let outer = step.partner.and_then(|call| trace.steps[call].outer);
        let end = bars.edge(trace, outer, step.caller, step.callee);
        ((step.callee, begin), (step.caller, end))
    };
    Some(Arrow {
        y,
        from: start.1,
        to: end.1,
        label_x: label_x(start.0, end.0),
        label: label(trace, step),
        kind: kind(step),
        thread: step.record.thread,
        irql: (step.record.irql != nmr_host::irql::PASSIVE_LEVEL)
            .then(|| step.record.irql.to_string()),
    })
}

/// The middle between the lifeline where an arrow begins and the next one on its way.
fn label_x(from: usize, to: usize) -> i32 {
    match from.cmp(&to) {
        std::cmp::Ordering::Less => x_of(from) + DISTANCE / 2,
        std::cmp::Ordering::Equal => x_of(from),
        std::cmp::Ordering::Greater => x_of(from) - DISTANCE / 2,
    }
}

pub(super) fn label(trace: &Trace<'_>, step: &Step<'_>) -> String {
    let words = call_words(step);
    if step.is_refused() {
        let end = step.partner.map(|end| result_words(&trace.steps[end]));
        return format!("{words}: refused, {}", end.unwrap_or_default());
    }
    let result = result_words(step);
    match (step.is_call(), result.is_empty()) {
        (true, _) => words,
        (false, true) => format!("{words} returns"),
        (false, false) if step.is_between_modules() => format!("{words} returns {result}"),
        (false, false) => result,
    }
}

pub(super) fn kind(step: &Step<'_>) -> ArrowKind {
    match step.record.moment {
        _ if step.is_refused() => ArrowKind::Refused,
        Moment::Call(_) => ArrowKind::Call,
        Moment::Status(STATUS_PENDING) => ArrowKind::Pending,
        Moment::Status(status) if status < 0 => ArrowKind::Failure,
        Moment::Status(_) | Moment::Return(_) => ArrowKind::Return,
    }
}
