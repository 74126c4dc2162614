//! Stand-ins for the programs that the set-up runs: quick, counted, and wrong on request.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a stand-in does wrong, at one of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Kills the set-up before it has done anything.
    Kill,
    /// Kills the set-up when half of the output is written.
    KillHalf,
    /// Writes half of the output and fails.
    Fail,
    /// Writes half of the output and succeeds, as LLVM's tools do on a full disk.
    Half,
    /// Writes an empty output and succeeds.
    Empty,
}

impl Fault {
    pub(crate) const ALL: [Self; 5] = [
        Self::Kill,
        Self::KillHalf,
        Self::Fail,
        Self::Half,
        Self::Empty,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillHalf => "kill-half",
            Self::Fail => "fail",
            Self::Half => "half",
            Self::Empty => "empty",
        }
    }
}

/// The text of every stand-in; the name that it is called by says which it is. `@` is the directory of the
/// stand-ins, and `%` their version, which they write into what they make.
const SCRIPT: &str = r#"#!/bin/sh
name=${0##*/} fault= at=
# Where the linker is: without an answer, that of LLVM would be taken where there is one.
[ "$name $*" != "rustc --print target-libdir" ] || { echo @/lib/lib; exit; }
read calls < @/calls; calls=$((calls + 1)); echo $calls > @/calls
read fault at < @/fault
[ "$at" = $calls ] || fault=
[ "$fault" != kill ] || { kill -9 $PPID; exit; }

# Ends a call that has written half of its output, or none.
half() {
    case $fault in
    kill-half) kill -9 $PPID; exit ;;
    fail) echo "$name: wrong on request" >&2; exit 1 ;;
    half | empty) exit 0 ;;
    esac
}

# Writes a library with one member, whose content is $2.
library() {
    [ "$fault" != empty ] || : > "$1"
    [ -z "$fault" ] || [ "$fault" = empty ] || printf '!<arch>\n%-16s%-12s' x/ 0 > "$1"
    half
    printf '!<arch>\n%-16s%-12s%-6s%-6s%-8s%-10s`\n%s' x/ 0 0 0 644 ${#2} "$2" > "$1"
}

case $name in
rustc) half; echo @/lib/lib ;;
clang-cl)
    for argument; do case $argument in /Fo*) object=${argument#/Fo} ;; esac; done
    half
    echo "object of version % of $argument" > "$object" ;;
llvm-dlltool)
    read exports < "$4"
    library "$6" "machine $2, version %, $exports" ;;
llvm-lib)
    # The real one notices that an object is incomplete.
    read object < "$2" && [ -n "$object" ] || exit 1
    library "${1#/out:}" "version %, $object" ;;
*) exit 1 ;;
esac
"#;

/// Nothing else is on the path of the set-up. The last four fail: nothing is installed here.
const NAMES: [&str; 8] = [
    "rustc",
    "clang",
    "llvm-dlltool",
    "llvm-lib",
    "apt-get",
    "sudo",
    "id",
    "dpkg-query",
];

/// A directory with stand-ins, and one for what the set-up makes.
pub(crate) struct Machine {
    root: PathBuf,
    version: usize,
}

impl Machine {
    pub(crate) fn new(name: &str) -> Self {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        let mut machine = Self { root, version: 0 };
        for rlib in ["core", "alloc", "compiler_builtins"] {
            machine.write(&format!("lib/lib/lib{rlib}-0.rlib"), "a library");
        }
        machine.write("lib/bin/rust-lld", "a linker");
        machine.write("libclang.so.1", "a library");
        machine.mingw();
        for name in NAMES {
            fs::create_dir_all(machine.at("bin")).unwrap();
            symlink(machine.at("tool"), machine.at("bin").join(name)).unwrap();
        }
        machine.upgrade();
        machine
    }

