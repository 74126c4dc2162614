//! A directory whose whole content the set-up makes, so that an interrupted or failed set-up is never
//! taken as done.
//!
//! Files whose content is known are compared with it on every run. Products of tools have a stamp beside
//! them that describes their inputs. Every file is written under a temporary name beside its place and
//! renamed; the stamp of a product is removed first and written last. Whatever else lies in the
//! directory, above all what an interrupted run has left, is removed at the end.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files;

/// The directory, while it is being made.
pub(crate) struct Tree {
    root: PathBuf,
    kept: BTreeSet<PathBuf>,
    changed: bool,
}

impl Tree {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            kept: BTreeSet::new(),
            changed: false,
        }
    }

    pub(crate) fn write(&mut self, path: impl AsRef<Path>, content: &[u8]) -> Result<()> {
        let path = self.keep(path)?;
        self.changed |= files::write(&path, content)?;
        Ok(())
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: impl AsRef<Path>, to: &Path) -> Result<()> {
        let path = self.keep(path)?;
        self.changed |= files::link(to, &path)?;
        Ok(())
    }

    /// A directory that may be empty.
    pub(crate) fn directory(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = self.root.join(path);
        // A file in it stands for it.
        self.clear_way_to(&path.join("file"))?;
        self.kept.insert(path.clone());
        files::create_directory(&path)
    }

    /// A file that `make` makes at the path that it gets, unless it was made from the same inputs before.
    pub(crate) fn product(
        &mut self,
        path: impl AsRef<Path>,
        inputs: &Inputs,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        let stamp = self.keep(with_suffix(path.as_ref(), ".stamp"))?;
        let path = self.keep(path)?;
        if fs::read_to_string(&stamp).is_ok_and(|old| old == inputs.stamp(&path)) {
            return Ok(());
        }
        self.changed = true;
        files::create_parent(&path)?;
        files::remove(&stamp)?;
        let partial = files::partial(&path);
        if let Err(error) = make(&partial).and_then(|()| check(&partial)) {
            // What is left of it is of no use; the next run removes it if this one cannot.
            let _ = fs::remove_file(&partial);
            return Err(error.context(format!("cannot make {}", path.display())));
        }
        files::rename(&partial, &path)?;
        files::write(&stamp, inputs.stamp(&path).as_bytes()).map(drop)
    }

    /// Removes everything else. Returns `true` if anything in the directory has changed.
    pub(crate) fn finish(mut self) -> Result<bool> {
        let root = self.root.clone();
        self.sweep(&root)?;
        Ok(self.changed)
    }

    fn sweep(&mut self, directory: &Path) -> Result<()> {
        for path in files::list(directory)? {
            if self.kept.contains(&path) {
                continue;
            }
            // A link to a directory is not followed.
            if !path.is_symlink() && path.is_dir() {
                self.sweep(&path)?;
                let holds_kept = self.kept.range(path.clone()..).next();
                if !holds_kept.is_some_and(|kept| kept.starts_with(&path)) {
                    files::remove_directory(&path)?;
                    self.changed = true;
                }
            } else {
                files::remove(&path)?;
                self.changed = true;
            }
        }
        Ok(())
    }

    fn keep(&mut self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = self.root.join(path);
        self.clear_way_to(&path)?;
        self.kept.insert(path.clone());
        Ok(path)
    }

    /// Removes what an older layout has left where a directory or a file has to be. A link to a directory
    /// above all: what is written below it would end up where it leads.
    fn clear_way_to(&self, path: &Path) -> Result<()> {
        let above = path.ancestors().skip(1);
        for directory in above.take_while(|above| *above != self.root) {
            if directory.is_symlink() || directory.is_file() {
                files::remove(directory)?;
            }
        }
        if path.is_dir() && !path.is_symlink() {
            files::remove_all(path)?;
        }
        Ok(())
    }
}

/// What a product is made from: its sources, the tool, and the tool's arguments.
#[derive(Clone, Default)]
pub(crate) struct Inputs(DefaultHasher);

impl Inputs {
    /// Adds a source or an argument.
    pub(crate) fn add(&mut self, input: impl Hash) -> &mut Self {
        input.hash(&mut self.0);
        self
    }

    /// Adds a program: which file it is, and which version of that file.
    pub(crate) fn tool(&mut self, path: &Path) -> Result<&mut Self> {
        let shown = || path.display().to_string();
        let program = path.canonicalize().with_context(shown)?;
        let metadata = program.metadata().with_context(shown)?;
        let modified = metadata.modified().with_context(shown)?;
        Ok(self.add((program, metadata.len(), modified)))
    }

