//! A machine that looks to cargo-make and to wdk-build like one for building drivers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, PoisonError};

/// What is found first on the path.
const STUBS: [&str; 7] = [
    "cargo", "stampinf", "inf2cat", "infverif", "makecert", "certmgr", "signtool",
];

/// What the project in the test has in common with the repository.
const SHARED: [&str; 8] = [
    ".cargo",
    "Cargo.toml",
    "build.rs",
    "crates",
    "cross",
    "inf",
    "src",
    "xtask",
];

/// One at a time: the scripts of wdk-build are compiled in the same place.
static RUNNING: Mutex<()> = Mutex::new(());

pub(crate) struct Machine {
    project: PathBuf,
    variables: Vec<(&'static str, String)>,
}

/// A call of a tool: its name and its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call(Vec<String>);

pub(crate) struct Run {
    output: Output,
    calls: Vec<Call>,
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Where the tests work. The edited wdk-build is declared for everything below it: for the project,
/// and for the scripts, which rust-script compiles in its cache.
fn workplace() -> &'static Path {
    static PLACE: LazyLock<PathBuf> = LazyLock::new(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaging");
        let patches = format!(
            "[patch.crates-io]\nwdk-build = {{ path = '{}' }}\nwindows = {{ path = '{}' }}\n",
            repository("target/nmr/wdk-build-0.6.0").display(),
            repository("target/nmr/windows").display(),
        );
        fs::create_dir_all(place.join(".cargo")).unwrap();
        fs::write(place.join(".cargo/config.toml"), patches).unwrap();
        place
    });
    &PLACE
}

/// The Makefile.toml of the project, as if this were Windows.
fn makefile() -> String {
    let text = fs::read_to_string(repository("Makefile.toml")).unwrap();
    let edits = [
        ("windows_load_script = ", "linux_load_script = "),
        ("linux_alias = ", "windows_alias = "),
    ];
    edits.into_iter().fold(text, |text, (find, replace)| {
        assert_eq!(text.matches(find).count(), 1, "{find:?}");
        text.replace(find, replace)
    })
}

/// A program that `cargo xtask test` has installed.
fn tool(name: &str, version: &str) -> PathBuf {
    let program = repository(&format!("target/nmr/tools/{name}-{version}/bin/{name}"));
    assert!(
        program.exists(),
        "no {name}: `cargo xtask test` installs it"
    );
    program
}

impl Machine {
    /// A machine with a copy of the project where nothing was built yet.
    pub(crate) fn new(name: &str) -> Self {
        let project = workplace().join(name);
        if project.exists() {
            fs::remove_dir_all(&project).unwrap();
        }
        let stubs = project.join("stubs");
        fs::create_dir_all(&stubs).unwrap();
        for name in SHARED {
            symlink(repository(name), project.join(name)).unwrap();
        }
        for name in STUBS {
            symlink(repository("tests/packaging/stub.sh"), stubs.join(name)).unwrap();
        }
        symlink(tool("rust-script", "0.30.0"), stubs.join("rust-script")).unwrap();
        // Cargo notes there that wdk-build comes from elsewhere.
        fs::copy(repository("Cargo.lock"), project.join("Cargo.lock")).unwrap();
        fs::write(project.join("Makefile.toml"), makefile()).unwrap();
        Self {
            project,
            variables: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Puts a certificate in the store.
    pub(crate) fn give_certificate(&self) {
        fs::write(self.project.join("store"), "a certificate\n").unwrap();
    }

    /// Where Cargo puts what it builds.
    pub(crate) fn output(&self, triple: &str, profile: &str) -> String {
        let output = self.project.join("target").join(triple).join(profile);
        output.to_str().unwrap().to_owned()
    }

    /// The files of the package.
    pub(crate) fn package(&self, triple: &str, profile: &str) -> BTreeMap<String, String> {
        let package = Path::new(&self.output(triple, profile)).join("exnpi_driver_package");
        let entries = fs::read_dir(package).unwrap().map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        });
        entries.collect()
    }

