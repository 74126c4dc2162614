//! The files and folders of nmr-machine and nmr-host use each other in one direction. What they use stands
//! behind `crate::` and `super::`. A folder is one thing to those outside of it; inside, its `mod.rs` belongs
//! to all its files. The exploration and the fuzzing, which are tests, are left out.
#![cfg(not(miri))]

mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use nmr_guide::project;
use uses::used;

type Names = BTreeSet<String>;

/// Circles that may be, with the folder that they are in.
const ALLOWED: [(&str, &[&str]); 2] = [
    // A block knows its arena; a touch of a freed block asks the quarantine, which starts the handler.
    ("nmr-host/src/memory", &["arena", "fault", "quarantine"]),
    // A copy of a table holds addresses of stubs, which go through the trampoline to the function in the copy. The watch of a
    // binding makes stubs for callbacks.
    (
        "nmr-host/src/wrapped",
        &["trampoline", "stubs", "table", "watch"],
    ),
];

const TESTS: [&str; 3] = ["explore", "fuzz", "tests"];

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
        let folder = project().join("crates").join(name).join("src");
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
