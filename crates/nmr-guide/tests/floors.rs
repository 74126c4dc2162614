//! The floors of driver-host: each folder uses only folders below it.
#![cfg(not(miri))]

mod uses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nmr_guide::project;
use uses::used;

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
    project().join("crates/driver-host/src")
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
        for used in used(&fs::read_to_string(&file).unwrap(), &module) {
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
