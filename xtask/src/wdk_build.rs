//! A copy of the crate wdk-build that compiles on Linux: the registry's source with the edits of
//! `cross/wdk-build.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command;
use crate::files;
use crate::project::Project;
use crate::setup::Log;
use crate::tree::Tree;

const EDITS: &str = "wdk-build.toml";

#[derive(Deserialize)]
struct Edits {
    /// The version that the edits are for.
    version: String,
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
struct Edit {
    file: PathBuf,
    find: String,
    replace: String,
    /// How often the text must occur.
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

/// Makes the copy, or brings it up to date.
pub(crate) fn make(project: &Project, log: Log) -> Result<()> {
    let edits: Edits = toml::from_str(&files::read(&project.cross(EDITS))?).context(EDITS)?;
    let package = package(project)?;
    if package.version != edits.version {
        bail!(
            "cross/{EDITS} is for wdk-build {}, and Cargo.lock has {}: see what has changed",
            edits.version,
            package.version
        );
    }
    let source = package.manifest_path.parent().context("no directory")?;
    let copy = project.made("wdk-build");
    let mut made = Tree::new(copy.clone());
    for file in tree(source)? {
        let name = file.strip_prefix(source)?;
        // Upstream releases from Windows.
        let text = files::read(&file)?.replace("\r\n", "\n");
        let text = edits.apply(name, text)?;
        made.write(name, text.as_bytes())?;
    }
    if made.finish()? {
        log.did("wdk-build", &format!("made {}", project.show(&copy)));
    } else {
        log.found("wdk-build", "a copy that compiles here");
    }
    Ok(())
}

/// The package as Cargo has downloaded it.
fn package(project: &Project) -> Result<Package> {
    let mut cargo = command::clean(Path::new("cargo"));
    cargo.args(["metadata", "--format-version", "1", "--quiet"]);
    cargo
        .arg("--manifest-path")
        .arg(project.root().join("Cargo.toml"));
    let metadata: Metadata = serde_json::from_str(&command::output(&mut cargo)?)?;
    let mut packages = metadata.packages.into_iter();
    packages
        .find(|package| package.name == "wdk-build")
        .context("the root package does not depend on wdk-build")
}

/// The files that the crate is compiled from: sources, the manifest, and makefiles, which it
/// contains.
fn tree(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in files::list(directory)? {
        if path.is_dir() {
            found.extend(tree(&path)?);
        } else if path
            .extension()
            .is_some_and(|kind| kind == "rs" || kind == "toml")
        {
            found.push(path);
        }
    }
    Ok(found)
}

impl Edits {
    /// One file with its edits.
    fn apply(&self, name: &Path, text: String) -> Result<String> {
        let mut edits = self.edit.iter().filter(|edit| edit.file == name);
        edits.try_fold(text, |text, edit| edit.apply(&text))
    }
}

impl Edit {
    fn apply(&self, text: &str) -> Result<String> {
        let times = text.matches(&self.find).count();
        if times != self.times {
            bail!(
                "cross/{EDITS} does not fit {}: {times} times instead of {}: {:?}",
                self.file.display(),
                self.times,
                self.find.trim().lines().next().unwrap_or_default()
            );
        }
        Ok(text.replace(&self.find, &self.replace))
    }
}
