//! Every link of the documentation leads somewhere.
#![cfg(not(miri))]

use std::fs;
use std::path::PathBuf;

use nmr_guide::{Page, files_below, project};

/// The pages of the project.
fn pages() -> Vec<PathBuf> {
    let mut pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(|name| project().join(name))
        .to_vec();
    pages.extend(files_below(&project().join("docs"), &["md"]));
    pages
}

/// What is wrong with a link of a page to this target.
fn complaint(page: &Page, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (target, None),
    };
    let path = match file {
        "" => page.path.clone(),
        _ => page.path.with_file_name("").join(file),
    };
    if !path.exists() {
        return Some(format!("there is no {file}"));
    }
    let anchor = anchor?;
    let known = Page::read(&path).anchors();
    (!known.iter().any(|name| name == anchor)).then(|| format!("{file} has no #{anchor}"))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut complaints = Vec::new();
    let mut links = 0;
    for page in pages().iter().map(|path| Page::read(path)) {
        for link in page.links() {
            links += 1;
            if let Some(complaint) = complaint(&page, &link.target) {
                complaints.push(format!("{}: {complaint}", page.place(link.line)));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    assert!(links > 100, "only {links} links were found");
}

/// The pages of the project that a source names, such as `docs/verifier.md#v-43`.
fn named_pages(source: &str) -> impl Iterator<Item = &str> {
    source.match_indices("docs/").filter_map(|(start, _)| {
        let part_of_a_name = |char: char| char.is_ascii_alphanumeric() || "-_/.#".contains(char);
        if source[..start].ends_with(part_of_a_name) {
            return None;
        }
        let rest = &source[start..];
        let end = rest.find(|char| !part_of_a_name(char))?;
        let name = rest[..end].trim_end_matches('.');
        // A name that is put together is none.
        let whole = !rest[end..].starts_with('{');
        (name.contains(".md") && whole).then_some(name)
    })
}

#[test]
fn every_page_that_a_source_names_is_there() {
    let root = Page::read(&project().join("README.md"));
    let mut sources = Vec::new();
    for directory in ["crates", "src", "tests", "xtask"] {
        sources.extend(files_below(&project().join(directory), &["rs"]));
    }
    // This one names some that are not there.
    sources.retain(|file| !file.ends_with("nmr-guide/tests/links.rs"));
    let mut complaints = Vec::new();
    let mut names = 0;
    for file in sources {
        let source = fs::read_to_string(&file).unwrap();
        for name in named_pages(&source) {
            names += 1;
            if let Some(complaint) = complaint(&root, name) {
                complaints.push(format!("{}: {complaint}", file.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    assert!(names > 20, "only {names} were found");
}

#[test]
fn every_shape_has_the_test_that_its_row_names() {
    let tests = files_below(&project().join("crates/nmr/tests/shapes"), &["rs"]);
    let tests: Vec<String> = tests
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let page = Page::read(&project().join("docs/shapes.md"));
    let names: Vec<&str> = page
        .text
        .split('`')
        .filter(|name| name.starts_with("p_"))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let test = format!("fn {name}_");
        assert!(tests.iter().any(|text| text.contains(&test)), "{name}");
    }
}

#[test]
fn a_dead_link_is_found() {
    let page = Page::read(&project().join("README.md"));
    for dead in ["docs/nothing.md", "docs/verifier.md#v-00", "#nothing"] {
        assert!(complaint(&page, dead).is_some(), "{dead}");
    }
    for alive in ["docs/verifier.md#v-43", "#try-it", "https://example.org/x"] {
        assert_eq!(complaint(&page, alive), None);
    }
}
