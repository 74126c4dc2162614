//! The messages of images: prints as lines, events with their fields, in their order.

use driver_host::{Event, Field, Print, Report, Value, printable};
use serde_json::{Map, json};

use crate::run::{Annotation, ImageReport, Marker, Message, What};

/// A report of the host.
pub(super) fn report(report: &Report) -> ImageReport {
    ImageReport {
        text: printable(&report.to_string()),
        thread: report.thread,
        recorded: report.recorded,
    }
}

/// Makes annotations of the messages of images, in order.
pub(super) fn annotations(prints: Vec<Print>, events: Vec<Event>) -> Vec<Annotation> {
    let printed = lines(prints).into_iter().map(print);
    let traced = events.into_iter().map(trace);
    let mut messages: Vec<_> = printed.chain(traced).collect();
    messages.sort_by_key(|(place, _)| *place);
    messages
        .into_iter()
        .map(|(_, annotation)| annotation)
        .collect()
}

/// Joins what a thread of an image printed to lines. A line has the place of its beginning.
fn lines(prints: Vec<Print>) -> Vec<Print> {
    let mut lines: Vec<Print> = Vec::new();
    let mut open: Vec<Print> = Vec::new();
    for print in prints {
        let from = |own: &Print| (own.image.clone(), own.thread);
        let started = open.iter().position(|own| from(own) == from(&print));
        let mut line = match started {
            Some(place) => {
                let mut line = open.remove(place);
                line.text.push_str(&print.text);
                line
            }
            None => print,
        };
        while let Some((first, rest)) = line.text.split_once('\n') {
            let rest = rest.to_owned();
            line.text.truncate(first.len());
            lines.push(line.clone());
            line.text = rest;
        }
        if !line.text.is_empty() {
            open.push(line);
        }
    }
    lines.extend(open);
    lines
}

fn print(line: Print) -> (u64, Annotation) {
    let printed = printable(line.text.trim_end_matches('\r'));
    let text = format!("{} prints: {printed}", line.image);
    let message = Message {
        image: line.image,
        thread: line.thread,
        irql: line.irql,
        what: What::Print(printed),
        text,
    };
    annotation(line.sequence, line.recorded, message)
}

fn trace(event: Event) -> (u64, Annotation) {
    let provider = event
        .provider
        .unwrap_or_else(|| format!("{{{}}}", event.provider_id));
    let provider = printable(&provider);
    let name = event
        .name
        .unwrap_or_else(|| format!("event {}", event.descriptor.id));
    let name = printable(&name);
    let fields: Vec<_> = event.fields.iter().map(ToString::to_string).collect();
    let fields = printable(&fields.join(", "));
    let colon = if fields.is_empty() { "" } else { ": " };
    let text = format!("{} traces {name}{colon}{fields}", event.image);
    let message = Message {
        image: event.image,
        thread: event.thread,
        irql: event.irql,
        what: What::Trace {
            provider,
            name,
            level: event.descriptor.level,
            fields: object(&event.fields),
        },
        text,
    };
    annotation(event.sequence, event.recorded, message)
}

fn annotation(sequence: u64, recorded: u64, message: Message) -> (u64, Annotation) {
    let (at, marker) = (recorded, Marker::Message(message));
    (sequence, Annotation { at, marker })
}

/// Fields by their names. Those that have none are called by their places, from 0.
fn object(fields: &[Field]) -> Map<String, serde_json::Value> {
    let named = |(place, field): (usize, &Field)| {
        let name = match &*field.name {
            "" => place.to_string(),
            name => name.to_owned(),
        };
        (name, value(&field.value))
    };
    fields.iter().enumerate().map(named).collect()
}

fn value(from: &Value) -> serde_json::Value {
    match from {
        Value::Signed(number) => json!(number),
        Value::Unsigned(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Bool(truth) => json!(truth),
        Value::List(values) => values.iter().map(value).collect(),
        Value::Struct(fields) => object(fields).into(),
        Value::Text(_) | Value::Hexadecimal(..) | Value::Guid(_) | Value::Bytes(_) => {
            from.to_string().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use nmr_host::ThreadNumber;
    use nmr_host::irql::PASSIVE_LEVEL;

    use super::*;

    fn say(sequence: u64, image: &str, thread: u32, text: &str) -> Print {
        Print {
            sequence,
            recorded: 0,
            image: image.to_owned(),
            thread: ThreadNumber(thread),
            irql: PASSIVE_LEVEL,
            text: text.to_owned(),
        }
    }

    #[test]
    fn parts_of_lines_are_joined_by_image_and_thread() {
        let prints = vec![
            say(0, "a", 1, "one "),
            say(1, "b", 1, "other\n"),
            say(2, "a", 2, "third\nfourth"),
            say(3, "a", 1, "two\n\nfive"),
        ];
        let joined = lines(prints).into_iter();
        let joined: Vec<_> = joined.map(|line| (line.sequence, line.text)).collect();
        let expected = [
            (1, "other"),
            (2, "third"),
            (0, "one two"),
            (0, ""),
            (2, "fourth"),
            (0, "five"),
        ];
        assert_eq!(
            joined,
            expected.map(|(place, text)| (place, text.to_owned()))
        );
    }
}
