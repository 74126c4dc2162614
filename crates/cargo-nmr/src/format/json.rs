//! Events for programs: one JSON object a line. `docs/events.md` documents the fields.

use std::borrow::Cow;
use std::io::{self, Write};

use nmr_host::{Actor, Moment};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::run::{Message, Run, What};
use crate::status;
use crate::trace::{Event, Step, Trace};

/// One line. Every field is always there; it is null where it has no meaning.
#[derive(Serialize)]
struct Line<'a> {
    sequence: Option<u64>,
    section: usize,
    thread: u32,
    irql: u8,
    depth: usize,
    event: &'static str,
    caller: &'static str,
    caller_name: Option<&'a str>,
    callee: &'static str,
    callee_name: Option<&'a str>,
    function: &'a str,
    arguments: Option<&'a str>,
    binding: Option<u64>,
    call: Option<u64>,
    status: Option<Cow<'static, str>>,
    status_code: Option<u32>,
    value: Option<&'a str>,
    provider: Option<&'a str>,
    level: Option<u8>,
    fields: Option<&'a Map<String, Value>>,
}

/// Writes every step of a trace, and the messages of images.
pub(super) fn write(run: &Run, trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    for event in trace.events(run) {
        let line = match event {
            Event::Step(step) => line(trace, step),
            Event::Message {
                message,
                section,
                depth,
            } => message_line(message, section, depth),
            Event::Section { .. } => continue,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        out.write_all(&text)?;
    }
    Ok(())
}

fn line<'a>(trace: &'a Trace<'_>, step: &'a Step<'_>) -> Line<'a> {
    let record = step.record;
    let status = match record.moment {
        Moment::Status(status) => Some(status),
        _ => None,
    };
    Line {
        sequence: Some(record.sequence),
        section: step.section,
        thread: record.thread.0,
        irql: record.irql.0,
        depth: step.depth,
        event: if step.is_call() { "call" } else { "return" },
        caller: party(trace, step.caller),
        caller_name: name(trace, step.caller),
        callee: party(trace, step.callee),
        callee_name: name(trace, step.callee),
        function: &record.function,
        arguments: match &record.moment {
            Moment::Call(arguments) => some(arguments),
            _ => None,
        },
        binding: record.binding,
        call: call(trace, step),
        status: status.map(status::name),
        status_code: status.map(i32::cast_unsigned),
        value: match &record.moment {
            Moment::Return(value) => some(value),
            _ => None,
        },
        provider: None,
        level: None,
        fields: None,
    }
}

/// A message of an image.
fn message_line(message: &Message, section: usize, depth: usize) -> Line<'_> {
    let print = Line {
        sequence: None,
        section,
        thread: message.thread.0,
        irql: message.irql.0,
        depth,
        event: "print",
        caller: "image",
        caller_name: Some(&message.image),
        callee: "kernel",
        callee_name: None,
        function: "DbgPrint",
        arguments: None,
        binding: None,
        call: None,
        status: None,
        status_code: None,
        value: None,
        provider: None,
        level: None,
        fields: None,
    };
    match &message.what {
        What::Print(text) => Line {
            arguments: Some(text),
            ..print
        },
        What::Trace {
            provider,
            name,
            level,
            fields,
        } => Line {
            event: "trace",
            function: name,
            provider: Some(provider),
            level: Some(*level),
            fields: Some(fields),
            ..print
        },
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn party(trace: &Trace<'_>, place: usize) -> &'static str {
    match trace.participant(place) {
        nmr if nmr.actor == Actor::Nmr => "nmr",
        other => other.kind,
    }
}

fn name<'a>(trace: &'a Trace<'_>, place: usize) -> Option<&'a str> {
    let participant = trace.participant(place);
    matches!(participant.actor, Actor::Module(_)).then_some(&participant.name)
}

/// Of a return, the sequence number of its call.
fn call(trace: &Trace<'_>, step: &Step<'_>) -> Option<u64> {
    let call = step.partner.filter(|_| !step.is_call())?;
    Some(trace.steps[call].record.sequence)
}
