//! What it takes to build C programs with the libraries of this package.
//!
//! The compiler is `cc`, or what `CC` names; `CFLAGS` is added to the command line.
#![allow(dead_code, unreachable_pub, reason = "no test uses everything")]

use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What every source is compiled with.
pub const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Runs a command that has to succeed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the command can be started");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// The C compiler, which finds the headers of the registrar.
pub fn compiler() -> Command {
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    let flags = env::var("CFLAGS").unwrap_or_default();
    compiler
        .args(flags.split_whitespace())
        .arg("-I")
        .arg(headers());
    compiler
}

/// Where the headers of the registrar are.
pub fn headers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nmr-host/include")
}

/// A way of compiling modules whose functions do not say `NTAPI`, which the program that loads them says
/// as well if it is to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Convention {
    /// gcc, where Windows' convention is the compiler's own.
    Gcc,
    /// clang, for Windows and for an object file of Linux.
    Clang,
    /// Any compiler, and the system's convention everywhere.
    Native,
}

impl Convention {
    /// Those that this machine has the compiler for. clang is not needed otherwise.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Gcc, Self::Native];
        if Command::new("clang").arg("--version").output().is_ok() {
            all.push(Self::Clang);
        } else {
            eprintln!("clang is not here: its way was not tried; apt-get install clang");
        }
        all
    }

    /// The compiler for modules, which finds the kernel's headers.
    pub fn compiler(self) -> Command {
        let mut compiler = match self {
            Self::Gcc => Command::new("gcc"),
            Self::Clang => Command::new("clang"),
            Self::Native => compiler(),
        };
        compiler.args(match self {
            Self::Gcc => &["-mabi=ms", "-fshort-wchar"][..],
            Self::Clang => &["--target=x86_64-pc-windows-elf"],
            Self::Native => &["-fshort-wchar", "-DNMR_HOST_NATIVE_CONVENTION"],
        });
        compiler.arg("-I").arg(headers().join("kernel"));
        compiler.arg("-I").arg(headers());
        compiler.args(["-g", "-Wall", "-Wextra", "-Wno-multichar", "-Werror"]);
        compiler
    }

    /// The compiler for a program of the system that loads them.
    pub fn loader_compiler(self) -> Command {
        let mut compiler = compiler();
        if self == Self::Native {
            compiler.arg("-DNMR_HOST_NATIVE_CONVENTION");
        }
        compiler.arg("-I").arg(headers().join("kernel"));
        compiler.args(["-g", "-fshort-wchar", "-Wall", "-Wextra", "-Werror"]);
        compiler
    }
}

/// Compiles a source file of these tests.
pub fn compile(mut compiler: Command, name: &str, options: &[&str], object: &Path) {
    compiler
        .args(options)
        .arg("-std=c11")
        .arg("-c")
        .arg(source(name));
    succeed(compiler.arg("-o").arg(object));
}

/// Links a program.
pub fn link(objects: &[PathBuf], program: &Path) {
    let mut linker = compiler();
    linker.args(objects).arg("-o").arg(program);
    linker.arg("-L").arg(shared_library().with_file_name(""));
    succeed(linker.args(["-lnmr_host", "-lpthread", &run_path()]));
}

/// A source file of these tests.
pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/c")
        .join(name)
}

/// The shared library of this package.
pub fn shared_library() -> PathBuf {
    library(&format!("{DLL_PREFIX}nmr_host{DLL_SUFFIX}"))
}

/// Lets the program find the shared library.
pub fn run_path() -> String {
    let directory = shared_library().with_file_name("");
    // The old tag, which comes before the LD_LIBRARY_PATH that Cargo sets: a library of another build may be there.
    format!("-Wl,--disable-new-dtags,-rpath,{}", directory.display())
}

/// A library of this package.
pub fn library(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build_libraries).join(name)
}

/// Builds the libraries, which Cargo does not do for a test, and returns where they are.
fn build_libraries() -> PathBuf {
    succeed(cargo().args(["build", "--package", env!("CARGO_PKG_NAME")]));
    target().join("debug")
}

/// Cargo, for programs in C.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(project());
    cargo.env("CARGO_TARGET_DIR", target());
    // A C program has no run time of a sanitizer.
    cargo.env_remove("RUSTFLAGS");
    cargo
}

/// Where it builds.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries")
}

/// The project's directory.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a program wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A text in lines of at most 110 characters, broken at spaces.
pub fn folded(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        if width > 0 && width + 1 + word.len() > 110 {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += word.len();
    }
    lines + "\n"
}

/// Compares a part of a document, between `<!-- name -->` and `<!-- end of name -->`, with what it
/// is to be; or makes it so, if `UPDATE_DOCS` is set.
pub fn same_in_document(document: &str, name: &str, expected: &str) {
    let path = project().join(document);
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->\n"),
    );
    let (before, rest) = text.split_once(&begin).expect("the begin");
    let (found, after) = rest.split_once(&end).expect("the end");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, [before, &begin, expected, &end, after].concat()).unwrap();
    } else {
        let hint = "run `UPDATE_DOCS=1 cargo test -p nmr-host-c -- --test-threads 1`";
        assert_eq!(found, expected, "{name} in {document} is old: {hint}");
    }
}
