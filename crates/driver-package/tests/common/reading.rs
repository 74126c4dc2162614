//! The readers of this crate as a fuzz target: no bytes make one panic, and what one accepts can be
//! written again.

use driver_package::DateTime;
use driver_package::catalog::SignedCatalog;
use driver_package::certificate::Certificate;
use driver_package::digest::Algorithm;
use driver_package::folder::Folder;
use driver_package::image::{Arch, Image};
use driver_package::inf::Inf;
use driver_package::inf::check::{Expected, check};
use driver_package::inf::stamp::Stamp;
use driver_package::verify::verify;

/// What the first byte lets the others be.
pub(crate) const KINDS: u8 = 4;

/// Reads any bytes as an image, an INF, a catalog or a certificate, as the first one says, and as a
/// file of a package. Returns `true` if they are one.
pub(crate) fn read(bytes: &[u8]) -> bool {
    let Some((kind, bytes)) = bytes.split_first() else {
        return false;
    };
    let (name, accepted) = match kind % KINDS {
        0 => ("a.sys", image(bytes)),
        1 => ("a.inf", inf(bytes)),
        2 => ("a.cat", catalog(bytes)),
        _ => (
            "a.cer",
            Certificate::read(bytes).is_ok_and(|one| certificate(&one)),
        ),
    };
    in_folder(name, bytes);
    accepted
}

fn now() -> DateTime {
    DateTime::new(2026, 1, 1, 0, 0, 0).unwrap()
}

fn image(bytes: &[u8]) -> bool {
    let Ok(image) = Image::read(bytes) else {
        return false;
    };
    let digest = image.digest(Algorithm::Sha256);
    let _ = (image.signature(), image.computed_checksum());
    let signed = image.with_signature(b"signature").unwrap();
    let again = Image::read(&signed).unwrap();
    assert_eq!(again.checksum, again.computed_checksum());
    assert!(
        again
            .signature()
            .unwrap()
            .unwrap()
            .starts_with(b"signature")
    );
    if image.unsigned().len() == bytes.len() {
        assert_eq!(again.digest(Algorithm::Sha256), digest);
    }
    true
}

fn inf(bytes: &[u8]) -> bool {
    let Ok(inf) = Inf::read(bytes) else {
        return false;
    };
    for name in ["a.inf", "a.inx"] {
        for finding in check(name, &inf, &Expected::default()) {
            assert!(!finding.to_string().is_empty());
        }
    }
    let stamp = Stamp {
        arch: Arch::Amd64,
        kmdf: "1.31".to_owned(),
        date: now(),
        version: None,
        catalog: "a.cat".to_owned(),
    };
    if let Ok(stamped) = stamp.apply(&inf) {
        let stamped = Inf::read(&stamped).unwrap();
        assert_eq!(
            stamped.value("Version", "CatalogFile").as_deref(),
            Some("a.cat")
        );
    }
    true
}

fn catalog(bytes: &[u8]) -> bool {
    let Ok(signed) = SignedCatalog::read(bytes) else {
        return false;
    };
    assert!(signed.signer.as_ref().is_none_or(certificate));
    // Times outside of the years 1950 to 2049 cannot be written.
    let _ = signed.catalog.to_der();
    true
}

fn certificate(one: &Certificate) -> bool {
    let _ = (
        one.subject(),
        one.issuer(),
        one.objections(now()),
        one.check_issued(one),
    );
    Certificate::read(&one.to_der()).is_ok_and(|again| again == *one)
}

/// The bytes in a package whose other files are small.
fn in_folder(name: &str, bytes: &[u8]) {
    let mut folder = Folder::default();
    folder.add(
        "a.inf",
        b"[Version]\nCatalogFile=a.cat\n[SourceDisksFiles]\na.sys=1".to_vec(),
    );
    folder.add(name, bytes.to_vec());
    if let Ok(report) = verify(&folder, now()) {
        assert!(!report.is_ready());
    }
}
