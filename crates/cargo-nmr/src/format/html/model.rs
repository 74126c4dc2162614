//! The data of the page's script: the run, in the order in which it is shown. Repeated texts
//! are stored once.

use std::collections::HashMap;

use driver_host::printable;
use nmr_host::irql::PASSIVE_LEVEL;
use nmr_host::{Actor, Moment, Severity, ThreadNumber};
use serde::Serialize;

use super::super::picture::{ArrowKind, kind, label};
use super::super::{result_words, text};
use crate::check::Verdict;
use crate::explain;
use crate::run::{Message, Run, What};
use crate::status;
use crate::trace::{self, Step, Trace};

/// Everything.
#[derive(Serialize)]
pub(super) struct Model {
    title: String,
    participants: Vec<Participant>,
    threads: Vec<Thread>,
    sections: Vec<Section>,
    events: Vec<Event>,
    reports: Vec<Report>,
    summary: Vec<(&'static str, String)>,
    wrong: Vec<String>,
    /// The texts that events have by their places here.
    words: Vec<String>,
}

#[derive(Serialize)]
struct Participant {
    name: String,
    kind: &'static str,
    /// What identifies the module.
    id: String,
}

#[derive(Serialize)]
struct Thread {
    number: u32,
    what: String,
}

#[derive(Serialize)]
struct Section {
    title: String,
    text: String,
}

/// A step, or a message of an image.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    kind: &'static str,
    thread: u32,
    section: usize,
    depth: usize,
    label: usize,
    function: usize,
    /// The caller and the callee, by their places among the participants.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<usize>,
    /// The status as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    irql: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binding: Option<u64>,
    /// Of a call its return, of a return its call, by their places among the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<usize>,
    /// How it looks, if it does not look ordinary.
    #[serde(skip_serializing_if = "Option::is_none")]
    look: Option<&'static str>,
}

/// What was wrong, and beside which event it is shown.
#[derive(Serialize)]
struct Report {
    rule: String,
    severity: &'static str,
    text: String,
    event: Option<usize>,
}

/// Gives texts their places.
#[derive(Default)]
struct Words {
    places: HashMap<String, usize>,
    list: Vec<String>,
}

impl Words {
    fn place(&mut self, text: &str) -> usize {
        if let Some(&place) = self.places.get(text) {
            return place;
        }
        let place = self.list.len();
        self.places.insert(text.to_owned(), place);
        self.list.push(printable(text));
        place
    }

    /// The same, unless there is no text.
    fn some(&mut self, text: &str) -> Option<usize> {
        (!text.is_empty()).then(|| self.place(text))
    }
}

impl Model {
    pub(super) fn new(run: &Run, trace: &Trace<'_>, verdict: &Verdict) -> Self {
        let mut words = Words::default();
        let mut sections = Vec::new();
        let mut events = Vec::new();
        // The places of the steps among the events.
        let mut places = vec![None; trace.steps.len()];
        for event in trace.events(run) {
            match event {
                trace::Event::Section { title, text } => sections.push(Section {
                    title: printable(title),
                    text: printable(text),
                }),
                trace::Event::Step(it) => {
                    places[it.place] = Some(events.len());
                    events.push(step(trace, it, &mut words));
                }
                trace::Event::Message {
                    message,
                    section,
                    depth,
                } => events.push(self::message(message, section, depth, &mut words)),
            }
        }
        for step in &trace.steps {
            if let Some(event) = places[step.place] {
                events[event].partner = step.partner.and_then(|partner| places[partner]);
            }
        }
        let fates = run.images.iter().flat_map(|images| &images.fates);
        let fates = fates.map(|(image, fate)| ("image", format!("{image} {fate}")));
        let summary = text::summary::lines(run, verdict).into_iter().chain(fates);
        Self {
            title: printable(&run.title),
            participants: trace.participants.iter().map(participant).collect(),
            threads: threads(run),
            sections,
            events,
            reports: reports(run, trace, &places),
            summary: summary.map(|(what, how)| (what, printable(&how))).collect(),
            wrong: verdict.faults.iter().map(|it| printable(it)).collect(),
            words: words.list,
        }
    }
}

