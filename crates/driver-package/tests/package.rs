//! A package is made, verified, and refused after any change.

mod common;

use driver_package::catalog::SignedCatalog;
use driver_package::certificate::{Certificate, Identity};
use driver_package::digest::Algorithm;
use driver_package::folder::Folder;
use driver_package::image::Image;
use driver_package::package::{Package, sign};
use driver_package::verify::{Outcome, verify};

use common::{AMD64, ARM64, file, folder, identity, now, package, time};

/// The reasons to refuse a folder.
fn refusals(folder: &Folder) -> Vec<String> {
    let report = verify(folder, now()).unwrap();
    report.refusals().map(str::to_owned).collect()
}

/// The package's folder with a file changed.
fn with(package: &Package, name: &str, bytes: Vec<u8>) -> Folder {
    let mut folder = folder(package);
    folder.add(name, bytes);
    folder
}

/// The package's folder without a file.
fn without(package: &Package, name: &str) -> Folder {
    let mut folder = Folder::default();
    for (own, bytes) in package.files.iter().filter(|(own, _)| own != name) {
        folder.add(own, bytes.clone());
    }
    folder
}

/// Asserts that there is one reason, which contains a text.
fn assert_refused(folder: &Folder, reason: &str) {
    let refusals = refusals(folder);
    assert!(
        refusals.iter().any(|refusal| refusal.contains(reason)),
        "{reason}: {refusals:?}"
    );
}

#[test]
fn packages_for_both_processors_are_ready() {
    for machine in [AMD64, ARM64] {
        let identity = identity(1);
        let report = verify(&folder(&package(machine, &identity)), now()).unwrap();
        let bad: Vec<_> = report
            .lines
            .iter()
            .filter(|line| line.outcome != Outcome::Good)
            .collect();
        assert!(bad.is_empty(), "{bad:?}");
        let (certificate, name) = report.trust.unwrap();
        assert_eq!(
            (certificate, name.as_deref()),
            (identity.certificate, Some("sample.cer"))
        );
    }
}

#[test]
fn the_same_arguments_give_the_same_bytes() {
    assert_eq!(package(AMD64, &identity(1)), package(AMD64, &identity(1)));
    assert_ne!(package(AMD64, &identity(1)), package(AMD64, &identity(2)));
}

#[test]
fn an_image_is_signed_again_without_a_trace_of_the_first_signature() {
    let image = common::image(AMD64);
    let (first, second) = (identity(1), identity(2));
    let once = sign(&image, &second).unwrap();
    let twice = sign(&sign(&image, &first).unwrap(), &second).unwrap();
    assert_eq!(once, twice);
    let signed = Image::read(&once).unwrap();
    assert_eq!(signed.checksum, signed.computed_checksum());
    let padded = Image::read(&image).unwrap().unsigned();
    assert_eq!(padded.len(), 0x218);
    let digest = Image::read(&padded).unwrap().digest(Algorithm::Sha256);
    assert_eq!(signed.digest(Algorithm::Sha256), digest);
}

#[test]
fn a_changed_byte_of_any_file_is_refused() {
    let package = package(AMD64, &identity(1));
    for (name, bytes) in &package.files {
        for at in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let folder = with(&package, name, changed);
            let refused = verify(&folder, now()).is_err() || !refusals(&folder).is_empty();
            // Behind the signature stand zeros up to a multiple of 8, which nothing covers.
            assert!(refused || at + 8 > bytes.len(), "byte {at} of {name}");
        }
    }
}

#[test]
fn what_changed_is_named() {
    let package = package(AMD64, &identity(1));
    let change = |name: &str, at: usize| {
        let mut bytes = file(&package, name).to_vec();
        bytes[at] ^= 1;
        with(&package, name, bytes)
    };
    let code = change("sample.sys", 0x205);
    assert_refused(
        &code,
        "sample.sys is not the file in sample.cat: it was changed",
    );
    assert_refused(&code, "sample.sys: its checksum is");
    assert_refused(
        &code,
        "sample.sys: the signature does not hold: the image was changed",
    );
    let comment = change("sample.inf", 3);
    assert_refused(
        &comment,
        "sample.inf is not the file in sample.cat: it was changed",
    );
    let size = file(&package, "sample.cat").len();
    let signature = change("sample.cat", size - 9);
    assert_refused(
        &signature,
        "sample.cat: the signature does not hold: the signature is not by the key of Test 1",
    );
}

#[test]
fn missing_files_are_named() {
    let package = package(AMD64, &identity(1));
    assert_refused(
        &without(&package, "sample.cat"),
        "sample.cat is missing: the package is unsigned",
    );
    assert_refused(
        &without(&package, "sample.sys"),
        "sample.sys is missing, and sample.inf copies it",
    );
    assert_refused(
        &without(&package, "sample.cer"),
        "there is no .cer file with the certificate of Test 1",
    );
    let error = verify(&without(&package, "sample.inf"), now()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no driver package: the folder has no .inf file"
    );
    let error = verify(&with(&package, "b.inf", Vec::new()), now()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("more than one .inf file, b.inf and sample.inf")
    );
}

#[test]
fn another_certificate_is_no_certificate_to_trust() {
    let package = package(AMD64, &identity(1));
    let other = identity(2).certificate.to_der();
    assert_refused(
        &with(&package, "sample.cer", other),
        "there is no .cer file",
    );
}

