//! The floors of the crate: each folder uses only folders below it. A reader of the paths in the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A floor with several names has parts that do not use each other.
const FLOORS: &[&[&str]] = &[
    // Images as files, and requests and names as text: portable.
    &["kmdf", "pe", "printable", "request"],
    &["facts", "file", "framework"],
    &["hygiene"],
    // The kernel's objects and services, and the drivers as it knows them.
    &["native/kernel"],
    // The way into a driver.
    &["native/crossing"],
    // The I/O manager of drivers that take IRPs.
    &["native/io"],
    // The functions of the kernel and of the framework, in the convention of images.
    &["native/exports", "native/wdf"],
    // The table of names.
    &["functions"],
    // The gate, the traps, the handler of faults.
    &["native/abi"],
    &["native/loader"],
    &["native/host"],
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The module that a file is.
fn module(file: &Path) -> Vec<String> {
    let path = file.strip_prefix(source()).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
    let mut parts: Vec<_> = parts.collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// The floor and the name of the folder that a module is in.
fn floor(module: &[String]) -> Option<(usize, &'static str)> {
    let path = format!("{}/", module.join("/"));
    FLOORS.iter().enumerate().find_map(|(floor, names)| {
        let inside = |name: &&&str| path.starts_with(&format!("{name}/"));
        names.iter().find(inside).map(|name| (floor, *name))
    })
}

/// The modules that a file names: paths that begin with `crate` or `super`, in code and in groups of `use`.
fn uses(module: &[String], text: &str) -> BTreeSet<Vec<String>> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    // The tests of a file may look up.
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = BTreeSet::new();
    let separators = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
    for path in code.split(separators) {
        let mut parts = path.split("::").map(str::to_owned).peekable();
        let mut base = match parts.next().as_deref() {
            Some("crate") => Vec::new(),
            Some("super") => module[..module.len() - 1].to_vec(),
            _ => continue,
        };
        while parts.next_if(|part| part == "super").is_some() {
            base.pop();
        }
        base.extend(parts.filter(|part| !part.is_empty()));
        found.insert(base);
    }
    found
}

#[test]
fn no_folder_uses_one_above_it_or_beside_it() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files(&source()) {
        let module = module(&file);
        let Some((own, name)) = floor(&module) else {
            let roots = ["lib", "native"];
            assert!(
                roots.contains(&module.join("/").as_str()),
                "{} is on no floor",
                file.display()
            );
            continue;
        };
        seen.insert(name);
        for used in uses(&module, &fs::read_to_string(&file).unwrap()) {
            match floor(&used) {
                Some((other, folder)) if other > own || (other == own && folder != name) => {
                    wrong.push(format!("{} uses {}", module.join("::"), used.join("::")));
                }
                _ => {}
            }
        }
    }
    let named = FLOORS.iter().flat_map(|names| names.iter().copied());
    assert_eq!(seen, named.collect(), "every folder is there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_kernel_has_no_calling_convention_of_images() {
    for file in files(&source().join("native/kernel")) {
        let text = fs::read_to_string(&file).unwrap();
        let conventions = ["\"win64\"", "\"efiapi\"", "naked_asm"];
        for convention in conventions {
            assert!(
                !text.contains(convention),
                "{} has {convention}",
                file.display()
            );
        }
    }
}

#[test]
fn a_path_is_found_wherever_it_is() {
    let module = ["native", "wdf", "queue"].map(str::to_owned);
    let text = "use super::{call, Handle};\nuse crate::pe;\nlet a = super::super::loader::map::map(b);\n//! super::x";
    let found = uses(&module, text);
    let expected = [
        vec!["native", "loader", "map", "map"],
        vec!["native", "wdf"],
        vec!["pe"],
    ];
    let expected = expected.map(|path| path.into_iter().map(str::to_owned).collect());
    assert_eq!(found, BTreeSet::from(expected));
}