    /// The text that says that a product of these inputs is done, with its present length; it matches
    /// no text that was written for a product of another length, or for one that is gone.
    fn stamp(&self, product: &Path) -> String {
        let length = product.metadata().map(|metadata| metadata.len());
        let length = length.map_or_else(|_| "none".to_owned(), |length| length.to_string());
        format!("inputs {:016x}\nlength {length}\n", self.0.finish())
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Refuses a library that a tool has left incomplete without a word: LLVM's tools do not look whether
/// what they write reaches the disk.
fn check(library: &Path) -> Result<()> {
    let content = fs::read(library).context("the tool has written nothing")?;
    if content.is_empty() {
        bail!("the tool has written an empty file; is the disk full?");
    }
    let incomplete = "the tool has written an incomplete library; is the disk full?";
    let archive = object::read::archive::ArchiveFile::parse(&*content).context(incomplete)?;
    for member in archive.members() {
        let member = member.context(incomplete)?;
        member.data(&*content).context(incomplete)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library of one member, as `ar` writes it.
    fn library(text: &str) -> String {
        let header = format!(
            "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            "x/",
            0,
            0,
            0,
            644,
            text.len()
        );
        format!("!<arch>\n{header}{text}")
    }

    fn root(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        root
    }

    fn inputs(text: &str) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.add(text);
        inputs
    }

    /// Makes `x.lib` of a text that is its input, and returns whether it had to be made.
    fn make(root: &Path, text: &str) -> Result<bool> {
        let mut tree = Tree::new(root.to_owned());
        tree.product("lib/x.lib", &inputs(text), |path| {
            Ok(fs::write(path, library(text))?)
        })?;
        tree.finish()
    }

    #[test]
    fn a_product_is_made_once_for_the_same_inputs() {
        let root = root("once");
        assert!(make(&root, "even").unwrap());
        assert!(!make(&root, "even").unwrap());
        assert!(make(&root, "evener").unwrap());
        let made = fs::read_to_string(root.join("lib/x.lib")).unwrap();
        assert_eq!(made, library("evener"));
        fs::remove_dir_all(root).unwrap();
    }

    /// Each state that a run can leave when it is killed between two of its operations on files.
    #[test]
    fn every_state_of_an_interrupted_run_is_made_right() {
        let root = root("states");
        let (product, stamp) = (root.join("lib/x.lib"), root.join("lib/x.lib.stamp"));
        let partial = root.join("lib/x.lib.partial");
        let states: [&dyn Fn(); 6] = [
            &|| fs::remove_file(&stamp).unwrap(),
            &|| {
                fs::remove_file(&stamp).unwrap();
                fs::write(&partial, "half").unwrap();
            },
            &|| {
                // The new product has taken its place, and has no stamp yet.
                fs::remove_file(&stamp).unwrap();
                fs::write(&product, library("newer")).unwrap();
            },
            &|| fs::write(&stamp, "").unwrap(),
            &|| fs::write(&product, "").unwrap(),
            &|| fs::remove_file(&product).unwrap(),
        ];
        for (number, state) in states.iter().enumerate() {
            for text in ["older", "newer"] {
                make(&root, "older").unwrap();
                state();
                make(&root, text).unwrap();
                let made = fs::read_to_string(&product).unwrap();
                assert_eq!(made, library(text), "state {number}");
                assert!(!partial.exists(), "state {number}");
                assert!(!make(&root, text).unwrap(), "state {number}");
            }
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_tool_that_writes_too_little_is_noticed() {
        let root = root("little");
        let whole = library("whole");
        for length in 0..whole.len() {
            let mut tree = Tree::new(root.clone());
            let result = tree.product("x.lib", &inputs("whole"), |path| {
                Ok(fs::write(path, &whole[..length])?)
            });
            // An archive may have no members.
            assert!(result.is_err() || length == 8, "{length} bytes");
            assert!(
                !root.join("x.lib").exists() || length == 8,
                "{length} bytes"
            );
            tree.finish().unwrap();
            files::remove(&root.join("x.lib")).unwrap();
        }
        fs::remove_dir_all(root).unwrap();
    }

    /// What is a link in one layout is a directory in another.
    #[test]
    fn nothing_is_written_through_a_link_of_an_older_layout() {
        let root = root("layout");
        let elsewhere = root.join("elsewhere");
        fs::create_dir_all(elsewhere.join("deep")).unwrap();
        let made = root.join("made");
        for _ in 0..2 {
            let mut tree = Tree::new(made.clone());
            tree.link("shared", &elsewhere).unwrap();
            tree.write("file", b"file").unwrap();
            tree.finish().unwrap();
            let mut tree = Tree::new(made.clone());
            tree.write("shared/deep/x", b"text").unwrap();
            tree.directory("file").unwrap();
            tree.finish().unwrap();
            assert!(made.join("shared/deep/x").is_file());
            assert!(made.join("file").is_dir());
            assert_eq!(
                files::list(&elsewhere.join("deep")).unwrap(),
                [] as [PathBuf; 0]
            );
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_else_is_in_the_directory_is_removed() {
        let root = root("else");
        for path in ["old/1.0/x.lib", "old/1.0/deep/y", "kept/x.partial"] {
            files::write(&root.join(path), b"stale").unwrap();
        }
        files::link(Path::new("/"), &root.join("link")).unwrap();
        let mut tree = Tree::new(root.clone());
        tree.write("kept/x", b"fresh").unwrap();
        tree.directory("empty").unwrap();
        assert!(tree.finish().unwrap());
        assert_eq!(
            files::list(&root).unwrap(),
            [root.join("empty"), root.join("kept")]
        );
        assert_eq!(
            files::list(&root.join("kept")).unwrap(),
            [root.join("kept/x")]
        );
        fs::remove_dir_all(root).unwrap();
    }
}
