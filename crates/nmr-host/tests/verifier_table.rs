//! The table of rules in `docs/verifier.md`: which tests break each rule, and who notices. It is made
//! here, from the rules and the names of the tests, so that it cannot be out of date.
//!
//! `UPDATE_DOCS=1 cargo test -p nmr-host --test verifier_table` writes it.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use nmr_host::{Rule, Severity};

const BEGIN: &str = "<!-- rules: made by crates/nmr-host/tests/verifier_table.rs -->\n";
const END: &str = "<!-- end of rules -->\n";

/// The rules, by number.
fn numbers() -> impl Iterator<Item = u8> {
    [1..=17, 20..=39, 40..=56, 60..=63, 70..=86]
        .into_iter()
        .flatten()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The tests of each rule, as `crate/file::name`.
fn tests() -> BTreeMap<u8, Vec<String>> {
    let mut tests = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates")).expect("the crates") {
        let directory = entry.expect("a crate").path();
        let name = directory
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        collect(&directory.join("tests"), &name, &mut tests);
    }
    collect(&root().join("tests"), "tests", &mut tests);
    for names in tests.values_mut() {
        names.sort();
    }
    tests
}

fn collect(directory: &Path, prefix: &str, tests: &mut BTreeMap<u8, Vec<String>>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("a file").path();
        let stem = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let place = format!("{prefix}/{stem}");
        if path.is_dir() {
            collect(&path, &place, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source file");
            for (rule, name) in source.lines().filter_map(test_of_a_rule) {
                let name = format!("{place}::{name}");
                tests.entry(rule).or_default().push(name);
            }
        }
    }
}

/// The rule and the name of a test that is called after a rule: `fn v_43_a_detach_…() {`.
fn test_of_a_rule(line: &str) -> Option<(u8, &str)> {
    let name = line.strip_prefix("fn ")?.split_once('(')?.0;
    let number = name.strip_prefix("v_")?.split_once('_')?.0;
    Some((number.parse().ok()?, name))
}

fn severity(rule: Rule) -> &'static str {
    match rule.severity() {
        Severity::Error => "error",
        Severity::Tolerated => "error in strict mode, else warning",
        Severity::Warning => "warning",
    }
}

fn table() -> String {
    let mut tests = tests();
    let mut text =
        String::from("| rule | severity | noticed by | tests that break it |\n|---|---|---|---|\n");
    for number in numbers() {
        let link = format!("[V-{number:02}](#v-{number:02})");
        let names = tests.remove(&number).unwrap_or_default();
        let rule = *Rule::ALL
            .iter()
            .find(|rule| **rule as u8 == number)
            .unwrap_or_else(|| panic!("V-{number:02} is not watched"));
        assert!(!names.is_empty(), "{rule} has no test");
        let (severity, noticed) = (severity(rule), rule.detection());
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join("<br>");
        writeln!(text, "| {link} | {severity} | {noticed} | {names} |")
            .expect("a string takes all");
    }
    assert!(
        tests.is_empty(),
        "tests of rules that there are not: {tests:?}"
    );
    text
}

#[test]
fn the_table_of_rules_is_up_to_date() {
    let path = root().join("docs/verifier.md");
    let document = fs::read_to_string(&path).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("the begin of the table");
    let (found, after) = rest.split_once(END).expect("the end of the table");
    let table = table();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, [before, BEGIN, &table, END, after].concat())
            .expect("the document is written");
    } else {
        let hint = "run `UPDATE_DOCS=1 cargo test -p nmr-host --test verifier_table`";
        assert!(
            found == table,
            "the table in docs/verifier.md is old: {hint}\n{table}"
        );
    }
}

#[test]
fn every_rule_has_a_heading_where_its_reports_point() {
    let document = fs::read_to_string(root().join("docs/verifier.md")).expect("the document");
    let headings: Vec<_> = document
        .lines()
        .filter_map(|line| line.strip_prefix("### V-"))
        .collect();
    let expected: Vec<_> = numbers().map(|number| format!("{number:02}")).collect();
    assert_eq!(headings, expected);
    assert_eq!((expected.len(), Rule::ALL.len()), (75, 75));
    for rule in Rule::ALL {
        assert!(expected.contains(&format!("{:02}", *rule as u8)), "{rule}");
        assert!(
            rule.link()
                .ends_with(&format!("#{}", rule.to_string().to_lowercase()))
        );
    }
}
