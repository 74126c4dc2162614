//! What the guide copies from the project is as it is there.
#![cfg(not(miri))]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nmr_guide::{Page, chapters, files_below, project};
use nmr_host::Policy;

fn chapter(name: &str) -> Page {
    Page::read(&project().join("docs/guide").join(name))
}

#[test]
fn rust_that_is_not_compiled_here_is_a_test_elsewhere() {
    let mut count = 0;
    // The files of the first chapter are those of a new user: tests/first_module.rs.
    for chapter in &chapters()[1..] {
        for block in chapter.blocks_of("rust,ignore") {
            let place = chapter.place(block.line);
            let file = project().join(&block.note);
            let source =
                fs::read_to_string(&file).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(block.code.contains("#[test]"), "{place}: no test runs it");
            assert!(source == block.code, "{place}: copy {} anew", block.note);
            count += 1;
        }
    }
    assert!(count > 0);
}

/// The keys of a policy, as the complaint about another one lists them.
fn settings() -> BTreeSet<String> {
    let complaint = "colour=red".parse::<Policy>().unwrap_err().to_string();
    let (_, list) = complaint.split_once(": use ").expect("a list");
    list.split(", ").map(ToOwned::to_owned).collect()
}

/// What is in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_setting_of_a_policy_is_in_the_table_with_its_values() {
    let text = chapter("12-testing-natively.md").text;
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let mut seen = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let key = quoted(cells[1])[0];
        let values = quoted(cells[2]);
        for value in &values {
            let setting = format!("{key}={value}");
            assert!(setting.parse::<Policy>().is_ok(), "{setting}");
        }
        // The default is first: naming it changes nothing.
        if let Some(default) = values.first() {
            let setting = format!("{key}={default}");
            assert_eq!(setting.parse(), Ok(Policy::default()), "{setting}");
            // And the complaint about a wrong one lists as many.
            let complaint = format!("{key}=?")
                .parse::<Policy>()
                .unwrap_err()
                .to_string();
            if let Some((_, list)) = complaint.split_once(" is one of ") {
                let (list, _) = list.split_once(", not ").expect("what is wrong");
                assert_eq!(values, list.split(", ").collect::<Vec<_>>(), "{key}");
            }
        }
        seen.insert(key.to_owned());
    }
    assert_eq!(seen, settings());
}

/// Adds the beginnings of the names of all functions below a directory: `p_12` of `p_12_the_last_…`.
fn numbers_in(directory: &Path, numbers: &mut BTreeSet<String>) {
    for file in files_below(directory, &["rs"]) {
        let text = fs::read_to_string(file).unwrap();
        let names = text.split("fn ").skip(1);
        numbers.extend(
            names
                .filter_map(|name| name.get(..4))
                .map(ToOwned::to_owned),
        );
    }
}

/// Returns `true` if this is how a test's name begins: with a letter and two digits.
fn is_number(word: &str) -> bool {
    let word = word.as_bytes();
    matches!(word, [b'a'..=b'z', b'_', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
}

#[test]
fn every_test_that_a_chapter_names_by_its_number_is_there() {
    let mut numbers = BTreeSet::new();
    for directory in ["crates", "tests"] {
        numbers_in(&project().join(directory), &mut numbers);
    }
    assert!(numbers.contains("v_43") && !numbers.contains("p_99"));
    let mut count = 0;
    for chapter in chapters() {
        for name in quoted(&chapter.text)
            .into_iter()
            .filter(|word| is_number(word))
        {
            let place = chapter.path.display();
            assert!(numbers.contains(name), "{place}: there is no test {name}");
            count += 1;
        }
    }
    assert!(count > 20, "only {count} are named");
}