#[test]
fn the_catalog_of_another_signer_does_not_fit_the_image_s() {
    let (ours, theirs) = (package(AMD64, &identity(1)), package(AMD64, &identity(2)));
    // Same files otherwise: the digests of the image do not depend on the signature.
    let folder = with(&ours, "sample.cat", file(&theirs, "sample.cat").to_vec());
    assert_refused(
        &folder,
        "there is no .cer file with the certificate of Test 2",
    );
    let report = verify(&folder, now()).unwrap();
    assert!(
        report
            .lines
            .iter()
            .any(|line| line.text.contains("signed by another certificate"))
    );
}

#[test]
fn an_expired_certificate_is_refused() {
    let folder = folder(&package(AMD64, &identity(1)));
    for (now, reason) in [
        (
            "2040-01-01T00:00:00Z",
            "the certificate of Test 1: it expired at 2036-02-01T04:05:06Z",
        ),
        (
            "2019-12-31T23:59:59Z",
            "the certificate of Test 1: it is not valid before 2020-01-01T00:00:00Z",
        ),
    ] {
        let report = verify(&folder, time(now)).unwrap();
        let refusals: Vec<_> = report.refusals().collect();
        assert_eq!(refusals, [reason]);
    }
}

#[test]
fn an_image_for_another_processor_is_refused() {
    let identity = identity(1);
    let (x64, arm64) = (package(AMD64, &identity), package(ARM64, &identity));
    let folder = with(&x64, "sample.sys", file(&arm64, "sample.sys").to_vec());
    assert_refused(
        &folder,
        "sample.cat is for _v100_X64,_v100_X64_VB and the image for ARM64",
    );
    assert_refused(
        &folder,
        "no models are for ntarm64, the processor of the image",
    );
}

#[test]
fn an_inf_that_was_not_stamped_is_refused() {
    let package = package(AMD64, &identity(1));
    let folder = with(&package, "sample.inf", common::INX.as_bytes().to_vec());
    assert_refused(&folder, "$ARCH$ is not filled in");
    assert_refused(&folder, "there is no DriverVer in [Version]");
    assert_refused(
        &folder,
        "sample.inf names no catalog: the package is unsigned",
    );
}

#[test]
fn an_unsigned_image_in_the_catalog_is_a_warning() {
    let package = package(AMD64, &identity(1));
    let unsigned = Image::read(file(&package, "sample.sys"))
        .unwrap()
        .unsigned();
    let folder = with(&package, "sample.sys", unsigned);
    assert_refused(&folder, "its checksum is");
    let report = verify(&folder, now()).unwrap();
    assert!(
        report
            .lines
            .iter()
            .any(|line| line.text.contains("has no signature of its own"))
    );
}

#[test]
fn a_private_key_in_the_package_is_refused() {
    let identity = identity(1);
    let package = package(AMD64, &identity);
    let key = identity.key_pem().unwrap();
    let folder = with(&package, "notes.bin", key.as_bytes().to_vec());
    assert_refused(&folder, "notes.bin has a private key");
    assert_refused(
        &with(&package, "signing.PFX", vec![0]),
        "signing.PFX has a private key",
    );
}

#[test]
fn no_file_of_a_package_has_a_part_of_the_key() {
    let identity = identity(1);
    let key = identity.key_pem().unwrap();
    let package = package(AMD64, &identity);
    let lines: Vec<_> = key.lines().filter(|line| line.len() == 64).collect();
    assert!(lines.len() > 20);
    for (name, bytes) in &package.files {
        let text = String::from_utf8_lossy(bytes);
        assert!(
            !text.contains("PRIVATE") && lines.iter().all(|line| !text.contains(line)),
            "{name}"
        );
    }
}

#[test]
fn certificate_and_key_are_read_back() {
    let made = identity(1);
    let key = made.key_pem().unwrap();
    let read = Identity::read(&made.certificate.to_der(), key.as_bytes()).unwrap();
    assert_eq!(read.certificate, made.certificate);
    let other = identity(2).key_pem().unwrap();
    let error = Identity::read(&made.certificate.to_der(), other.as_bytes())
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the private key does not belong to the certificate of Test 1"
    );
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
    let error = Identity::read(&made.certificate.to_der(), encrypted.as_bytes())
        .map(drop)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the private key is encrypted: decrypt it")
    );
}

#[test]
fn files_of_other_kinds_are_refused_with_a_reason() {
    let package = package(AMD64, &identity(1));
    let (cat, cer) = (file(&package, "sample.cat"), file(&package, "sample.cer"));
    let image = file(&package, "sample.sys");
    let signature = Image::read(image).unwrap().signature().unwrap().unwrap();
    let error = SignedCatalog::read(signature).unwrap_err().to_string();
    assert!(
        error.contains("no catalog: the signed content is 1.3.6.1.4.1.311.2.1.4"),
        "{error}"
    );
    assert!(
        SignedCatalog::read(cer)
            .unwrap_err()
            .to_string()
            .contains("the catalog is malformed")
    );
    assert!(
        Certificate::read(cat)
            .unwrap_err()
            .to_string()
            .contains("the certificate is malformed")
    );
    assert_eq!(
        Image::read(cat).unwrap_err().to_string(),
        "no PE image: it does not begin with MZ"
    );
    let mut longer = image.to_vec();
    longer.push(0);
    let error = Image::read(&longer).unwrap_err().to_string();
    assert!(
        error.contains("bytes follow it, which no signature covers"),
        "{error}"
    );
}
