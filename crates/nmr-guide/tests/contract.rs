//! `docs/contract.md` has everything that comments, tests, reports and pages cite of it.
#![cfg(not(miri))]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use nmr_guide::{files_below, project};

fn contract() -> String {
    fs::read_to_string(project().join("docs/contract.md")).unwrap()
}

/// The texts of the repository that may cite the contract, each with its path.
fn texts() -> Vec<(String, String)> {
    const KINDS: [&str; 5] = ["c", "h", "md", "rs", "sh"];
    let directories = [
        "crates", "docs", "examples", "fuzz", "scripts", "src", "tests", "xtask",
    ];
    let files = directories.map(|directory| files_below(&project().join(directory), &KINDS));
    let mut files = files.concat();
    // The contract, and this test of it.
    files.retain(|file| file.file_stem().is_some_and(|stem| stem != "contract"));
    assert!(files.len() > 300, "{} files", files.len());
    let text = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        (file.display().to_string(), text)
    };
    files.into_iter().map(text).collect()
}

/// The numbers of a text: `A-07`, `U-07`, `R-07`, `D-07`, `I-7`.
fn numbers(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| is_number(word)).collect()
}

fn is_number(word: &str) -> bool {
    let Some((kind, digits)) = word.split_once('-') else {
        return false;
    };
    let length = match kind {
        "A" | "U" | "R" | "D" => 2,
        "I" => 1,
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sections that a text cites, also where a comment breaks the line.
fn sections(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let line = line.trim_start();
        line.trim_start_matches(['/', '!', '#', '*', ' '])
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (start, cited) in text.match_indices("contract section") {
        let after = text[start + cited.len()..].trim_start_matches('s');
        let mut goes_on = true;
        for word in after.split_whitespace() {
            let end = word.find(|c: char| !c.is_ascii_digit() && c != '.');
            let number = word[..end.unwrap_or(word.len())].trim_end_matches('.');
            if matches!(word, "and" | "to") {
                goes_on = true;
            } else if goes_on && !number.is_empty() {
                found.push(number.to_owned());
                goes_on = word.ends_with(',');
            } else {
                break;
            }
        }
    }
    found
}

/// The numbers of the headings.
fn headings(contract: &str) -> BTreeSet<&str> {
    let headings = contract.lines().filter(|line| line.starts_with("##"));
    let words = headings.filter_map(|line| line.trim_start_matches(['#', ' ']).split(' ').next());
    words.map(|word| word.trim_end_matches('.')).collect()
}

#[test]
fn every_number_and_section_that_is_cited_is_in_the_contract() {
    let contract = contract();
    let known = numbers(&contract);
    let headings = headings(&contract);
    let mut cited = 0;
    for (path, text) in texts() {
        for number in numbers(&text) {
            assert!(known.contains(number), "{path} cites {number}");
            cited += 1;
        }
        for section in sections(&text) {
            assert!(
                headings.contains(&*section),
                "{path} cites section {section}"
            );
            cited += 1;
        }
    }
    assert!(cited > 100, "{cited} citations");
}

#[test]
fn citations_are_found_wherever_they_stand() {
    assert_eq!(
        numbers("(A-07), U-12: I-3. VA-01 A-1 R-123 V-01"),
        ["A-07", "I-3", "U-12"].into()
    );
    assert_eq!(
        sections("//! as in the contract sections\n//! 2.4, 2.6 and 7). contract section 5's 9"),
        ["2.4", "2.6", "7", "5"]
    );
}

/// The decisions are numbered without a gap, and each has its mark.
#[test]
fn each_decision_has_a_mark() {
    let contract = contract();
    let (_, decisions) = contract.split_once("## 5. Decisions").unwrap();
    let (decisions, _) = decisions.split_once("\n## 6").unwrap();
    let decisions: Vec<_> = decisions.split("\n### ").skip(1).collect();
    for (at, decision) in decisions.iter().enumerate() {
        assert!(
            decision.starts_with(&format!("A-{:02}\n", at + 1)),
            "{decision}"
        );
        let lower = decision.to_lowercase();
        let marks = ["documented", "observed", "assumed", "does not occur"];
        assert!(marks.iter().any(|mark| lower.contains(mark)), "{decision}");
        assert!(decision.contains("**"), "no answer: {decision}");
    }
    assert_eq!(decisions.len(), 38);
}

/// The defects of other registrars and drivers, and all decisions about the registrar, are tests.
#[test]
fn each_defect_and_decision_has_a_test() {
    let texts = texts();
    for number in numbers(&contract()) {
        // A-33 is about the calls of modules, which V-48 watches.
        if number.starts_with('I') || number == "A-33" {
            continue;
        }
        let test = format!("fn {}_", number.to_lowercase().replace('-', "_"));
        let tested = texts.iter().any(|(_, text)| text.contains(&test));
        assert!(tested, "{number} has no test");
    }
}