fn participant(participant: &trace::Participant) -> Participant {
    let id = match participant.actor {
        Actor::Module(module) => module.id,
        Actor::Nmr | Actor::Unknown => None,
    };
    Participant {
        name: printable(&participant.name),
        kind: participant.kind,
        id: id.map_or_else(String::new, |id| id.to_string()),
    }
}

fn threads(run: &Run) -> Vec<Thread> {
    let mut threads: Vec<_> = run.participants.threads.iter().collect();
    threads.sort_by_key(|(number, _)| number.0);
    let thread = |(number, what): &(ThreadNumber, String)| Thread {
        number: number.0,
        what: printable(what),
    };
    threads.into_iter().map(thread).collect()
}

fn step(trace: &Trace<'_>, step: &Step<'_>, words: &mut Words) -> Event {
    let record = step.record;
    let (code, arguments) = match &record.moment {
        Moment::Status(status) => (Some(status::number(*status)), None),
        Moment::Call(arguments) => (None, words.some(arguments)),
        Moment::Return(_) => (None, None),
    };
    Event {
        sequence: Some(record.sequence),
        kind: if step.is_call() { "call" } else { "return" },
        thread: record.thread.0,
        section: step.section,
        depth: step.depth,
        label: words.place(&label(trace, step)),
        function: words.place(&record.function),
        from: Some(step.caller),
        to: Some(step.callee),
        arguments,
        result: words.some(&result_words(step)),
        code,
        irql: irql(record.irql, words),
        binding: record.binding,
        why: explain::why(step).map(|why| words.place(why)),
        look: match kind(step) {
            ArrowKind::Pending => Some("pending"),
            ArrowKind::Failure | ArrowKind::Refused => Some("failure"),
            ArrowKind::Call | ArrowKind::Return => None,
        },
        ..Event::default()
    }
}

fn irql(irql: nmr_host::irql::Irql, words: &mut Words) -> Option<usize> {
    (irql != PASSIVE_LEVEL).then(|| words.place(&irql.to_string()))
}

fn message(message: &Message, section: usize, depth: usize, words: &mut Words) -> Event {
    let (kind, function) = match &message.what {
        What::Print(_) => ("print", "DbgPrint"),
        What::Trace { name, .. } => ("trace", &**name),
    };
    Event {
        kind,
        thread: message.thread.0,
        section,
        depth,
        label: words.place(&message.text),
        function: words.place(function),
        image: Some(printable(&message.image)),
        irql: irql(message.irql, words),
        ..Event::default()
    }
}

/// The reports of the registrar, and those of the host.
fn reports(run: &Run, trace: &Trace<'_>, places: &[Option<usize>]) -> Vec<Report> {
    let beside = |recorded, thread| event_of(trace, recorded, thread).and_then(|step| places[step]);
    let rules = run.reports.iter().map(|report| Report {
        rule: report.rule.to_string(),
        severity: match report.severity {
            Severity::Warning | Severity::Tolerated => "warning",
            Severity::Error => "error",
        },
        text: printable(&report.to_string()),
        event: beside(report.recorded, report.thread),
    });
    let images = run.images.iter().flat_map(|images| &images.reports);
    let images = images.map(|report| Report {
        rule: "image".to_owned(),
        severity: "error",
        text: report.text.clone(),
        event: beside(report.recorded, report.thread),
    });
    rules.chain(images).collect()
}

/// The event that caused a report: the last one of its thread before it, or of any thread if that
/// one did nothing before.
fn event_of(trace: &Trace<'_>, recorded: u64, thread: ThreadNumber) -> Option<usize> {
    let is_before = |step: &Step<'_>| step.record.sequence < recorded;
    let before = &trace.steps[..trace.steps.partition_point(is_before)];
    let own = before.iter().rposition(|step| step.record.thread == thread);
    own.or_else(|| before.len().checked_sub(1))
}
