//! The signer's certificate, and keys that must not be there.

use der::DateTime;

use super::{Report, Subject};
use crate::certificate::{Certificate, is_pem};
use crate::digest::Hex;
use crate::folder::has_ending;

/// Endings of files with private keys.
const KEYS: [&str; 5] = ["pfx", "p12", "pvk", "key", "snk"];

pub(super) fn check(
    subject: &Subject<'_>,
    signer: Option<&Certificate>,
    stamped: Option<DateTime>,
    report: &mut Report,
) {
    for (name, bytes) in subject.folder.all() {
        let is_key =
            has_ending(name, &KEYS) || (is_pem(bytes) && contains(bytes, b"PRIVATE KEY-----"));
        if is_key {
            report.refused(format!("{name} has a private key: remove it from the package, and do not trust its certificate"));
        }
    }
    let Some(signer) = signer else { return };
    let owner = signer.subject();
    // A time stamp keeps a signature good after its certificate has expired.
    let objections = signer.objections(stamped.unwrap_or(subject.now));
    if let Some(time) = stamped {
        report.note(format!(
            "the signature has a time stamp of {time}, whose server was not checked"
        ));
    }
    if objections.is_empty() {
        report.good(format!(
            "the certificate of {owner} is for code signing and valid until {}",
            signer.not_after()
        ));
    }
    for objection in objections {
        report.refused(format!("the certificate of {owner}: {objection}"));
    }
    if signer.is_self_signed() {
        if let Err(flaw) = signer.check_issued(signer) {
            report.refused(format!(
                "the certificate of {owner} is not signed by itself: {flaw}"
            ));
        }
    } else {
        report.note(format!(
            "the certificate of {owner} was issued by {}, which Windows has to trust",
            signer.issuer()
        ));
    }
    let mut files = subject
        .folder
        .with_ending("cer")
        .chain(subject.folder.with_ending("crt"));
    let file = files.find(|(_, bytes)| Certificate::read(bytes).is_ok_and(|own| own == *signer));
    match file {
        Some((name, _)) => {
            let thumbprint = signer.thumbprint();
            report.good(format!(
                "{name} is the certificate to trust, thumbprint {}",
                Hex(&thumbprint)
            ));
        }
        None if signer.is_self_signed() => {
            report.refused(format!(
                "there is no .cer file with the certificate of {owner}, so it cannot be trusted"
            ));
        }
        None => {}
    }
    report.trust = Some((signer.clone(), file.map(|(name, _)| name.to_owned())));
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
