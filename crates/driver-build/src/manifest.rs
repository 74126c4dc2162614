//! The manifest of a package as Linux needs it to build the driver: the package's own, with every path made
//! absolute, the dependencies of its build script that are for Windows, and two crates patched.

use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

/// What a package needs only for its tests and programs, and keys that name files.
const LEFT_OUT: [&str; 6] = [
    "bench",
    "bin",
    "dev-dependencies",
    "example",
    "test",
    "badges",
];
const LEFT_OUT_OF_PACKAGE: [&str; 9] = [
    "build",
    "default-run",
    "exclude",
    "include",
    "license-file",
    "links",
    "readme",
    "workspace",
    "publish",
];
const DEPENDENCIES: [&str; 2] = ["dependencies", "build-dependencies"];

/// The manifest, from the package's own and that of its workspace, which may be the same.
pub(crate) fn shadow(package: (&Path, &str), workspace: (&Path, &str)) -> Result<Table> {
    let (directory, text) = package;
    let mut manifest: Table = text.parse().with_context(|| named(directory))?;
    let (root, text) = workspace;
    let mut above: Table = text.parse().with_context(|| named(root))?;
    for key in LEFT_OUT {
        manifest.remove(key);
    }
    if let Some(package) = table(&mut manifest, "package") {
        for key in LEFT_OUT_OF_PACKAGE {
            package.remove(key);
        }
        for kind in ["autobins", "autobenches", "autoexamples", "autotests"] {
            package.insert(kind.to_owned(), false.into());
        }
    }
    for kind in DEPENDENCIES {
        make_absolute(&mut manifest, kind, directory);
    }
    let mut for_build_script = Table::new();
    for (platform, value) in table(&mut manifest, "target").into_iter().flatten() {
        let Some(target) = value.as_table_mut() else {
            continue;
        };
        target.remove("dev-dependencies");
        for kind in DEPENDENCIES {
            make_absolute(target, kind, directory);
        }
        // Cargo asks for whom it compiles them: for this machine.
        if is_windows(platform)
            && let Some(Value::Table(dependencies)) = target.remove("build-dependencies")
        {
            for_build_script.extend(dependencies);
        }
    }
    let build = manifest
        .entry("build-dependencies")
        .or_insert_with(|| Table::new().into());
    if let Some(build) = build.as_table_mut() {
        build.extend(for_build_script);
    }
    manifest.insert("workspace".to_owned(), inherited(&mut above, root).into());
    for key in ["profile", "patch", "replace"] {
        manifest.remove(key);
        if let Some(value) = above.remove(key) {
            manifest.insert(key.to_owned(), value);
        }
    }
    for (_, source) in table(&mut manifest, "patch").into_iter().flatten() {
        if let Some(source) = source.as_table_mut() {
            make_paths_absolute(source, root);
        }
    }
    Ok(manifest)
}

/// Adds patches of crates of crates.io, which lie in directories.
pub(crate) fn patch<'a>(
    manifest: &mut Table,
    crates: impl IntoIterator<Item = (&'a str, &'a Path)>,
) -> Option<()> {
    let patches = manifest
        .entry("patch")
        .or_insert_with(|| Table::new().into())
        .as_table_mut()?
        .entry("crates-io")
        .or_insert_with(|| Table::new().into())
        .as_table_mut()?;
    for (name, directory) in crates {
        let mut source = Table::new();
        source.insert("path".to_owned(), directory.display().to_string().into());
        patches.insert(name.to_owned(), source.into());
    }
    Some(())
}

/// What a package can inherit from its workspace.
fn inherited(above: &mut Table, root: &Path) -> Table {
    let Some(Value::Table(mut workspace)) = above.remove("workspace") else {
        return Table::new();
    };
    make_absolute(&mut workspace, "dependencies", root);
    if let Some(package) = table(&mut workspace, "package") {
        for key in ["license-file", "readme", "include", "exclude"] {
            package.remove(key);
        }
    }
    let kept = ["dependencies", "lints", "metadata", "package", "resolver"];
    let keys = kept.map(str::to_owned).into_iter();
    keys.filter_map(|key| Some((key.clone(), workspace.remove(&key)?)))
        .collect()
}

