//! The copy of the sources that faults are planted in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use driver_build::files;

/// What is not copied, at any depth.
const LEFT_OUT: [&str; 2] = ["target", ".git"];

pub(super) struct Copy {
    original: PathBuf,
    root: PathBuf,
}

impl Copy {
    /// A copy at a place where an earlier one may be.
    pub(super) fn new(original: &Path, root: PathBuf) -> Result<Self> {
        let copy = Self {
            original: original.to_owned(),
            root,
        };
        copy.restore()?;
        Ok(copy)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes it equal to the original. Files that are equal keep their times, so that Cargo compiles what
    /// has changed and nothing else.
    pub(super) fn restore(&self) -> Result<()> {
        equalize(&self.original, &self.root)
    }
}

fn equalize(from: &Path, to: &Path) -> Result<()> {
    files::create_directory(to)?;
    let wanted = files::list(from)?;
    let wanted = wanted
        .iter()
        .filter_map(|path| path.file_name())
        .filter(|name| !LEFT_OUT.iter().any(|left_out| name == left_out));
    let wanted: Vec<_> = wanted.collect();
    for old in files::list(to)? {
        if old.file_name().is_none_or(|name| !wanted.contains(&name)) {
            remove(&old)?;
        }
    }
    for name in wanted {
        let (from, to) = (from.join(name), to.join(name));
        if from.is_dir() {
            equalize(&from, &to)?;
        } else if !fs::read(&to).is_ok_and(|old| fs::read(&from).is_ok_and(|new| new == old)) {
            files::copy(&from, &to)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() {
        files::remove_all(path)
    } else {
        files::remove(path)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Copy;

    #[test]
    fn a_copy_gets_what_changed_and_loses_what_is_gone() {
        let place = std::env::temp_dir().join(format!("nmr-copy-{}", std::process::id()));
        let (original, root) = (place.join("original"), place.join("copy"));
        fs::create_dir_all(original.join("src/target")).unwrap();
        fs::write(original.join("src/a"), "a").unwrap();
        fs::write(original.join("src/target/b"), "b").unwrap();
        let copy = Copy::new(&original, root.clone()).unwrap();
        let time = || {
            fs::metadata(root.join("src/a"))
                .unwrap()
                .modified()
                .unwrap()
        };
        let first = time();
        assert!(!root.join("src/target").exists());

        fs::write(root.join("src/planted"), "x").unwrap();
        fs::write(original.join("src/c"), "c").unwrap();
        copy.restore().unwrap();
        assert_eq!(time(), first, "it was equal");
        assert!(!root.join("src/planted").exists());
        assert_eq!(fs::read_to_string(root.join("src/c")).unwrap(), "c");

        fs::write(root.join("src/a"), "fault").unwrap();
        copy.restore().unwrap();
        assert_eq!(fs::read_to_string(root.join("src/a")).unwrap(), "a");
        fs::remove_dir_all(place).unwrap();
    }
}
