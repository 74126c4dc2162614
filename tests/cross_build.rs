//! The driver that a Linux machine builds is the one that Windows builds: what the set-up knows of versions is
//! what the manifests and lock files say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

fn read(path: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap()
}

/// A value inside a manifest.
fn at<'a>(manifest: &'a Table, path: &[&str]) -> &'a Value {
    let (first, rest) = path.split_first().unwrap();
    let value = manifest
        .get(*first)
        .unwrap_or_else(|| panic!("no {path:?}"));
    rest.iter().fold(value, |value, key| &value[*key])
}

/// The versions of each package from a registry.
fn locked(path: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lock = read(path);
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for package in lock["package"].as_array().unwrap() {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        versions
            .entry(text("name"))
            .or_default()
            .insert(text("version"));
    }
    versions
}

#[test]
fn drivers_of_tests_are_built_from_the_same_releases() {
    let root = locked("Cargo.lock");
    for (package, own) in [("glue", "glue"), ("ntapi", "layout")] {
        let path = format!("cross/{package}/Cargo.lock");
        for (name, versions) in locked(&path) {
            // `ntapi` has glue of its own, and the panic handler that such drivers use.
            if [own, package, "wdk-panic"].contains(&&*name) {
                continue;
            }
            let known = root
                .get(&name)
                .unwrap_or_else(|| panic!("{name}: not in Cargo.lock"));
            assert!(
                versions.is_subset(known),
                "{name}: {versions:?} in {path}, {known:?} in Cargo.lock; \
                 make them equal with `cargo update --precise`"
            );
        }
    }
}

#[test]
fn the_edits_of_wdk_build_are_for_the_release_in_use() {
    let edits = read("crates/driver-build/wdk/wdk-build.toml");
    let version = edits["version"].as_str().unwrap();
    assert!(locked("Cargo.lock")["wdk-build"].contains(version));
    let stub = read("crates/driver-build/wdk/windows/manifest.toml");
    let version = at(&stub, &["package", "version"]).as_str().unwrap();
    assert!(locked("Cargo.lock")["windows"].contains(version));
}

/// The KMDF version also stands in the set-up, in the header and in the entry point.
#[test]
fn one_version_of_the_framework_is_meant_everywhere() {
    let root = read("Cargo.toml");
    let model = at(&root, &["package", "metadata", "wdk", "driver-model"]);
    let number = |key| model[key].as_integer().unwrap();
    let (major, minor) = (
        number("kmdf-version-major"),
        number("target-kmdf-version-minor"),
    );
    let table = format!("WdfFunctions_{major:02}{minor:03};");
    assert!(include_str!("../crates/driver-build/wdk/wdf/wdf.h").contains(&table));
    assert!(include_str!("../crates/driver-build/wdk/entry/entry.c").contains(&table));
    let constant = format!("const KMDF: (u32, u32) = ({major}, {minor});");
    assert!(include_str!("../crates/driver-build/src/wdk/mod.rs").contains(&constant));
    // What is asked of a package's manifest is that constant, and no number of its own.
    let package = include_str!("../crates/driver-build/src/package.rs");
    assert!(package.contains("let (major, minor) = KMDF;"));
    assert!(!package.contains(&minor.to_string()));
}

/// The workspace denies it, and no file of the driver asks for an exception.
#[test]
fn the_driver_has_no_unsafe_code() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in std::fs::read_dir(sources).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("unsafe"), "{}", path.display());
    }
}
