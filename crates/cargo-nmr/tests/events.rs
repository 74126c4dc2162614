//! The events have the fields that their documentation says, and no others.

mod lab;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

/// The fields in the table of `docs/events.md`, with their types.
fn documented() -> BTreeMap<String, String> {
    let page = fs::read_to_string(lab::project("docs/events.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let field = |row: &str| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let name = cells.next()?.trim_matches('`').to_owned();
        Some((name, cells.next()?.to_owned()))
    };
    rows.filter_map(field).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Number(number) if number.is_u64() => "number",
        Value::String(_) => "string",
        Value::Object(_) => "object",
        _ => "something else",
    }
}

fn require_documented(arguments: &[&str]) {
    let fields = documented();
    assert!(fields.len() > 10, "{fields:?}");
    for arguments in arguments {
        for event in lab::events(arguments) {
            let event = event.as_object().unwrap();
            assert!(event.keys().eq(fields.keys()), "{event:?}");
            for (name, types) in &fields {
                let found = kind(&event[name]);
                assert!(
                    types.split(" or ").any(|known| known == found),
                    "{name} in {event:?}"
                );
            }
        }
    }
}

#[test]
fn every_event_has_exactly_the_documented_fields() {
    require_documented(&["", "--order client-first --seed 3", "--decline=provider"]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_images_say_has_exactly_the_documented_fields() {
    require_documented(&[&format!("run {}", lab::fixture("traces"))]);
}

/// The fields that only an ETW event has.
const TRACE: [&str; 3] = ["provider", "level", "fields"];

#[test]
fn every_field_that_may_be_null_is_not_always() {
    let events = lab::events("");
    for name in documented().keys() {
        let found = events.iter().any(|event| !event[name].is_null());
        assert_eq!(found, !TRACE.contains(&&**name), "{name}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn prints_and_traces_of_an_image_come_in_their_order() {
    let events = lab::events(&format!("run {}", lab::fixture("traces")));
    let said = events.iter().map(|event| {
        assert_eq!(event["caller_name"], "traces.sys");
        assert_eq!(
            (&event["sequence"], &event["depth"]),
            (&Value::Null, &0.into())
        );
        let words = ["event", "function"].map(|name| event[name].as_str().unwrap());
        format!("{}: {}", event["section"], words.join(" "))
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "1: trace Started",
            "1: print DbgPrint",
            "1: trace Attach",
            "1: trace Enabled",
            "2: trace Stopped",
        ]
    );
    assert_eq!(events[1]["arguments"], "between");
    assert_eq!(events[2]["provider"], "Nmr.Fixture.Traces");
    assert_eq!(events[2]["level"], 3);
    assert_eq!(
        events[2]["fields"],
        json!({
            "binding": 7,
            "module": "{2227e803-8d8b-11d4-abad-009027719e09}",
            "status": "0xc00000bb",
            "text": "h\u{f6}flich",
            "last": true,
            "list": [1, 2, 3],
            "pair": {"a": -1, "b": "0x000000000000beef"},
        })
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_an_image_says_stands_between_the_calls_between_which_it_came() {
    let events = lab::events(&format!("run {}", lab::fixture("announce")));
    let words = events.iter().map(|event| match &event["arguments"] {
        Value::String(print) if event["event"] == "print" => format!("print {print}"),
        _ => format!("{} {}", event["event"], event["function"]).replace('"', ""),
    });
    assert_eq!(
        words.collect::<Vec<_>>(),
        [
            "print registers",
            "call NmrRegisterProvider",
            "return NmrRegisterProvider",
            "print registered",
            "print deregisters",
            "call NmrDeregisterProvider",
            "return NmrDeregisterProvider",
            "call NmrWaitForProviderDeregisterComplete",
            "return NmrWaitForProviderDeregisterComplete",
            "print deregistered",
        ]
    );
    let story = lab::output(&format!("run {}", lab::fixture("announce")));
    let place = |text: &str| {
        story
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {story}"))
    };
    assert!(place("announce.sys prints: registers") < place("calls NmrRegisterProvider"));
    assert!(place("calls NmrRegisterProvider") < place("announce.sys prints: registered"));
}

#[test]
fn names_and_numbers_of_statuses_agree() {
    for event in lab::events("--decline") {
        let code = match event["status"].as_str() {
            None => Value::Null,
            Some("STATUS_SUCCESS") => 0.into(),
            Some("STATUS_PENDING") => 0x103.into(),
            Some("STATUS_NOINTERFACE") => 0xC000_02B9_u32.into(),
            Some("STATUS_DEVICE_NOT_READY") => 0xC000_00A3_u32.into(),
            Some(other) => panic!("{other}"),
        };
        assert_eq!(event["status_code"], code);
    }
}
