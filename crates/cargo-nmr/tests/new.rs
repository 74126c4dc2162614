//! A driver of one's own, from an empty directory outside of the repository to a signed package: what the guide's
//! chapter tells to type.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// What is built here stays for the next run.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("new")
}

/// Runs a command and expects an exit code. Returns what it printed.
#[track_caller]
fn run(command: &mut Command, expected: i32) -> Output {
    let output = command.output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(expected),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// `cargo nmr`, as Cargo starts it.
fn nmr(directory: &Path, arguments: &str) -> Command {
    started(
        env!("CARGO_BIN_EXE_cargo-nmr").as_ref(),
        directory,
        arguments,
    )
}

fn started(program: &OsStr, directory: &Path, arguments: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).arg("nmr");
    command.args(arguments.split_whitespace());
    clean(&mut command);
    command
}

/// Without what the Cargo that runs this test has set.
fn clean(command: &mut Command) {
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG") || name.starts_with("CARGO_MANIFEST") {
            command.env_remove(name);
        }
    }
    command.env("CARGO_TARGET_DIR", kept().join("target"));
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
}

/// Every file of a package with its content.
fn content(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// The program as `cargo install` makes it, and an empty directory outside of the repository.
struct Bench {
    program: PathBuf,
    empty: TempDir,
}

impl Bench {
    fn new() -> Self {
        let root = kept().join("installed");
        let mut install = Command::new(env!("CARGO"));
        install.args([
            "install", "--quiet", "--locked", "--debug", "--force", "--path",
        ]);
        install
            .arg(env!("CARGO_MANIFEST_DIR"))
            .arg("--root")
            .arg(&root);
        clean(&mut install);
        // Most of it has been built for this test.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        install.env("CARGO_TARGET_DIR", target);
        run(&mut install, 0);
        Self {
            program: root.join("bin/cargo-nmr"),
            empty: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs the installed program and expects success.
    #[track_caller]
    fn nmr(&self, directory: &Path, arguments: &str) -> Output {
        let program = self.program.as_os_str();
        run(&mut started(program, directory, arguments), 0)
    }

    /// Makes a package of a role, and lets Cargo write its lock file. The path is in the flags of the compiler, and so
    /// packages with one path share what they depend on.
    fn make(&self, role: &str) -> PathBuf {
        let parent = self.empty.path();
        let _ = fs::remove_dir_all(parent.join("mydrv"));
        let made = self.nmr(parent, &format!("new mydrv --role {role}"));
        let text = String::from_utf8(made.stdout).unwrap();
        let first = "mydrv: a driver with the interface MydrvNpi\n";
        assert!(text.starts_with(first), "{text}");
        let package = parent.join("mydrv");
        let mut cargo = Command::new(env!("CARGO"));
        clean(&mut cargo);
        run(cargo.arg("generate-lockfile").current_dir(&package), 0);
        package
    }

    /// Builds, tests and lints a package. It stays as it is.
    fn check(&self, package: &Path) {
        let before = content(package);
        self.nmr(package, "test --release");
        let mut clippy = Command::new(env!("CARGO"));
        clean(&mut clippy);
        clippy.args(["clippy", "--quiet", "--all-targets", "--", "-Dwarnings"]);
        run(clippy.current_dir(package), 0);
        let mut format = Command::new(env!("CARGO"));
        clean(&mut format);
        run(format.args(["fmt", "--check"]).current_dir(package), 0);
        self.nmr(package, "faults --release");
        self.nmr(package, "inspect --release");
        assert_eq!(
            unsafe_lines(package),
            [
                "#[expect(unsafe_code)]",
                "unsafe impl nmr::Npi for MydrvNpi {"
            ]
        );
        let changed: Vec<_> = content(package)
            .into_iter()
            .filter(|file| !before.contains(file))
            .collect();
        let changed: Vec<_> = changed.iter().map(|(path, _)| path).collect();
        assert!(changed.is_empty(), "{changed:?}");
    }

    /// Packages a driver for a processor, and lets osslsigncode look at the package, copied elsewhere.
    fn package(&self, package: &Path, arch: &str) {
        let out = self.empty.path().join(arch);
        let out = out.to_str().unwrap();
        self.nmr(
            package,
            &format!("package --release --arch {arch} --out {out}"),
        );
        let elsewhere = self.empty.path().join(format!("{arch}-elsewhere"));
        fs::rename(out, &elsewhere).unwrap();
        let verified = self.nmr(&elsewhere, "verify .");
        let text = String::from_utf8(verified.stdout).unwrap();
        assert!(text.contains("ready for `pnputil /add-driver "), "{text}");
        witnessed(&elsewhere);
        for file in ["mydrv.sys", "mydrv.inf", "mydrv.cat"] {
            self.notices_a_change(&elsewhere, file);
        }
    }

    /// One changed byte in the middle of a file is found.
    fn notices_a_change(&self, folder: &Path, file: &str) {
        let path = folder.join(file);
        let good = fs::read(&path).unwrap();
        let mut changed = good.clone();
        changed[good.len() / 2] ^= 1;
        fs::write(&path, changed).unwrap();
        let program = self.program.as_os_str();
        run(&mut started(program, folder, "verify ."), 1);
        fs::write(&path, good).unwrap();
    }
}

/// The lines of the sources that have the word `unsafe`.
fn unsafe_lines(package: &Path) -> Vec<String> {
    let sources = content(&package.join("src"));
    let text = sources
        .iter()
        .map(|(_, text)| String::from_utf8_lossy(text).into_owned());
    let lines: Vec<_> = text
        .collect::<Vec<_>>()
        .concat()
        .lines()
        .map(str::to_owned)
        .collect();
    let is_unsafe = |line: &String| line.contains("unsafe");
    lines.into_iter().filter(is_unsafe).collect()
}

#[test]
#[ignore = "needs the tools of a driver: cargo xtask test"]
fn a_new_driver_of_each_role_is_built_tested_run_and_packaged() {
    let bench = Bench::new();
    for role in ["client", "provider"] {
        bench.check(&bench.make(role));
    }
    let package = bench.make("both");
    bench.check(&package);
    // A detach meets a call of the package's own.
    let told = bench.nmr(&package, "run --release --format json");
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("STATUS_PENDING"), "{told}");
    for arch in ["x64", "arm64"] {
        bench.package(&package, arch);
    }
}

/// osslsigncode accepts the image in the catalog, and does not after one changed byte.
fn witnessed(folder: &Path) {
    let witness = |image: &Path| {
        let mut command = Command::new("osslsigncode");
        command
            .args(["verify", "-catalog"])
            .arg(folder.join("mydrv.cat"));
        command.arg("-CAfile").arg(pem(folder));
        command
            .arg("-in")
            .arg(image)
            .output()
            .expect("osslsigncode")
    };
    let image = folder.join("mydrv.sys");
    let accepted = witness(&image);
    assert!(
        accepted.status.success(),
        "{}",
        String::from_utf8_lossy(&accepted.stdout)
    );
    let mut bytes = fs::read(&image).unwrap();
    bytes[0x400] ^= 1;
    let changed = folder.join("changed.sys");
    fs::write(&changed, bytes).unwrap();
    assert!(!witness(&changed).status.success());
}

/// The certificate in the format of the witness.
fn pem(folder: &Path) -> PathBuf {
    let path = folder.join("mydrv.pem");
    let mut openssl = Command::new("openssl");
    openssl
        .args(["x509", "-inform", "DER", "-in"])
        .arg(folder.join("mydrv.cer"));
    run(openssl.arg("-out").arg(&path), 0);
    path
}

#[test]
fn nothing_is_written_over() {
    let taken = tempfile::tempdir().unwrap();
    let directory = taken.path();
    fs::write(directory.join("notes"), "mine").unwrap();
    let refused = run(&mut nmr(directory, "new . --name mydrv"), 2);
    let line = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(
        line,
        "cargo-nmr: . is not empty: name a directory that is not there yet\n"
    );
    assert_eq!(content(directory).len(), 1);
}

#[test]
fn a_wrong_name_is_refused_in_a_line() {
    for (arguments, expected) in [
        (
            "new 9x",
            "`9x` cannot be the name of a driver's package: it has to begin with a small letter",
        ),
        (
            "new nmr",
            "`nmr` cannot be the name of a driver's package: the word has another meaning",
        ),
        (
            "new x --npi y",
            "--npi: `y` cannot be the name of an interface: it is a type in Rust",
        ),
    ] {
        let refused = run(
            &mut nmr(Path::new(env!("CARGO_TARGET_TMPDIR")), arguments),
            2,
        );
        let line = String::from_utf8(refused.stderr).unwrap();
        assert!(
            line.starts_with(&format!("cargo-nmr: {expected}")),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn a_directory_without_a_driver_is_told_so() {
    let plain = tempfile::tempdir().unwrap();
    let directory = plain.path();
    fs::create_dir(directory.join("src")).unwrap();
    fs::write(directory.join("src/lib.rs"), "").unwrap();
    let manifest = "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    for command in ["build", "test", "run", "faults", "inspect", "package"] {
        let refused = run(&mut nmr(directory, command), 2);
        let line = String::from_utf8(refused.stderr).unwrap();
        assert!(
            line.starts_with("cargo-nmr: plain is no driver: "),
            "{command}: {line}"
        );
    }
}
