//! The scripts ask exnpictl what it can be asked, and look at what it answers.

use std::collections::BTreeSet;

use clap::Parser;

use crate::read;

/// The command lines of exnpictl in a script.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let asks = |line: &&str| line.contains("-Program $Program -Arguments '");
    let lines = text.lines().filter(asks).map(|line| {
        let (_, words) = line.split_once("-Arguments ").unwrap();
        let words = words.split(" | ").next().unwrap().split(", ");
        let value = |word: &str| match word.trim().trim_matches(['\'', '"']) {
            "$Count" => "1000".to_owned(),
            "$Role" => "provider".to_owned(),
            word => word.to_owned(),
        };
        words.map(value).collect()
    });
    lines.collect()
}

#[test]
fn exnpictl_understands_what_the_scripts_ask() {
    let lines = command_lines(&read("smoke.ps1").text);
    assert!(lines.len() > 6, "{lines:?}");
    for line in lines {
        // What `Invoke-Control` adds.
        let words = line.iter().map(String::as_str).chain(["--json"]);
        let options = exnpictl::Options::try_parse_from(["exnpictl"].into_iter().chain(words));
        assert!(options.is_ok_and(|options| options.json), "{line:?}");
    }
}

/// What a script calls a member of an answer: `$after.client.calls_made`.
#[test]
fn the_members_that_the_scripts_read_are_in_the_answers() {
    let script = read("smoke.ps1");
    let answers = ["called", "before", "after", "apart", "now", "together"];
    let shown = include_str!("../../crates/exnpictl/src/show.rs");
    let members = script.of_kind("member_access").into_iter();
    let members = members.filter(|text| {
        let object = text
            .trim_start_matches('$')
            .split('.')
            .next()
            .unwrap_or_default();
        answers.contains(&object)
    });
    let words: BTreeSet<_> = members
        .flat_map(|text| text.split('.').skip(1))
        .filter(|word| !word.starts_with('$') && !["client", "provider"].contains(word))
        .collect();
    assert!(words.contains("calls_received"), "{words:?}");
    for word in words {
        assert!(shown.contains(&format!("\"{word}\": ")), "{word}");
    }
}
