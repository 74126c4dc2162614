//! The package's build script, as it has to be compiled here: Windows is what it asks for, and Cargo compiles
//! build scripts for the machine that builds.

use std::path::Path;

use anyhow::{Result, bail};

use crate::files;
use crate::package::Package;

/// Writes the build script of a shadow.
pub(crate) fn write(package: &Package, directory: &Path) -> Result<()> {
    let own = package.directory.join("build.rs");
    if !own.is_file() {
        bail!(
            "{} has no build.rs that calls `wdk_build::configure_wdk_binary_build`",
            package.name
        );
    }
    let text = on_windows(&files::read(&own)?);
    files::write(&directory.join("build.rs"), text.as_bytes()).map(drop)
}

/// A source whose conditions on the system have the answers that they have on Windows.
fn on_windows(source: &str) -> String {
    let mut text = String::new();
    let mut rest = source;
    while let Some(at) = condition(rest) {
        let (before, after) = rest.split_at(at);
        let end = closing(after).unwrap_or(after.len());
        text.push_str(before);
        text.push_str(&answer(&after[..end]));
        rest = &after[end..];
    }
    text + rest
}

/// Where the inside of the next `cfg(…)`, `cfg!(…)` or `cfg_attr(…)` begins.
fn condition(source: &str) -> Option<usize> {
    let starts = ["cfg(", "cfg!(", "cfg_attr("];
    let found = starts
        .iter()
        .filter_map(|start| Some(source.find(start)? + start.len()));
    found.min()
}

/// Where the parenthesis is closed that was opened before a text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.char_indices().find_map(|(at, character)| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

/// One condition, with what is asked of the system answered.
fn answer(condition: &str) -> String {
    let condition = condition
        .replace("target_os = \"windows\"", "all()")
        .replace("target_os = \"linux\"", "any()");
    let mut text = String::new();
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    for word in condition.split_inclusive(|character| !is_part(character)) {
        let name = word.trim_end_matches(|character| !is_part(character));
        let end = &word[name.len()..];
        let answer = match name {
            "windows" if end != "\"" => "all()",
            "unix" if end != "\"" => "any()",
            _ => name,
        };
        text.push_str(answer);
        text.push_str(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::on_windows;

    #[test]
    fn conditions_are_answered_and_other_text_is_left() {
        for (source, expected) in [
            ("#[cfg(windows)] fn main() {}", "#[cfg(all())] fn main() {}"),
            ("#[cfg(not(windows))]", "#[cfg(not(all()))]"),
            (
                "#[cfg(all(unix, feature = \"windows\"))]",
                "#[cfg(all(any(), feature = \"windows\"))]",
            ),
            ("if cfg!(target_os = \"windows\") {}", "if cfg!(all()) {}"),
            ("let windows = unix;", "let windows = unix;"),
            ("#[cfg(", "#[cfg("),
        ] {
            assert_eq!(on_windows(source), expected);
        }
    }
}