    /// Runs `cargo make`.
    pub(crate) fn make(&self, arguments: &[&str]) -> Run {
        let path = std::env::var("PATH").unwrap();
        let target = arguments.last().unwrap();
        let mut make = cargo_make(&self.project, arguments);
        make.env(
            "PATH",
            format!("{}:{path}", self.project.join("stubs").display()),
        )
        // The one that wdk-build puts its tools into.
        .env("Path", "")
        .env("WDKContentRoot", repository("target/nmr/wdk"))
        .env("Version_Number", "10.0.26100.0")
        .env("XDG_CACHE_HOME", workplace().join("cache"))
        // rust-script optimizes, which takes longer than running.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("STUB_CARGO", env!("CARGO"))
        .env("STUB_STORE", self.project.join("store"))
        .env("STUB_TRIPLE", target)
        .envs(self.variables.iter().map(|(name, value)| (name, value)));
        Run::new(&self.project, make)
    }
}

/// Runs `cargo make` with the Makefile.toml as it is, and a `.ci/run` that does nothing.
pub(crate) fn make_on_linux(arguments: &[&str]) -> Run {
    let project = workplace().join("linux");
    if project.exists() {
        fs::remove_dir_all(&project).unwrap();
    }
    fs::create_dir_all(project.join(".ci")).unwrap();
    symlink(
        repository("tests/packaging/stub.sh"),
        project.join(".ci/run"),
    )
    .unwrap();
    symlink(repository("Makefile.toml"), project.join("Makefile.toml")).unwrap();
    // cargo-make runs `cargo metadata`, which would otherwise find the repository's manifest further up and, because of
    // the edited wdk-build above, rewrite its lock file.
    fs::write(project.join("Cargo.toml"), "[workspace]\n").unwrap();
    Run::new(&project, cargo_make(&project, arguments))
}

fn cargo_make(project: &Path, arguments: &[&str]) -> Command {
    let mut make = Command::new(tool("cargo-make", "0.37.24"));
    for (name, _) in std::env::vars_os() {
        // What the Cargo that runs this test has set is not meant for another project.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO") && text != "CARGO_HOME" || text.starts_with("RUSTFLAGS") {
            make.env_remove(&name);
        }
    }
    make.args(["make", "--disable-check-for-updates"])
        .args(arguments)
        .current_dir(project)
        .env("STUB_LOG", project.join("log"));
    make
}

impl Call {
    /// A call in words.
    pub(crate) fn new(words: &str) -> Self {
        Self(words.split(' ').map(str::to_owned).collect())
    }

    /// The same with more words.
    pub(crate) fn and(mut self, words: &str) -> Self {
        self.0.extend(Self::new(words).0);
        self
    }

    /// The same with one more word, which may have spaces in it.
    pub(crate) fn word(mut self, word: &str) -> Self {
        self.0.push(word.to_owned());
        self
    }

    fn logged(line: &str) -> Self {
        let words = line.trim_end_matches('\t').split('\t');
        Self(words.map(str::to_owned).collect())
    }

    pub(crate) fn tool(&self) -> &str {
        &self.0[0]
    }
}

impl Run {
    fn new(project: &Path, mut make: Command) -> Self {
        let _one = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let output = make.output().unwrap();
        let calls = fs::read_to_string(project.join("log")).unwrap_or_default();
        Self {
            output,
            calls: calls.lines().map(Call::logged).collect(),
        }
    }

    pub(crate) fn succeeded(&self) {
        assert!(self.output.status.success(), "{}", self.text());
    }

    pub(crate) fn failed(&self) {
        assert!(!self.output.status.success(), "{}", self.text());
    }

    /// What it has printed.
    pub(crate) fn text(&self) -> String {
        let Output { stdout, stderr, .. } = &self.output;
        String::from_utf8_lossy(&[&stdout[..], &stderr[..]].concat()).into_owned()
    }

    /// The calls of Microsoft's tools.
    pub(crate) fn tools(&self) -> Vec<Call> {
        let calls = self.calls.iter();
        calls
            .filter(|call| call.tool() != "cargo")
            .cloned()
            .collect()
    }

    /// The calls of Cargo that build the driver, without those of rust-script.
    pub(crate) fn builds(&self) -> Vec<String> {
        self.cargo("build --package")
    }

    /// The calls of Cargo that install a program.
    pub(crate) fn installs(&self) -> Vec<String> {
        self.cargo("install")
    }

    fn cargo(&self, subcommand: &str) -> Vec<String> {
        let calls = self.calls.iter().map(|call| call.0.join(" "));
        let start = format!("cargo {subcommand}");
        calls.filter(|call| call.starts_with(&start)).collect()
    }
}
