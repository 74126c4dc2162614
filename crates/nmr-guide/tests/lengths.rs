//! How long files are: as CONTRIBUTING.md says.
#![cfg(not(miri))]

use std::fs;
use std::path::Path;

use nmr_guide::{files_below, project};

/// The lines that a file of sources may have, and a file of tests.
const LIMITS: (usize, usize) = (500, 700);

fn limit(path: &Path) -> usize {
    let is_test = path.iter().any(|part| part == "tests");
    if is_test { LIMITS.1 } else { LIMITS.0 }
}

#[test]
fn no_file_is_longer_than_its_limit() {
    let files = files_below(&project(), &["rs"]);
    assert!(files.len() > 500, "{} files", files.len());
    let too_long = files.iter().filter_map(|path| {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        (lines > limit(path)).then(|| format!("{}: {lines} lines", path.display()))
    });
    let too_long: Vec<_> = too_long.collect();
    assert!(too_long.is_empty(), "{too_long:#?}");
}

#[test]
fn the_limits_are_those_of_the_page() {
    let page = fs::read_to_string(project().join("CONTRIBUTING.md")).unwrap();
    let text = format!("at most {} lines, of tests {}", LIMITS.0, LIMITS.1);
    assert!(
        page.contains(&text),
        "CONTRIBUTING.md does not say {text:?}"
    );
}
