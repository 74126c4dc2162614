//! The Rust programs of the guide look as rustfmt has it.
//!
//! `UPDATE_DOCS=1 cargo test -p nmr-guide --test format` makes them look so.
#![cfg(not(miri))]

use std::env;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use nmr_guide::{Page, chapters, project};

/// A program as rustfmt writes it. `None` if there is no rustfmt.
fn formatted(code: &str, place: &str) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--quiet"])
        .arg("--config-path")
        .arg(project())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = rustfmt.stdin.take().unwrap();
    input.write_all(code.as_bytes()).unwrap();
    drop(input);
    let output = rustfmt.wait_with_output().unwrap();
    assert!(output.status.success(), "{place}: rustfmt cannot read it");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The page with its programs formatted. Fragments, and programs with hidden lines, stay as they are.
fn with_formatted_programs(page: &Page) -> String {
    let mut text = page.text.clone();
    for block in page.blocks() {
        let is_rust = block.language.split(',').next() == Some("rust");
        let hides = block.code.lines().any(|line| line.starts_with("# "));
        if is_rust && block.code.contains("\nfn main(") && !hides {
            let place = page.place(block.line);
            let Some(better) = formatted(&block.code, &place) else {
                eprintln!("there is no rustfmt here: the programs were not looked at");
                return text;
            };
            text = text.replace(&block.code, &better);
        }
    }
    text
}

#[test]
fn every_program_is_formatted() {
    for chapter in chapters() {
        let better = with_formatted_programs(&chapter);
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&chapter.path, better).unwrap();
        } else {
            let hint = "run `UPDATE_DOCS=1 cargo test -p nmr-guide --test format`";
            let name = chapter.path.display();
            assert!(chapter.text == better, "{name}: {hint}");
        }
    }
}
