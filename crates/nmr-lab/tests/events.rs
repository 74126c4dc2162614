//! The events have the fields that their documentation says, and no others.

mod lab;

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

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
        _ => "something else",
    }
}

#[test]
fn every_event_has_exactly_the_documented_fields() {
    let fields = documented();
    assert!(fields.len() > 10, "{fields:?}");
    for arguments in ["", "--order client-first --seed 3", "--decline=provider"] {
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
fn every_field_that_may_be_null_is_not_always() {
    let events = lab::events("");
    for name in documented().keys() {
        assert!(events.iter().any(|event| !event[name].is_null()), "{name}");
    }
}

#[test]
fn names_and_numbers_of_statuses_agree() {
    for event in lab::events("--decline") {
        let code = match event["status"].as_str() {
            None => Value::Null,
            Some("STATUS_SUCCESS") => 0.into(),
            Some("STATUS_PENDING") => 0x103.into(),
            Some("STATUS_NOINTERFACE") => 0xC000_02B9_u32.into(),
            Some(other) => panic!("{other}"),
        };
        assert_eq!(event["status_code"], code);
    }
}
