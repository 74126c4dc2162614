//! Driver packages: made, verified, and what is wrong with a command line or a file.

mod lab;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of a test, empty, with the small driver of the tests of `driver-package` in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let folder = lab::scratch(&format!("package-{test}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let image = fs::read(lab::project("fuzz/corpus/package/image")).unwrap();
        fs::write(folder.join("sample.sys"), &image[1..]).unwrap();
        let inx = lab::project("crates/driver-package/tests/common/sample.inx");
        fs::copy(inx, folder.join("sample.inx")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Runs the program in the folder, which is not a project; `target` is in it.
    fn run(&self, arguments: &str) -> Output {
        lab::command()
            .args(arguments.split_whitespace())
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", "target")
            .output()
            .unwrap()
    }

    fn good(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert_eq!(text(&output.stderr), "", "{arguments}");
        assert_eq!(output.status.code(), Some(0), "{arguments}");
        text(&output.stdout)
    }

    /// The message of a failure: one line, or an indented one behind it.
    fn bad(&self, arguments: &str, code: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments}");
        let message = text(&output.stderr);
        let mut more = message.lines().skip(1);
        assert!(
            more.all(|line| line.starts_with("  ")),
            "{arguments}: {message}"
        );
        message.trim_end().to_owned()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const PACKAGE: &str = "package --image sample.sys --inf sample.inx";

#[test]
fn both_subcommands_have_help_with_examples_and_exit_codes() {
    for (command, part) in [("package", "--driver-version"), ("verify", "DIR|FILE")] {
        let help = lab::output(&format!("{command} --help"));
        for part in [part, "--time", "Examples:", "Exit codes:"] {
            assert!(help.contains(part), "{command}: {part}");
        }
    }
}

#[test]
fn a_package_is_made_and_verified_also_somewhere_else() {
    let scratch = Scratch::new("made");
    let made = scratch.good(PACKAGE);
    let lines: Vec<_> = made.lines().collect();
    let [.., root, publisher, install] = lines[..] else {
        panic!("{made}")
    };
    assert_eq!(root, "  certutil -addstore Root sample.cer");
    assert_eq!(
        publisher,
        "  certutil -addstore TrustedPublisher sample.cer"
    );
    assert_eq!(install, "  pnputil /add-driver sample.inf /install");
    fs::rename(
        scratch.path("target/package/sample"),
        scratch.path("elsewhere"),
    )
    .unwrap();
    let verified = scratch.good("verify elsewhere");
    for part in [
        "good     sample.inf is in sample.cat and matches",
        "good     sample.sys is in sample.cat and matches",
        "good     sample.sys is signed by Driver package test certificate",
        "sample.cer is the certificate to trust, thumbprint ",
        "ready for `pnputil /add-driver sample.inf /install`",
        "once the machine trusts sample.cer",
    ] {
        assert!(verified.contains(part), "{part}: {verified}");
    }
}

#[test]
fn the_same_time_gives_the_same_package() {
    let scratch = Scratch::new("same");
    for out in ["a", "b"] {
        scratch.good(&format!(
            "{PACKAGE} --time 2026-01-31T01:02:03Z --out {out}"
        ));
    }
    scratch.good(&format!(
        "{PACKAGE} --time 2026-02-01 --driver-version 7.8.9.10 --out c"
    ));
    for file in ["sample.sys", "sample.inf", "sample.cat", "sample.cer"] {
        let read = |folder| fs::read(scratch.path(folder).join(file)).unwrap();
        assert!(read("a") == read("b"), "{file}");
        assert_eq!(
            read("a") == read("c"),
            file == "sample.sys" || file == "sample.cer",
            "{file}"
        );
    }
    let inf = fs::read_to_string(scratch.path("c/sample.inf")).unwrap();
    assert!(inf.contains("DriverVer = 02/01/2026,7.8.9.10\r\n"), "{inf}");
}

#[test]
fn the_test_certificate_is_made_once_and_its_key_is_kept_apart() {
    let scratch = Scratch::new("certificate");
    let folder = scratch.path("target/test-certificate");
    let first = scratch.good(PACKAGE);
    assert!(
        first.contains("which was made now and is in target/test-certificate"),
        "{first}"
    );
    assert_eq!(
        fs::read_to_string(folder.join(".gitignore")).unwrap(),
        "*\n"
    );
    let key = fs::read(folder.join("test.key")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.join("test.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let second = scratch.good(PACKAGE);
    assert!(
        second.contains("which is in target/test-certificate"),
        "{second}"
    );
    assert_eq!(fs::read(folder.join("test.key")).unwrap(), key);
    let names = fs::read_dir(scratch.path("target/package/sample")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["sample.cat", "sample.cer", "sample.inf", "sample.sys"]
    );
    fs::remove_file(folder.join("test.cer")).unwrap();
    let line = scratch.bad(PACKAGE, 2);
    assert!(
        line.ends_with(
            "has only one of test.cer and test.key: remove the folder, and both are made"
        ),
        "{line}"
    );
}

#[test]
fn another_certificate_and_scripts_and_symbols_come_along() {
    let scratch = Scratch::new("own");
    scratch.good(PACKAGE);
    for (from, to) in [("test.cer", "our.cer"), ("test.key", "our.key")] {
        fs::rename(
            scratch.path("target/test-certificate").join(from),
            scratch.path(to),
        )
        .unwrap();
    }
    fs::create_dir(scratch.path("tools")).unwrap();
    fs::write(scratch.path("tools/install.ps1"), "exit 0").unwrap();
    fs::write(scratch.path("sample.pdb"), "symbols").unwrap();
    let made = scratch.good(&format!(
        "{PACKAGE} --cert our.cer --key our.key --scripts tools --out out"
    ));
    assert!(made.contains("from our.cer"), "{made}");
    assert!(
        made.contains("not part of the driver: scripts/install.ps1, sample.pdb"),
        "{made}"
    );
    assert!(scratch.path("out/scripts/install.ps1").is_file());
    assert!(!scratch.path("target/test-certificate/test.key").exists());
}

#[test]
fn a_changed_file_is_refused_with_one_line_and_a_code() {
    let scratch = Scratch::new("changed");
    scratch.good(&format!("{PACKAGE} --out out"));
    let inf = fs::read_to_string(scratch.path("out/sample.inf")).unwrap();
    fs::write(scratch.path("out/sample.inf"), inf + "; more\r\n").unwrap();
    let line = scratch.bad("verify out", 1);
    assert_eq!(
        line,
        "cargo-nmr: out: sample.inf is not the file in sample.cat: it was changed after the catalog was made"
    );
    let shown = text(&scratch.run("verify out").stdout);
    assert!(
        shown.contains("REFUSED  sample.inf is not the file"),
        "{shown}"
    );
    assert!(
        shown.contains("Windows has a reason to refuse this package."),
        "{shown}"
    );
}

#[test]
fn an_inf_is_checked_line_by_line() {
    let scratch = Scratch::new("inf");
    assert_eq!(
        scratch.good("verify sample.inx"),
        "sample.inx: no rule is broken\n"
    );
    let inx = fs::read_to_string(scratch.path("sample.inx")).unwrap();
    let broken = inx
        .replace("KmdfService = SampleOne", "KmdfService = \u{1b}[1mOther")
        .replace("PnpLockdown = 1", "");
    fs::write(scratch.path("broken.inx"), broken).unwrap();
    let line = scratch.bad("verify broken.inx", 1);
    assert!(line.starts_with("cargo-nmr: broken.inx: line 28: KmdfService is \\u{1b}[1mOther, which no AddService adds: "), "{line}");
    let shown = text(&scratch.run("verify broken.inx").stdout);
    assert!(
        shown.contains("broken.inx: warning: line 2: there is no PnpLockdown = 1"),
        "{shown}"
    );
    assert!(
        shown.ends_with("broken.inx: 1 error, 1 warning, 0 notes\n"),
        "{shown}"
    );
}

/// Command lines, and how their complaints begin. Those of missing files go on with the system's words.
const UNUSABLE: &[(&str, &str)] = &[
    (
        "package --image none.sys --inf sample.inx",
        "cannot read none.sys: ",
    ),
    (
        "package --image sample.sys --inf none.inx",
        "cannot read none.inx: ",
    ),
    (
        "package --image . --inf sample.inx",
        "cannot read .: it is no file",
    ),
    (
        "package --image text.sys --inf sample.inx",
        "text.sys: no PE image: it does not begin with MZ",
    ),
    (
        "package --image sample.sys --inf sample.sys",
        "sample.sys: --inf takes an .inx or .inf file",
    ),
    (
        "package --image sample.sys --inf binary.inx",
        "binary.inx: no INF: line 1 has a zero character; UTF-16 needs the mark FF FE in front",
    ),
    (
        "package --image sample.sys --inf short.inx",
        "short.inx: the INX has no [Version], where DriverVer belongs",
    ),
    (
        "package --image sample.sys --inf umdf.inx",
        "umdf.inx: line 3 of the INX has $UMDFVERSION$, and only $ARCH$ and $KMDFVERSION$ are filled in",
    ),
    (
        "package --image sample.sys --inf sample.inx --time tomorrow",
        "invalid value 'tomorrow' for '--time <TIME>': a time is written 2026-01-31 or 2026-01-31T12:00:00Z",
    ),
    (
        "package --image sample.sys --inf sample.inx --driver-version 1.2",
        "invalid value '1.2' for '--driver-version <VERSION>': a version is four numbers up to 65535, as in 1.0.0.0",
    ),
    (
        "package --image sample.sys --inf sample.inx --kmdf new",
        "invalid value 'new' for '--kmdf <VERSION>': a version of KMDF is two numbers, as in 1.31",
    ),
    (
        "package --image sample.sys --inf sample.inx --cert a",
        "the following required arguments were not provided:\n  --key <FILE>",
    ),
    (
        "package --image sample.sys --inf sample.inx --scripts empty",
        "empty: --scripts takes a folder with .ps1 files",
    ),
    (
        "verify empty",
        "empty: no driver package: the folder has no .inf file",
    ),
    ("verify none", "cannot read none: "),
    (
        "verify sample.sys",
        "sample.sys: verify takes the folder of a package, or an .inf or .inx file",
    ),
    (
        "verify binary.inx",
        "binary.inx: no INF: line 1 has a zero character; UTF-16 needs the mark FF FE in front",
    ),
];

#[test]
fn what_cannot_be_used_gets_one_line() {
    let scratch = Scratch::new("unusable");
    fs::create_dir(scratch.path("empty")).unwrap();
    fs::write(scratch.path("text.sys"), "text").unwrap();
    fs::write(scratch.path("binary.inx"), b"\0\x01").unwrap();
    fs::write(scratch.path("short.inx"), "[Strings]\r\n").unwrap();
    fs::write(
        scratch.path("key.pem"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    fs::write(
        scratch.path("umdf.inx"),
        "[Version]\n; a\nx = $UMDFVERSION$\n",
    )
    .unwrap();
    for (arguments, expected) in UNUSABLE {
        let line = scratch.bad(arguments, 2);
        assert!(
            line.starts_with(&format!("cargo-nmr: {expected}")),
            "{arguments}: {line}"
        );
    }
    scratch.good(&format!("{PACKAGE} --out out"));
    let line = scratch.bad(&format!("{PACKAGE} --cert out/sample.cer --key key.pem"), 2);
    assert!(
        line.starts_with("cargo-nmr: key.pem: the private key is encrypted: decrypt it first"),
        "{line}"
    );
}

/// Makes a package of a driver that was built for Windows, and asks the witness.
fn package_of(image: &str, name: &str) {
    let image = lab::project("target/driver")
        .join(image)
        .join("exnpi_driver.sys");
    assert!(
        image.exists(),
        "{} is missing: `cargo xtask test` builds it",
        image.display()
    );
    let scratch = Scratch::new(name);
    let inx = lab::project("inf/exnpi_driver.inx");
    let out = scratch.path("out");
    let arguments = format!(
        "package --image {} --inf {} --out out",
        image.display(),
        inx.display()
    );
    let made = scratch.good(&arguments);
    assert!(
        !made.contains("warning") && !made.contains("note"),
        "{made}"
    );
    scratch.good("verify out");
    let pem = scratch.path("trusted.pem");
    let converted = Command::new("openssl")
        .args(["x509", "-inform", "der", "-in"])
        .arg(out.join("exnpi_driver.cer"))
        .arg("-out")
        .arg(&pem)
        .status();
    assert!(converted.unwrap().success());
    let accepts = |catalog: bool, file: &Path| {
        let mut command = Command::new("osslsigncode");
        command.args(["verify", "-CAfile"]).arg(&pem);
        if catalog {
            command.arg("-catalog").arg(out.join("exnpi_driver.cat"));
        }
        let output = command.arg("-in").arg(file).output();
        output
            .expect("osslsigncode, which `cargo xtask test` installs")
            .status
            .success()
    };
    let (image, catalog) = (out.join("exnpi_driver.sys"), out.join("exnpi_driver.cat"));
    assert!(
        accepts(false, &image) && accepts(false, &catalog) && accepts(true, &image),
        "{name}"
    );
    let mut bytes = fs::read(&image).unwrap();
    bytes[0x500] ^= 1;
    fs::write(&image, bytes).unwrap();
    assert!(!accepts(false, &image) && !accepts(true, &image), "{name}");
    let line = scratch.bad("verify out", 1);
    assert!(
        line.contains("exnpi_driver.sys is not the file in exnpi_driver.cat"),
        "{line}"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_sample_is_packaged_for_x64() {
    for role in ["both", "provider", "client"] {
        package_of(&format!("x64/release/{role}"), role);
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_sample_is_packaged_for_arm64() {
    package_of("arm64/release/both", "arm64");
}
