//! The commands and the pictures of the guide, made again.
//!
//! A block in the language `console` has commands after `$ `, and below each what it writes; a line
//! with nothing but `…` stands for any lines. A picture has the command that makes it in a comment in
//! front of it; `UPDATE_DOCS=1 cargo test -p cargo-nmr --test guide` makes them all.

mod lab;

use std::env;
use std::fs;

use nmr_guide::{Page, chapters};

/// The arguments of a command that runs this program.
fn arguments(command: &str) -> Option<&str> {
    match command.strip_prefix("cargo run")? {
        "" => Some(""),
        rest => rest.strip_prefix(" -- "),
    }
}

/// Returns `true` if a command needs images, which `cargo xtask test` builds.
fn needs_images(command: &str) -> bool {
    command.contains(".sys")
}

/// What a command writes to the standard output. It runs in the project's directory.
fn written(arguments: &str) -> String {
    let mut command = lab::command();
    command.current_dir(lab::project("."));
    let output = command.args(arguments.split_whitespace()).output().unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments}: {complaints}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns `true` if a text is what a page shows of it.
fn is_shown(shown: &str, text: &str) -> bool {
    let mut rest = text;
    let mut parts = shown.split("…\n").peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let at = match (first, last) {
            (true, true) => (rest == part).then_some(0),
            (true, false) => rest.starts_with(part).then_some(0),
            (false, true) => rest.ends_with(part).then(|| rest.len() - part.len()),
            (false, false) => rest.find(part),
        };
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
        first = false;
    }
    true
}

/// Runs the commands of all chapters that need images, or that do not.
fn run_commands(images: bool) -> usize {
    let mut count = 0;
    for chapter in chapters() {
        for block in chapter.blocks_of("console") {
            for command in block.commands() {
                let place = chapter.place(block.line);
                let arguments = arguments(&command.command);
                let arguments = arguments.unwrap_or_else(|| panic!("{place}: use `sh` for these"));
                if needs_images(arguments) == images {
                    let text = written(arguments);
                    let shown = &command.output;
                    assert!(is_shown(shown, &text), "{place} shows\n{shown}not\n{text}");
                    count += 1;
                }
            }
        }
    }
    count
}

#[test]
fn every_command_writes_what_the_guide_shows() {
    assert!(run_commands(false) > 0);
}

#[test]
#[ignore = "needs the images of `cargo xtask test`"]
fn every_command_with_an_image_writes_what_the_guide_shows() {
    run_commands(true);
}

/// Compares the pictures of a page with what their commands draw, or makes them.
fn compare_pictures(page: &Page) {
    for picture in page.pictures() {
        let place = page.place(picture.file.line);
        let command = picture.command.unwrap_or_default();
        let arguments = arguments(&command);
        let arguments = arguments.unwrap_or_else(|| panic!("{place}: which command draws it?"));
        assert!(arguments.contains("--format svg"), "{place}: {arguments}");
        let drawn = written(arguments);
        let file = page.path.with_file_name(&picture.file.target);
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&file, drawn).unwrap();
        } else {
            let kept = fs::read_to_string(&file).unwrap_or_default();
            let hint = "run `UPDATE_DOCS=1 cargo test -p cargo-nmr --test guide`";
            assert!(kept == drawn, "{place}: the picture is old: {hint}");
        }
    }
}

#[test]
fn every_picture_is_of_a_real_run() {
    let chapters = chapters();
    chapters.iter().for_each(compare_pictures);
    let mut used: Vec<String> = chapters
        .iter()
        .flat_map(Page::pictures)
        .map(|picture| picture.file.target)
        .collect();
    used.sort();
    used.dedup();
    let mut kept: Vec<String> = fs::read_dir(lab::project("docs/guide/pictures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| format!("pictures/{name}"))
        .collect();
    kept.sort();
    assert_eq!(kept, used, "every picture is in a chapter");
}

#[test]
fn three_dots_stand_for_any_lines() {
    let text = "a\nb\nc\nd\n";
    for shown in ["a\nb\nc\nd\n", "a\n…\nd\n", "…\nb\n…\n", "a\nb\n…\nc\nd\n"] {
        assert!(is_shown(shown, text), "{shown}");
    }
    for not in [
        "a\nb\n",
        "…\nb\n",
        "b\n…\n",
        "a\n…\nx\n…\n",
        "a\n…\nb\n…\na\n…\n",
    ] {
        assert!(!is_shown(not, text), "{not}");
    }
}