fn is_windows(platform: &str) -> bool {
    let text = platform.replace(' ', "");
    let conditions = [
        "cfg(windows)",
        "cfg(target_os=\"windows\")",
        "cfg(target_family=\"windows\")",
    ];
    conditions.contains(&&*text) || text.ends_with("-windows-msvc")
}

fn table<'a>(manifest: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    manifest.get_mut(key)?.as_table_mut()
}

fn make_absolute(manifest: &mut Table, kind: &str, directory: &Path) {
    if let Some(dependencies) = table(manifest, kind) {
        make_paths_absolute(dependencies, directory);
    }
}

fn make_paths_absolute(dependencies: &mut Table, directory: &Path) {
    for (_, dependency) in dependencies {
        let path = dependency.as_table_mut().and_then(|it| it.get_mut("path"));
        if let Some(Value::String(path)) = path {
            *path = directory.join(&*path).display().to_string();
        }
    }
}

fn named(directory: &Path) -> String {
    directory.join("Cargo.toml").display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = r#"
        [package]
        name = "x"
        version.workspace = true
        readme = "R.md"
        [lib]
        crate-type = ["cdylib"]
        [dependencies]
        near.workspace = true
        beside = { path = "../beside" }
        [dev-dependencies]
        much = "1"
        [target.'cfg(windows)'.dependencies]
        wdk = "0.5"
        [target.'cfg(windows)'.build-dependencies]
        wdk-build = "0.6"
        [[test]]
        name = "t"
    "#;
    const WORKSPACE: &str = r#"
        [workspace]
        members = ["*"]
        [workspace.package]
        version = "0.3.0"
        [workspace.dependencies]
        near = { path = "near" }
        [profile.release]
        lto = "fat"
        [patch.crates-io]
        other = { path = "other" }
    "#;

    fn made() -> Table {
        let package = (Path::new("/w/x"), PACKAGE);
        shadow(package, (Path::new("/w"), WORKSPACE)).unwrap()
    }

    #[test]
    fn paths_are_absolute_and_the_workspace_is_the_packages_own() {
        let made = made();
        let path = |table: &Value, name: &str| table[name]["path"].as_str().unwrap().to_owned();
        assert_eq!(path(&made["dependencies"], "beside"), "/w/x/../beside");
        let workspace = &made["workspace"];
        assert_eq!(path(&workspace["dependencies"], "near"), "/w/near");
        assert_eq!(path(&made["patch"]["crates-io"], "other"), "/w/other");
        assert_eq!(workspace["package"]["version"].as_str(), Some("0.3.0"));
        assert!(workspace.get("members").is_none());
        assert_eq!(made["profile"]["release"]["lto"].as_str(), Some("fat"));
    }

    #[test]
    fn the_build_script_gets_what_it_has_on_windows() {
        let made = made();
        assert_eq!(
            made["build-dependencies"]["wdk-build"].as_str(),
            Some("0.6")
        );
        let windows = &made["target"]["cfg(windows)"];
        assert!(windows.get("build-dependencies").is_none());
        assert!(windows.get("dependencies").is_some());
    }

    #[test]
    fn what_is_for_tests_is_left_out() {
        let made = made();
        assert!(!made.contains_key("dev-dependencies") && !made.contains_key("test"));
        assert!(made["package"].get("readme").is_none());
    }

    #[test]
    fn a_patch_stands_beside_those_of_the_user() {
        let mut made = made();
        patch(&mut made, [("wdk-build", Path::new("/c/wdk-build"))]).unwrap();
        let patches = &made["patch"]["crates-io"];
        assert_eq!(patches["wdk-build"]["path"].as_str(), Some("/c/wdk-build"));
        assert_eq!(patches["other"]["path"].as_str(), Some("/w/other"));
    }
}