    /// A package of headers and of a library that exports one function.
    fn mingw(&self) {
        self.write("mingw/include/_mingw_mac.h", "/* version 1 */");
        self.write("mingw/include/ddk/wdm.h", "/* types */");
        let names = "DbgPrint\0__imp_DbgPrint\0";
        let table = format!("\0\0\0\u{2}\0\0\0\0\0\0\0\0{names}");
        let header = format!("{:<48}{:<10}`\n", "/", table.len());
        self.write(
            "mingw/lib/libntoskrnl.a",
            &format!("!<arch>\n{header}{table}"),
        );
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The directory that the set-up makes.
    pub(crate) fn made(&self) -> PathBuf {
        self.at("made")
    }

    /// Puts a newer version in the place of every stand-in.
    pub(crate) fn upgrade(&mut self) {
        self.version += 1;
        let script = SCRIPT.replace('@', &self.root.display().to_string());
        let mut script = script.replace("version %", &format!("version {:03}", self.version));
        // Times of files are not exact enough to tell two versions apart.
        script.push_str(&"#".repeat(self.version));
        let path = self.write("tool", &script);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The set-up, with a fault at the call of that number.
    pub(crate) fn with_fault(&self, fault: Fault, call: usize) -> Output {
        self.write("fault", &format!("{} {call}\n", fault.name()));
        self.run(self.command())
    }

    /// The set-up, in a shell that has read some words before.
    pub(crate) fn limited(&self, words: &str) -> Output {
        self.write("fault", "\n");
        let mut shell = self.prepared("/bin/sh");
        shell
            .arg("-c")
            .arg(format!("{words}; exec \"$@\""))
            .arg("sh");
        shell.arg(env!("CARGO_BIN_EXE_cargo-nmr"));
        shell.args(self.arguments(&self.made()));
        self.run(shell)
    }

    /// The set-up without a fault.
    pub(crate) fn setup(&self) -> Output {
        self.write("fault", "\n");
        self.run(self.command())
    }

    /// A command that sets up.
    pub(crate) fn command(&self) -> Command {
        self.command_for(&self.made())
    }

    /// A command that sets up another directory.
    pub(crate) fn command_for(&self, directory: &Path) -> Command {
        let mut command = self.prepared(env!("CARGO_BIN_EXE_cargo-nmr"));
        command.args(self.arguments(directory));
        command
    }

    fn arguments(&self, directory: &Path) -> [OsString; 5] {
        [
            "setup".into(),
            "--headers".into(),
            self.at("mingw").into(),
            "--dir".into(),
            directory.into(),
        ]
    }

    fn prepared(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("PATH", self.at("bin"))
            .env("LIBCLANG_PATH", &self.root)
            .env_remove("WDKContentRoot");
        command
    }

    pub(crate) fn run(&self, mut command: Command) -> Output {
        self.write("calls", "0\n");
        command.output().unwrap()
    }

    /// How many programs the last set-up has run.
    pub(crate) fn calls(&self) -> usize {
        let calls = fs::read_to_string(self.at("calls")).unwrap();
        calls.trim().parse().unwrap()
    }

    /// Every file that the set-up has made, with its content: the version of the stand-ins as `…`.
    pub(crate) fn files(&self) -> Vec<(PathBuf, String)> {
        let mut files = Vec::new();
        collect(&self.made(), &mut files);
        for (path, text) in &mut files {
            if path.extension().is_some_and(|end| end == "lib") {
                let version = format!("version {:03}", self.version);
                assert!(text.contains(&version), "{} is stale", path.display());
                *text = text.replace(&version, "version …");
            } else if path.extension().is_some_and(|end| end == "stamp") {
                text.clear();
            }
        }
        files
    }
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, String)>) {
    let entries = fs::read_dir(directory).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_symlink() {
            let to = fs::read_link(&path).unwrap().display().to_string();
            files.push((path, to));
        } else if path.is_dir() {
            collect(&path, files);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            files.push((path, text));
        }
    }
}
