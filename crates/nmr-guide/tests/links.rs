//! Every link of the documentation leads somewhere.
#![cfg(not(miri))]

use std::fs;
use std::path::{Path, PathBuf};

use nmr_guide::{Page, project};

/// The pages of a directory and of those in it.
fn pages_in(directory: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_in(&path, pages);
        } else if path.extension().is_some_and(|end| end == "md") {
            pages.push(path);
        }
    }
}

/// The pages of the project.
fn pages() -> Vec<PathBuf> {
    let mut pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(|name| project().join(name))
        .to_vec();
    pages_in(&project().join("docs"), &mut pages);
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
