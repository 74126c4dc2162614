//! The table of `docs/bugs.md`: every bug is in it, and every test that it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows, as the number of the bug and the rest.
fn rows(text: &str) -> Vec<(u32, &str)> {
    let row = |line| {
        let (number, rest) = str::strip_prefix(line, "| T")?.split_once(" | ")?;
        Some((number.parse().ok()?, rest))
    };
    text.lines().filter_map(row).collect()
}

/// The tests that a row names: what is in backquotes and has a package.
fn names(row: &str) -> impl Iterator<Item = &str> {
    let quoted = row.split('`').skip(1).step_by(2);
    quoted.filter(|name| name.contains('/') && !name.starts_with("scripts/"))
}

/// Where the tests of a package are.
fn directories(package: &str) -> [PathBuf; 2] {
    if package == "tests" {
        return [root().join("tests"), root().join("src")];
    }
    let package = root().join("crates").join(package);
    [package.join("tests"), package.join("src")]
}

/// The text of a file, or of the module that a directory is; of the file around it, if the module is
/// inline.
fn text(place: &Path) -> Option<String> {
    let candidates = [
        place.with_extension("rs"),
        place.join("mod.rs"),
        place.join("main.rs"),
        place.parent()?.with_extension("rs"),
    ];
    candidates
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())
}

/// Returns `true` if a text has a function of this name, with `#[test]` among its attributes.
fn is_test(text: &str, name: &str) -> bool {
    let begin = format!("fn {name}(");
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if marked && line.starts_with(&begin) {
            return true;
        }
        marked = line == "#[test]" || (marked && line.starts_with('#'));
    }
    false
}

fn exists(name: &str) -> bool {
    let (package, place) = name.split_once('/').expect("a package");
    let mut directories = directories(package).into_iter();
    match place.split_once("::") {
        Some((place, test)) => directories
            .filter_map(|directory| text(&directory.join(place)))
            .any(|text| is_test(&text, test)),
        None => directories.any(|directory| {
            let program = directory.join(place);
            program.with_extension("rs").exists() && program.with_extension("stderr").exists()
        }),
    }
}

#[test]
fn every_bug_has_a_test_that_exists() {
    let text = fs::read_to_string(root().join("docs/bugs.md")).expect("the table");
    let rows = rows(&text);
    let numbers: Vec<_> = rows.iter().map(|row| row.0).collect();
    assert!(numbers.iter().copied().eq(1..=33), "{numbers:?}");
    for (number, row) in rows {
        let names: BTreeSet<_> = names(row).collect();
        assert!(!names.is_empty(), "T{number} has no test");
        for name in names {
            assert!(exists(name), "T{number}: there is no test {name}");
        }
    }
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    assert!(exists(
        "nmr-host/bugs_table::a_test_that_is_not_there_is_missed"
    ));
    assert!(!exists("nmr-host/bugs_table::exists"), "it is no test");
    assert!(!exists("nmr-host/bugs_table::every_bug"));
    assert!(!exists(
        "nmr-host/races::a_test_that_is_not_there_is_missed"
    ));
    assert!(!exists("nmr/ui/no_such_program"));
}
