//! Every policy in the story: it is told to its end, or one line says why it cannot be.

mod lab;

use nmr_host::Policy;

/// The settings that take a number, each with some values.
const NUMBERS: [(&str, &[&str]); 5] = [
    ("seed", &["0", "1", "18446744073709551615"]),
    ("fault", &["0", "1", "2", "3", "4", "18446744073709551615"]),
    ("slow-ms", &["0", "18446744073709551615"]),
    ("stall-ms", &["0", "18446744073709551615"]),
    ("watchdog-ms", &["0", "18446744073709551615"]),
];

/// Every value of every setting that takes words, and the numbers.
fn settings() -> Vec<String> {
    let mut settings = Vec::new();
    for line in Policy::settings().lines() {
        let (key, words) = line.split_once('=').unwrap();
        let numbers = NUMBERS.iter().find(|(known, _)| *known == key);
        assert_eq!(numbers.is_some(), words.starts_with("NUMBER"), "{key}");
        let values = match numbers {
            Some((_, values)) => values.to_vec(),
            None => words.split('|').collect(),
        };
        settings.extend(values.into_iter().map(|value| format!("{key}={value}")));
    }
    settings
}

/// The exit codes that are right.
fn codes(setting: &str, declines: bool) -> &'static [i32] {
    match setting {
        "deregister=fails" | "report=panic" => &[2],
        // A story without an attach has a call less to fail.
        "fault=3" if declines => &[0, 1],
        "fault=1" | "fault=2" | "fault=3" => &[1],
        // It depends on how fast the machine is.
        "watchdog-ms=0" => &[0, 1],
        _ => &[0],
    }
}

#[test]
fn no_setting_is_missing() {
    let error = "colour=red".parse::<Policy>().unwrap_err().to_string();
    let (_, keys) = error.split_once(": use ").unwrap();
    let mut keys: Vec<_> = keys.split(", ").collect();
    let settings = settings();
    let mut tried: Vec<_> = settings
        .iter()
        .map(|setting| setting.split_once('=').unwrap().0)
        .collect();
    tried.dedup();
    keys.sort_unstable();
    tried.sort_unstable();
    assert_eq!(tried, keys);
    let exists = |(key, _): &(&str, _)| keys.contains(key);
    assert!(NUMBERS.iter().all(exists));
}

#[test]
fn the_story_is_told_or_refused_under_every_setting() {
    for setting in settings() {
        for story in ["--calls 2", "--calls 2 --decline", "--order client-first"] {
            let arguments = format!("{story} --policy {setting}");
            let output = lab::run(arguments.split_whitespace());
            let complaints = String::from_utf8(output.stderr).unwrap();
            let found = output.status.code();
            let right = codes(&setting, story.contains("decline"));
            assert!(
                found.is_some_and(|code| right.contains(&code)),
                "{arguments}: {found:?}: {complaints}"
            );
            let lines = complaints.lines();
            let own = |line: &str| line.starts_with("cargo-nmr: ");
            assert!(lines.clone().all(own), "{arguments}: {complaints}");
            match found {
                Some(2) => assert_eq!(lines.count(), 1, "{arguments}: {complaints}"),
                Some(1) => assert!(lines.count() > 0, "{arguments}"),
                _ => assert_eq!(complaints, "", "{arguments}"),
            }
        }
    }
}
