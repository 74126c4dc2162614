//! The commands that the documentation tells to type are there. `cargo-nmr/tests/guide.rs` runs
//! those that are cheap.
#![cfg(not(miri))]

use std::fs;
use std::path::Path;

use nmr_guide::{Page, chapters, project};

/// What is wrong with a command of cargo.
fn complaint(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let after = |names: [&str; 2]| {
        let at = words.iter().position(|word| names.contains(word))?;
        words.get(at + 1).copied()
    };
    let package = after(["-p", "--package"]);
    let directory = project().join(match package {
        Some("wdk-nmr") => "crates/nmr".to_owned(),
        Some(package) => format!("crates/{package}"),
        None => ".".to_owned(),
    });
    let missing = |what: &Path| Some(format!("there is no {}", what.display()));
    if !directory.join("Cargo.toml").exists() {
        return missing(&directory);
    }
    for (names, place) in [(["--test", ""], "tests"), (["--example", ""], "examples")] {
        let Some(name) = after(names) else { continue };
        let file = directory.join(place).join(format!("{name}.rs"));
        let folder = directory.join(place).join(name).join("main.rs");
        if !file.exists() && !folder.exists() {
            return missing(&file);
        }
    }
    match words[1] {
        "build" | "doc" | "make" | "new" | "run" | "test" | "init" | "add" | "install" | "wdk" => {
            None
        }
        "xtask" if is_task(words[2]) => None,
        "nmr" if words.get(2).is_none_or(|word| is_command(word)) => None,
        "fuzz" if words[2..].iter().any(|word| is_fuzz_target(word)) => None,
        _ => Some(format!("what is `{command}`?")),
    }
}

/// Returns `true` if there is a `cargo xtask` of this name: a variant of its command line.
fn is_task(name: &str) -> bool {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    let variant: String = name.split('-').map(capital).collect();
    let options = fs::read_to_string(project().join("xtask/src/options.rs")).unwrap();
    let starts = |line: &str| line.trim().starts_with(&variant);
    options.lines().any(starts)
}

/// Returns `true` if there is a `cargo nmr` of this name.
fn is_command(name: &str) -> bool {
    let variant = name[..1].to_uppercase() + &name[1..] + "(";
    let options = fs::read_to_string(project().join("crates/cargo-nmr/src/options.rs")).unwrap();
    options
        .lines()
        .any(|line| line.trim().starts_with(&variant))
}

fn is_fuzz_target(name: &str) -> bool {
    let file = project().join("fuzz/targets").join(format!("{name}.rs"));
    file.exists()
}

/// The commands of a page, each with its line.
fn commands(page: &Page) -> Vec<(usize, String)> {
    let mut commands = Vec::new();
    for block in page.blocks() {
        let prompt = match &*block.language {
            "sh" => "",
            "console" => "$ ",
            _ => continue,
        };
        let lines = block.code.lines().enumerate();
        let typed = lines.filter_map(|(number, line)| {
            let command = line.strip_prefix(prompt)?;
            Some((block.line + number, command.to_owned()))
        });
        commands.extend(typed);
    }
    commands
}

#[test]
fn every_command_of_ours_is_there() {
    let mut pages = chapters();
    pages.push(Page::read(&project().join("README.md")));
    for entry in fs::read_dir(project().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "md") {
            pages.push(Page::read(&path));
        }
    }
    let mut seen = 0;
    for page in pages {
        for (line, command) in commands(&page) {
            if command.starts_with("cargo ") {
                seen += 1;
                let place = page.place(line);
                assert_eq!(complaint(&command), None, "{place}: {command}");
            }
            if command.starts_with("scripts/") {
                let script = command.split_whitespace().next().unwrap();
                let place = page.place(line);
                assert!(project().join(script).exists(), "{place}: {command}");
            }
        }
    }
    assert!(seen > 5);
}

#[test]
fn a_command_that_is_not_there_is_found() {
    for wrong in [
        "cargo run -p wdk-nmr --example nothing",
        "cargo test -p nothing",
        "cargo test -p wdk-nmr --test nothing",
        "cargo xtask nothing",
        "cargo nmr nothing",
        "cargo nothing",
    ] {
        assert!(complaint(wrong).is_some(), "{wrong}");
    }
    for right in [
        "cargo run -p wdk-nmr --example data_only",
        "cargo test -p wdk-nmr --test shapes",
        "cargo xtask build-driver --release",
        "cargo nmr run driver.sys",
        "cargo run -- --decline",
    ] {
        assert_eq!(complaint(right), None);
    }
}
