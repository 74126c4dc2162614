//! The chapter for a new user, carried out: its files and commands, one after the other, in an empty
//! folder, and nothing else. What it says that a command writes is compared with what it writes.
#![cfg(all(unix, not(miri)))]

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use nmr_guide::{Block, Page, project};

const CHAPTER: &str = "docs/guide/00-first-module.md";

/// The folder of a new user, which goes with this value.
struct Folder(PathBuf);

impl Folder {
    /// An empty one, outside of the project. It has the same name each time, by which Cargo knows what
    /// it need not compile again, and another one for another checkout.
    fn new() -> Self {
        let mut hasher = DefaultHasher::new();
        env!("CARGO_TARGET_TMPDIR").hash(&mut hasher);
        let name = format!("nmr-first-module-{:x}", hasher.finish());
        let path = env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Where the user is, and what was written last.
struct User {
    directory: PathBuf,
    written: String,
}

impl User {
    /// Does what a block says.
    fn follow(&mut self, block: &Block) {
        match &*block.language {
            "toml" | "rust,ignore" => self.write(&block.note, &block.code),
            "sh" => block.code.lines().for_each(|line| self.type_in(line)),
            "text" => self.compare(&block.code),
            other => panic!("what is to be done with `{other}`?"),
        }
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn type_in(&mut self, line: &str) {
        match &*line.split_whitespace().collect::<Vec<_>>() {
            ["git", "clone", .., name] => {
                let project = project().canonicalize().unwrap();
                std::os::unix::fs::symlink(project, self.directory.join(name)).unwrap();
            }
            ["cd", name] => self.directory.push(name),
            ["cargo", arguments @ ..] => self.written = cargo(&self.directory, arguments),
            _ => panic!("how is `{line}` carried out?"),
        }
    }

    /// Every line was written, in any order, as tests end in any. `…` stands for anything in a line.
    fn compare(&self, expected: &str) {
        let mut written: Vec<&str> = self.written.lines().collect();
        for line in expected.lines() {
            let (begin, end) = line.split_once('…').unwrap_or((line, ""));
            let is_it = |written: &&str| {
                let fits = written.starts_with(begin) && written.ends_with(end);
                fits && (*written == line || line.contains('…'))
            };
            let place = written.iter().position(is_it);
            let place = place.unwrap_or_else(|| panic!("`{line}` is not in\n{}", self.written));
            written.remove(place);
        }
    }
}

/// Runs Cargo, and returns what it writes to the standard output. The results of the compiler are
/// kept for the next time; crates come from the network only if they are not here.
fn cargo(directory: &Path, arguments: &[&str]) -> String {
    let run = |offline: &str| {
        Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(directory)
            .env("CARGO_NET_OFFLINE", offline)
            .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
            // A new user has no sanitizer.
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap()
    };
    let mut output = run("true");
    if !output.status.success() {
        output = run("false");
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaints}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_new_user_gets_from_an_empty_folder_to_an_attached_npi() {
    let folder = Folder::new();
    let mut user = User {
        directory: folder.0.clone(),
        written: String::new(),
    };
    let blocks = Page::read(&project().join(CHAPTER)).blocks();
    assert!(blocks.iter().any(|block| block.language == "text"));
    for block in &blocks {
        user.follow(block);
    }
}
