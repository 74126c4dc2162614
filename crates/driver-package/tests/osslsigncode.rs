//! An independent witness, osslsigncode: it accepts what this crate signs, and refuses what was
//! changed afterwards.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use driver_package::certificate::Identity;
use driver_package::image::Image;
use driver_package::package::Package;

use common::{AMD64, ARM64, file, identity, package};

/// A second of Unix in February 2026, so that no test depends on the clock.
const NOW: &str = "1770091506";

/// A package in a folder below `target`, with the certificate in PEM, which the witness asks for.
struct Witness {
    folder: PathBuf,
}

impl Witness {
    fn new(test: &str, package: &Package, trusted: &Identity) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &package.files {
            fs::write(folder.join(name), bytes).unwrap();
        }
        let witness = Self { folder };
        let der = witness.path("trusted.cer");
        fs::write(&der, trusted.certificate.to_der()).unwrap();
        let pem = Command::new("openssl")
            .args(["x509", "-inform", "der", "-in"])
            .arg(&der)
            .arg("-out")
            .arg(witness.path("trusted.pem"))
            .status();
        assert!(pem.unwrap().success());
        witness
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Changes a byte of a file.
    fn change(&self, name: &str, at: usize) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        bytes[at] ^= 1;
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Returns `true` if a file is accepted, on its own or with a catalog.
    fn accepts(&self, name: &str, catalog: Option<&str>, time: &str) -> bool {
        let mut command = Command::new("osslsigncode");
        command
            .arg("verify")
            .arg("-CAfile")
            .arg(self.path("trusted.pem"));
        if let Some(catalog) = catalog {
            command.arg("-catalog").arg(self.path(catalog));
        }
        let output = command
            .args(["-time", time, "-in"])
            .arg(self.path(name))
            .output();
        let output = output.expect("osslsigncode, which `cargo xtask test` installs");
        let text = String::from_utf8_lossy(&output.stdout);
        let accepted = text.lines().any(|line| line == "Succeeded");
        assert_eq!(accepted, output.status.success(), "{text}");
        accepted
    }

    /// What it says of the image, of the catalog, and of the image in the catalog.
    fn verdicts(&self) -> [bool; 3] {
        [
            self.accepts("sample.sys", None, NOW),
            self.accepts("sample.cat", None, NOW),
            self.accepts("sample.sys", Some("sample.cat"), NOW),
        ]
    }
}

#[test]
#[ignore = "needs osslsigncode, which `cargo xtask test` installs"]
fn packages_for_both_processors_are_accepted() {
    for (name, machine) in [("x64", AMD64), ("arm64", ARM64)] {
        let identity = identity(1);
        let witness = Witness::new(name, &package(machine, &identity), &identity);
        assert_eq!(witness.verdicts(), [true; 3], "{name}");
    }
}

#[test]
#[ignore = "needs osslsigncode, which `cargo xtask test` installs"]
fn changed_files_are_refused() {
    let identity = identity(1);
    let package = package(AMD64, &identity);
    let witness = Witness::new("changed_image", &package, &identity);
    witness.change("sample.sys", 0x205);
    assert_eq!(witness.verdicts(), [false, true, false]);
    let witness = Witness::new("changed_catalog", &package, &identity);
    // In the first member's digest.
    witness.change("sample.cat", 150);
    assert_eq!(witness.verdicts(), [true, false, false]);
    let witness = Witness::new("changed_signature", &package, &identity);
    witness.change("sample.cat", file(&package, "sample.cat").len() - 9);
    assert_eq!(witness.verdicts(), [true, false, false]);
}

#[test]
#[ignore = "needs osslsigncode, which `cargo xtask test` installs"]
fn another_image_is_not_in_the_catalog() {
    let identity = identity(1);
    let witness = Witness::new("another_image", &package(AMD64, &identity), &identity);
    let other = package(ARM64, &identity);
    fs::write(witness.path("sample.sys"), file(&other, "sample.sys")).unwrap();
    assert_eq!(witness.verdicts(), [true, true, false]);
}

#[test]
#[ignore = "needs osslsigncode, which `cargo xtask test` installs"]
fn another_certificate_is_not_trusted() {
    let witness = Witness::new("untrusted", &package(AMD64, &identity(1)), &identity(2));
    assert_eq!(witness.verdicts(), [false; 3]);
}

#[test]
#[ignore = "needs osslsigncode, which `cargo xtask test` installs"]
fn an_expired_certificate_is_refused() {
    let identity = identity(1);
    let witness = Witness::new("expired", &package(AMD64, &identity), &identity);
    // Seconds of Unix: in 2030 it is valid, in 2040 it is not.
    let at = |time| witness.accepts("sample.sys", Some("sample.cat"), time);
    assert_eq!((at("1893456000"), at("2208988800")), (true, false));
}

/// The witness signs, and this crate reads.
#[test]
#[ignore = "needs osslsigncode, which `cargo xtask test` installs"]
fn what_the_witness_signs_is_read() {
    let identity = identity(1);
    let witness = Witness::new("signed_there", &package(AMD64, &identity), &identity);
    fs::write(
        witness.path("key.pem"),
        identity.key_pem().unwrap().as_bytes(),
    )
    .unwrap();
    fs::write(witness.path("plain.sys"), common::image(AMD64)).unwrap();
    let signed = witness.path("signed.sys");
    let _ = fs::remove_file(&signed);
    let status = Command::new("osslsigncode")
        .args(["sign", "-h", "sha256", "-certs"])
        .arg(witness.path("trusted.pem"))
        .arg("-key")
        .arg(witness.path("key.pem"))
        .arg("-in")
        .arg(witness.path("plain.sys"))
        .arg("-out")
        .arg(&signed)
        .output();
    assert!(status.unwrap().status.success());
    let theirs = fs::read(&signed).unwrap();
    let ours = fs::read(witness.path("sample.sys")).unwrap();
    let digest = |bytes: &[u8]| {
        let image = Image::read(bytes).unwrap();
        assert_eq!(image.checksum, image.computed_checksum());
        image.digest(driver_package::digest::Algorithm::Sha256)
    };
    assert_eq!(digest(&theirs), digest(&ours));
    let mut folder = common::folder(&package(AMD64, &identity));
    folder.add("sample.sys", theirs);
    let report = driver_package::verify::verify(&folder, common::now()).unwrap();
    assert_eq!(report.refusals().collect::<Vec<_>>(), [""; 0]);
}
