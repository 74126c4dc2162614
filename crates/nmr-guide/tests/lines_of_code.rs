//! The figures of the chapter about lines of code are those of the sources.
//! `UPDATE_DOCS=1 cargo test -p nmr-guide --test lines_of_code` writes them.
#![cfg(not(miri))]

use std::env;
use std::fs;
use std::path::Path;

use nmr_guide::{Page, project};

const CHAPTER: &str = "docs/guide/17-lines-of-code.md";
const BEGIN: &str = "<!-- lines -->\n";
const END: &str = "<!-- end of lines -->\n";

/// What is counted, in C and in Rust.
const MODULES: [(&str, &[&str], &[&str]); 3] = [
    (
        "the client",
        &["crates/exnpi-c/c/client.c"],
        &["src/client.rs"],
    ),
    (
        "the provider",
        &["crates/exnpi-c/c/provider.c"],
        &["src/provider.rs"],
    ),
    (
        "calls in progress",
        &["crates/exnpi-c/c/calls.h", "crates/exnpi-c/c/calls.c"],
        &[],
    ),
];
const FOR_THE_DRIVER: &str = "crates/exnpi-c/c/modules.h";
const INTERFACE: (&[&str], &[&str]) = (
    &["crates/exnpi/include/exnpi.h", "crates/exnpi-c/c/npiid.c"],
    &["crates/exnpi/src/lib.rs"],
);

/// How many lines of C or Rust have something other than comments.
fn lines_of_code(source: &str) -> usize {
    let code = without_comments(source);
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

/// The source with nothing but the ends of lines in the place of comments. No string in what is
/// counted looks like a comment.
fn without_comments(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(at) = [rest.find("//"), rest.find("/*")]
        .into_iter()
        .flatten()
        .min()
    {
        let (before, comment) = rest.split_at(at);
        let length = if comment.starts_with("//") {
            comment.find('\n')
        } else {
            comment.find("*/").map(|end| end + 2)
        };
        let (comment, after) = comment.split_at(length.unwrap_or(comment.len()));
        code.push_str(before);
        code.extend(comment.chars().filter(|char| *char == '\n'));
        rest = after;
    }
    code + rest
}

/// The lines of some files, and where they are, for the table.
fn counted(files: &[&str]) -> (usize, String) {
    let mut sum = 0;
    let mut names = Vec::new();
    for file in files {
        sum += lines_of_code(&fs::read_to_string(project().join(file)).unwrap());
        let name = Path::new(file).file_name().unwrap().to_str().unwrap();
        names.push(format!("[{name}](../../{file})"));
    }
    (sum, names.join(", "))
}

/// How a module in Rust is registered and left: the program of the chapter, without its `main`.
fn registering(chapter: &Page) -> usize {
    let block = &chapter.blocks_of("rust")[0];
    let (code, _) = block.code.split_once("fn main").unwrap();
    lines_of_code(code)
}

/// The table, and how many lines all the C has.
fn table(chapter: &Page) -> (String, usize) {
    let mut rows = vec!["| lines of code | C | Rust |\n|---|---|---|\n".to_owned()];
    let (mut all_c, mut all_rust) = (0, 0);
    for (what, c, rust) in MODULES {
        let (c, c_names) = counted(c);
        let (rust, rust_names) = counted(rust);
        all_c += c;
        all_rust += rust;
        let rust = if rust == 0 {
            "in `nmr`".to_owned()
        } else {
            format!("{rust}: {rust_names}")
        };
        rows.push(format!("| {what} | {c}: {c_names} | {rust} |\n"));
    }
    let (header, name) = counted(&[FOR_THE_DRIVER]);
    let registering = registering(chapter);
    all_c += header;
    all_rust += registering;
    rows.push(format!(
        "| registering and leaving | {header}: {name}, and in the two modules | {registering}: below |\n"
    ));
    rows.push(format!(
        "| **both modules** | **{all_c}** | **{all_rust}** |\n"
    ));
    let (c, c_names) = counted(INTERFACE.0);
    let (rust, rust_names) = counted(INTERFACE.1);
    rows.push(format!(
        "| the interface, which both include | {c}: {c_names} | {rust}: {rust_names} |\n"
    ));
    all_c += c;
    all_rust += rust;
    let percent = 100 * all_rust / all_c;
    assert!((30..=36).contains(&percent), "the README says a third");
    rows.push(format!(
        "| **with the interface** | **{all_c}** | **{all_rust}**, which is {percent} % |\n"
    ));
    (rows.concat(), all_c)
}

#[test]
fn the_chapter_has_the_lines_that_there_are() {
    let chapter = Page::read(&project().join(CHAPTER));
    let (expected, _) = table(&chapter);
    let (before, rest) = chapter.text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if env::var_os("UPDATE_DOCS").is_some() {
        let text = [before, BEGIN, &expected, END, after].concat();
        fs::write(&chapter.path, text).unwrap();
    } else {
        let hint = "run `UPDATE_DOCS=1 cargo test -p nmr-guide --test lines_of_code`";
        assert_eq!(found, expected, "{CHAPTER} is old: {hint}");
    }
}

/// What the chapter says about the library that it does not count.
#[test]
fn the_library_is_larger_than_the_c() {
    let sources = project().join("crates/nmr/src");
    let files = fs::read_dir(sources)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let library: usize = files
        .map(|path| lines_of_code(&fs::read_to_string(path).unwrap()))
        .sum();
    let (_, c) = table(&Page::read(&project().join(CHAPTER)));
    assert!(library > c, "{library} lines");
}

#[test]
fn the_rule_counts_what_it_says() {
    for (source, count) in [
        ("", 0),
        ("\n   \n", 0),
        ("// a\n/// b\n//! c\n", 0),
        ("/* a\n b\n */\n", 0),
        ("int a; /* b */\n", 1),
        ("/* a */ int b;\n", 1),
        ("/* a\n b */ int c; /* d\n e */\nint f; // g\n", 2),
        ("#include <a.h>\n{\n}\n", 3),
    ] {
        assert_eq!(lines_of_code(source), count, "{source}");
    }
}
