//! Certificates that OpenSSL made: of an authority, too weak, for another purpose, of another kind.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use driver_package::certificate::Identity;
use driver_package::verify::{Outcome, verify};

use common::{AMD64, folder, package};

/// A folder for a test's files.
fn scratch(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output();
    let output = output.expect("openssl, which `cargo xtask test` installs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {text}");
}

/// A self-signed certificate and its key.
fn self_signed(test: &str, key: &str, more: &str) -> Result<Identity, String> {
    let folder = scratch(test);
    let options =
        "req -x509 -nodes -days 30000 -subj /CN=Made -keyout key.pem -out cert.pem -newkey";
    openssl(&folder, &format!("{options} {key} {more}"));
    let read = |name| fs::read(folder.join(name)).unwrap();
    Identity::read(&read("cert.pem"), &read("key.pem")).map_err(|error| error.to_string())
}

const CODE_SIGNING: &str = "-addext extendedKeyUsage=codeSigning";

/// What a package that it signs is refused for, long after it was made.
fn refusals(identity: &Identity) -> Vec<String> {
    let later = common::time("2040-01-01T00:00:00Z");
    let report = verify(&folder(&package(AMD64, identity)), later).unwrap();
    report.refusals().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs openssl, which `cargo xtask test` installs"]
fn certificates_of_other_strengths_and_purposes_are_judged() {
    let good = self_signed("good", "rsa:3072", CODE_SIGNING).unwrap();
    assert_eq!(refusals(&good), [""; 0]);
    let weak = self_signed("weak", "rsa:1024", CODE_SIGNING).unwrap();
    assert_eq!(
        refusals(&weak),
        ["the certificate of Made: its RSA key has 1024 bits, fewer than 2048"]
    );
    let server = self_signed("server", "rsa:2048", "-addext extendedKeyUsage=serverAuth").unwrap();
    assert_eq!(
        refusals(&server),
        ["the certificate of Made: its extended key usage is not code signing"]
    );
    let plain = self_signed("plain", "rsa:2048", "-sha256").unwrap();
    assert_eq!(
        refusals(&plain),
        ["the certificate of Made: it has no extended key usage for code signing"]
    );
}

#[test]
#[ignore = "needs openssl, which `cargo xtask test` installs"]
fn a_key_that_is_not_rsa_is_refused() {
    let curve = "ec -pkeyopt ec_paramgen_curve:P-256";
    let error = self_signed("curve", curve, CODE_SIGNING)
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error,
        "the key of Made is not RSA, and drivers are signed with RSA here"
    );
}

#[test]
#[ignore = "needs openssl, which `cargo xtask test` installs"]
fn the_certificate_of_an_authority_comes_with_those_above_it() {
    let folder = scratch("authority");
    openssl(
        &folder,
        "req -x509 -nodes -days 30000 -subj /CN=Root -newkey rsa:2048 -keyout root.key -out root.pem",
    );
    openssl(
        &folder,
        "req -nodes -subj /CN=Leaf -newkey rsa:2048 -keyout key.pem -out leaf.csr",
    );
    fs::write(
        folder.join("leaf.cnf"),
        "extendedKeyUsage=codeSigning\nkeyUsage=digitalSignature\n",
    )
    .unwrap();
    openssl(
        &folder,
        "x509 -req -days 30000 -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile leaf.cnf -out leaf.pem",
    );
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let chain = [read("leaf.pem"), read("root.pem")].concat();
    let identity = Identity::read(&chain, &read("key.pem")).unwrap();
    let made = package(AMD64, &identity);
    let report = verify(&common::folder(&made), common::time("2040-01-01T00:00:00Z")).unwrap();
    assert_eq!(report.refusals().collect::<Vec<_>>(), [""; 0]);
    let notes: Vec<_> = report
        .lines
        .iter()
        .filter(|line| line.outcome == Outcome::Note)
        .collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(
        notes[0].text,
        "the certificate of Leaf was issued by Root, which Windows has to trust"
    );
    for (name, bytes) in &made.files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let witness = Command::new("osslsigncode")
        .args([
            "verify",
            "-CAfile",
            "root.pem",
            "-catalog",
            "sample.cat",
            "-in",
            "sample.sys",
        ])
        .current_dir(&folder)
        .output()
        .expect("osslsigncode, which `cargo xtask test` installs");
    assert!(
        witness.status.success(),
        "{}",
        String::from_utf8_lossy(&witness.stdout)
    );
}
