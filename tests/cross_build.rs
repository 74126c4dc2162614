//! The driver that a Linux machine builds is the one that Windows builds: `cross/driver` says what
//! the root package says.

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

const WINDOWS: &str = "cfg(windows)";

#[test]
fn both_manifests_say_the_same() {
    let (root, cross) = (read("Cargo.toml"), read("cross/driver/Cargo.toml"));
    for path in [
        &["package", "name"][..],
        &["package", "metadata", "wdk"],
        &["lib", "crate-type"],
        &["features"],
        &["profile", "dev", "panic"],
        &["profile", "release"],
        &["target", WINDOWS, "dependencies"],
    ] {
        assert_eq!(at(&root, path), at(&cross, path), "{path:?}");
    }
    for (shared, own) in [
        (["workspace", "package", "edition"], ["package", "edition"]),
        (["workspace", "package", "version"], ["package", "version"]),
        (
            ["workspace", "package", "rust-version"],
            ["package", "rust-version"],
        ),
    ] {
        assert_eq!(at(&root, &shared), at(&cross, &own), "{own:?}");
    }
    let lints = at(&root, &["workspace", "lints"]);
    assert_eq!(lints, at(&cross, &["lints"]));
    // The root asks for it on a Windows machine only.
    let build = at(&root, &["target", WINDOWS, "build-dependencies"]);
    assert_eq!(build, at(&cross, &["build-dependencies"]));
}

#[test]
fn both_have_the_same_dependencies() {
    let (root, cross) = (read("Cargo.toml"), read("cross/driver/Cargo.toml"));
    let names = |manifest| {
        let table = at(manifest, &["dependencies"]).as_table().unwrap();
        table.keys().cloned().collect::<BTreeSet<_>>()
    };
    let mut expected = names(&root);
    // It only asserts, and only there.
    expected.insert("layout".to_owned());
    assert_eq!(names(&cross), expected);
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
fn both_are_built_from_the_same_releases() {
    let root = locked("Cargo.lock");
    for (package, own) in [("driver", "layout"), ("glue", "glue"), ("ntapi", "ntapi")] {
        let path = format!("cross/{package}/Cargo.lock");
        for (name, versions) in locked(&path) {
            // `ntapi` has glue of its own, and the panic handler that such drivers use.
            if name == own || name == "wdk-panic" {
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
    let edits = read("cross/wdk-build.toml");
    let version = edits["version"].as_str().unwrap();
    assert!(locked("Cargo.lock")["wdk-build"].contains(version));
    let stub = read("cross/windows/Cargo.toml");
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
    assert!(include_str!("../cross/include/wdf/wdf.h").contains(&table));
    assert!(include_str!("../cross/entry/entry.c").contains(&table));
    let constant = format!("const KMDF: (u32, u32) = ({major}, {minor});");
    assert!(include_str!("../xtask/src/wdk/mod.rs").contains(&constant));
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
