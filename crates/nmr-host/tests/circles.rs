//! The files and folders of nmr-machine and nmr-host use each other in one direction. What they use stands
//! behind `crate::` and `super::`. A folder is one thing to those outside of it; inside, its `mod.rs` belongs
//! to all its files. The exploration and the fuzzing, which are tests, are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Names = BTreeSet<String>;

/// Circles that may be, with the folder that they are in.
const ALLOWED: [(&str, &[&str]); 2] = [
    // A block knows its arena; a touch of a freed block asks the quarantine, which starts the handler.
    ("nmr-host/src/memory", &["arena", "fault", "quarantine"]),
    // A copy of a table holds addresses of stubs, which go through the gate to the function in the copy. The watch of a
    // binding makes stubs for callbacks.
    ("nmr-host/src/wrapped", &["gate", "stubs", "table", "watch"]),
];

const TESTS: [&str; 3] = ["explore", "fuzz", "tests"];

/// Adds the paths that a use tree names, and returns what is behind it.
fn read_tree<'a>(text: &'a str, before: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') {
            let before_it = rest.trim_start_matches([',', ' ', '\n']);
            if before_it.is_empty() || before_it.starts_with('}') {
                rest = before_it;
                break;
            }
            let behind = read_tree(before_it, before, paths);
            // `as name`, or what is no name.
            let end = behind.find([',', '}']).unwrap_or(behind.len());
            rest = &behind[end..];
        }
        return rest.trim_start().strip_prefix('}').unwrap_or(rest);
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let mut path = before.to_vec();
    path.push(name.to_owned());
    if let Some(rest) = rest.strip_prefix("::") {
        return read_tree(rest, &path, paths);
    }
    paths.push(path);
    rest
}

/// The paths that a file uses, from the root of its crate. `module` is its own.
fn used(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let text = text.split("mod tests {").next().unwrap();
    let code: Vec<_> = text
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .collect();
    let code = code.join("\n");
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        read_tree(&code[at + "crate::".len()..], &[], &mut paths);
    }
    for (at, _) in code.match_indices("super::") {
        let outer = code[..at].len() - code[..at].trim_end_matches("super::").len();
        let up = 1 + outer / "super::".len();
        let parent = &module[..module.len().saturating_sub(up)];
        read_tree(&code[at + "super::".len()..], parent, &mut paths);
    }
    paths
}

/// Everything that the files below use.
fn used_below(path: &Path, module: &[String]) -> Vec<Vec<String>> {
    if path.is_file() {
        return used(&fs::read_to_string(path).unwrap(), module);
    }
    let files = fs::read_dir(path).unwrap().map(|file| file.unwrap().path());
    files
        .flat_map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut inner = module.to_vec();
            inner.extend((name != "mod").then_some(name));
            used_below(&file, &inner)
        })
        .collect()
}

/// What is left of these when those that use no other, or that no other uses, are taken away.
fn circles(mut uses: BTreeMap<String, Names>) -> Names {
    loop {
        let all: Names = uses.keys().cloned().collect();
        let is_used = |name: &String| uses.values().any(|names| names.contains(name));
        let kept: Names = all
            .iter()
            .filter(|name| is_used(name) && !uses[*name].is_disjoint(&all))
            .cloned()
            .collect();
        if kept == all {
            return kept;
        }
        uses.retain(|name, _| kept.contains(name));
        for names in uses.values_mut() {
            names.retain(|name| kept.contains(name));
        }
    }
}

/// Looks at a folder and those in it, and counts the uses that it has seen.
fn check(folder: &Path, module: &[String], shown: &str) -> usize {
    let mut uses = BTreeMap::new();
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "mod"].contains(&name.as_str()) || TESTS.contains(&name.as_str()) {
            continue;
        }
        let mut inner = module.to_vec();
        inner.push(name.clone());
        if path.is_dir() {
            seen += check(&path, &inner, &format!("{shown}/{name}"));
        }
        let siblings = used_below(&path, &inner).into_iter().filter_map(|used| {
            let (outer, name) = used.split_at_checked(module.len())?;
            (outer == module).then(|| name.first().cloned())?
        });
        let names: &mut Names = uses.entry(name.clone()).or_default();
        names.extend(siblings.filter(|sibling| *sibling != name));
    }
    let files: Names = uses.keys().cloned().collect();
    for names in uses.values_mut() {
        names.retain(|name| files.contains(name));
    }
    seen += uses.values().map(BTreeSet::len).sum::<usize>();
    let found = circles(uses);
    let allowed = ALLOWED.iter().find(|(folder, _)| *folder == shown);
    let allowed: Names = allowed
        .iter()
        .flat_map(|(_, names)| names.iter().map(|&name| name.to_owned()))
        .collect();
    assert_eq!(found, allowed, "{shown}: these use each other in a circle");
    seen
}

#[test]
fn files_and_folders_use_each_other_in_one_direction() {
    for name in ["nmr-machine", "nmr-host"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(name)
            .join("src");
        let seen = check(&folder, &[], &format!("{name}/src"));
        assert!(seen > 50, "{name}: {seen} uses cannot be all");
    }
}

#[test]
fn a_circle_is_seen() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Names>();
    let uses = |from: &str, to: &[&str]| (from.to_owned(), names(to));
    let found = circles(BTreeMap::from([
        uses("a", &["b"]),
        uses("b", &["c", "e"]),
        uses("c", &["b", "d"]),
        uses("d", &[]),
        uses("e", &[]),
    ]));
    assert_eq!(found, names(&["b", "c"]));
}

#[test]
fn every_form_of_a_use_is_read() {
    let text = "use crate::a::{self, B as C, d::{E}};\nuse super::{f, g::H};\n// crate::x\nlet i = crate::j::k();";
    let module = ["m".to_owned(), "n".to_owned()];
    let used: Vec<_> = used(text, &module)
        .iter()
        .map(|path| path.join("::"))
        .collect();
    assert_eq!(
        used,
        ["a::self", "a::B", "a::d::E", "j::k", "m::f", "m::g::H"]
    );
}
