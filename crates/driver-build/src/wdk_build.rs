//! A copy of the crate wdk-build that compiles on Linux: the registry's source with the edits of
//! `wdk/wdk-build.toml`; and a stand-in for the crate `windows`, which wdk-build uses for the registry of an
//! installed WDK and which does not compile here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::Cross;
use crate::embedded;
use crate::files;
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

/// Where the copy of a version is.
pub(crate) fn copy(cross: &Cross, version: &str) -> PathBuf {
    cross.made(format!("wdk-build-{version}"))
}

/// Where the stand-in for `windows` is.
pub(crate) fn windows(cross: &Cross) -> PathBuf {
    cross.made("windows")
}

/// Returns `true` if the copy was made whole, by this version of the edits.
pub(crate) fn is_made(cross: &Cross, version: &str) -> bool {
    let stamp = std::fs::read_to_string(stamp(cross, version));
    stamp.is_ok_and(|stamp| embedded::text(EDITS).is_ok_and(|edits| edits == stamp))
}

fn stamp(cross: &Cross, version: &str) -> PathBuf {
    cross.made(format!("wdk-build-{version}.stamp"))
}

/// Makes the copy from the source that Cargo has downloaded, and the stand-in.
pub(crate) fn make(cross: &Cross, version: &str, source: &Path, log: Log) -> Result<()> {
    let edits = Edits::of(version)?;
    let copy = copy(cross, version);
    files::remove(&stamp(cross, version))?;
    let mut made = Tree::new(copy.clone());
    for file in tree(source)? {
        let name = file.strip_prefix(source)?;
        // Upstream releases from Windows.
        let text = files::read(&file)?.replace("\r\n", "\n");
        let text = edits.apply(name, text)?;
        made.write(name, text.as_bytes())?;
    }
    if made.finish()? {
        log.did("wdk-build", &format!("made {}", files::shown(&copy)));
    }
    let mut made = Tree::new(windows(cross));
    for (from, to) in [("manifest.toml", "Cargo.toml"), ("lib.rs", "src/lib.rs")] {
        made.write(to, embedded::text(&format!("windows/{from}"))?.as_bytes())?;
    }
    made.finish()?;
    files::write(&stamp(cross, version), embedded::text(EDITS)?.as_bytes()).map(drop)
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
    /// The edits. Fails if they are for another version.
    fn of(version: &str) -> Result<Self> {
        let edits: Self = toml::from_str(embedded::text(EDITS)?).context(EDITS)?;
        if version != edits.version {
            bail!(
                "wdk-build {version} is none that can be built on Linux; this program knows {known}: \
                 take `wdk-build = \"={known}\"`, or a version of cargo-nmr that is made for it",
                known = edits.version
            );
        }
        Ok(edits)
    }

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
                "{EDITS} does not fit {}: {times} times instead of {}: {:?}",
                self.file.display(),
                self.times,
                self.find.trim().lines().next().unwrap_or_default()
            );
        }
        Ok(text.replace(&self.find, &self.replace))
    }
}
