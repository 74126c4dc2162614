//! The form of the guide: what is a chapter, how long it is, and what its blocks can be.
#![cfg(not(miri))]

use std::env;
use std::fs;

use nmr_guide::{CHAPTERS, Page, chapters, project};

/// What a block of code can be, each of which a test looks at.
const LANGUAGES: [&str; 10] = [
    "rust",              // compiled and run by `cargo test --doc -p nmr-guide`
    "rust,compile_fail", // refused by the compiler
    "rust,no_run",       // only for what does not end well: compiled
    "rust,ignore",       // a whole file of a package: tests/first_module.rs, tests/excerpts.rs
    "c",                 // compiled, and run with libnmr_host: nmr-host-c/tests/guide.rs
    "console",           // run, and the output compared: cargo-nmr/tests/guide.rs
    "sh",                // commands that are too slow for that: each of ours exists
    "toml",
    "make",
    "cmake",
];

#[test]
fn every_chapter_is_tested_and_in_the_list() {
    let mut files: Vec<String> = fs::read_dir(project().join("docs/guide"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(|char: char| char.is_ascii_digit()))
        .collect();
    files.sort();
    assert_eq!(
        files, CHAPTERS,
        "add the chapter to crates/nmr-guide/src/lib.rs"
    );

    let list = Page::read(&project().join("docs/guide/README.md"));
    let mut linked: Vec<String> = list.links().into_iter().map(|link| link.target).collect();
    linked.retain(|target| CHAPTERS.contains(&&**target));
    assert_eq!(linked, CHAPTERS, "docs/guide/README.md lists each once");
}

#[test]
fn a_chapter_has_its_number_and_fits_on_a_page() {
    for chapter in chapters() {
        let name = chapter.path.file_name().unwrap().to_str().unwrap();
        let number: u32 = name.split('-').next().unwrap().parse().unwrap();
        let title = format!("# {number}. ");
        assert!(chapter.text.starts_with(&title), "{name}: {title}");
        let lines = chapter.text.lines().count();
        assert!(lines < 400, "{name} has {lines} lines");
    }
}

#[test]
fn every_block_is_of_a_kind_that_a_test_looks_at() {
    for chapter in chapters() {
        for block in chapter.blocks() {
            let known = LANGUAGES.contains(&&*block.language);
            // What a block above it writes.
            let text = block.language == "text";
            let place = chapter.place(block.line);
            assert!(known || text, "{place}: `{}`", block.language);
        }
    }
}

/// The line at the end of a chapter that leads to this one.
fn leads_to(next: &Page) -> String {
    let (heading, _) = next.text.split_once('\n').unwrap();
    let (_, title) = heading.split_once(". ").unwrap();
    let file = next.path.file_name().unwrap().to_str().unwrap();
    format!("Next: [{title}]({file})")
}

/// `UPDATE_DOCS=1 cargo test -p nmr-guide --test chapters` writes these lines.
#[test]
fn every_chapter_leads_to_the_next() {
    for pair in chapters().windows(2) {
        let [chapter, next] = pair else { continue };
        let text = chapter.text.trim_end();
        let (before, end) = text.rsplit_once("\n\n").unwrap();
        let expected = leads_to(next);
        if env::var_os("UPDATE_DOCS").is_some() {
            let body = if end.starts_with("Next: ") {
                before
            } else {
                text
            };
            fs::write(&chapter.path, format!("{body}\n\n{expected}\n")).unwrap();
        } else {
            let name = chapter.path.display();
            let hint = "run `UPDATE_DOCS=1 cargo test -p nmr-guide --test chapters`";
            assert_eq!(end, expected, "{name}: {hint}");
        }
    }
}
