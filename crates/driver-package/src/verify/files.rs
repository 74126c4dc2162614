//! The files of a package: whether the catalog has them, and the images' own signatures.

use std::collections::{BTreeSet, HashSet};

use super::{Report, Subject};
use crate::catalog::{Catalog, SignedCatalog};
use crate::certificate::Certificate;
use crate::digest::Algorithm;
use crate::error::Result;
use crate::folder::has_ending;
use crate::image::{Arch, Image};
use crate::indirect;
use crate::oid;
use crate::signed::Signed;

/// Endings of PE images, whose digests in a catalog are those of Authenticode.
const IMAGES: [&str; 4] = ["sys", "dll", "exe", "cpl"];

/// The most names in one line.
const MOST_NAMES: usize = 12;

/// The members of a catalog, for lookups.
struct Members<'a> {
    catalog: &'a str,
    digests: HashSet<(Algorithm, &'a [u8])>,
    files: BTreeSet<String>,
}

/// Looks up each file in the catalog: the INF and the files that it copies, which have to be there,
/// and every other image.
pub(super) fn check_members(
    subject: &Subject<'_>,
    name: &str,
    signed: &SignedCatalog,
    report: &mut Report,
) {
    let catalog = &signed.catalog;
    let members = Members::new(name, catalog);
    let source_files = subject.inf.source_files(subject.arch());
    let wanted: BTreeSet<String> = source_files
        .into_iter()
        .chain([subject.inf_name.to_lowercase()])
        .collect();
    for file in &wanted {
        match subject.folder.get(file) {
            Some((_, bytes)) => check_member(file, bytes, &members, report),
            None => report.refused(format!(
                "{file} is missing, and {} copies it",
                subject.inf_name
            )),
        }
    }
    for (file, bytes) in subject
        .folder
        .all()
        .filter(|(name, _)| has_ending(name, &IMAGES))
    {
        if wanted.contains(&last_part(file).to_lowercase()) {
            continue;
        }
        match members.find(file, bytes) {
            Ok(Some(_)) => report.good(format!("{file} is in {name} and matches")),
            _ => report.note(format!(
                "{file} is not part of the driver: {} does not copy it",
                subject.inf_name
            )),
        }
    }
    let others: Vec<&str> = members
        .files
        .difference(&wanted)
        .map(String::as_str)
        .filter(|file| subject.folder.get(file).is_none())
        .collect();
    match others[..] {
        [] => {}
        [file] => report.note(format!("{name} lists {file}, which is not in the folder")),
        [file, ..] => report.note(format!(
            "{name} lists {} files that are not in the folder, as {file}",
            others.len()
        )),
    }
    check_attributes(subject, name, catalog, report);
    let is_known = |file: &str| {
        has_ending(file, &IMAGES)
            || has_ending(file, &["inf", "cat", "cer", "crt"])
            || wanted.contains(&last_part(file).to_lowercase())
    };
    let read = subject
        .folder
        .all()
        .map(|(file, _)| file)
        .filter(|file| !is_known(file));
    let others: Vec<&str> = read
        .chain(subject.folder.unread().iter().map(String::as_str))
        .collect();
    let more = match others.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if !others.is_empty() {
        let names = others[..others.len().min(MOST_NAMES)].join(", ");
        report.note(format!("not part of the driver: {names}{more}"));
    }
}

/// The name of a file without its folder.
fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl<'a> Members<'a> {
    fn new(name: &'a str, catalog: &'a Catalog) -> Self {
        let members = catalog.members.iter();
        let files = catalog
            .members
            .iter()
            .filter_map(|member| member.file.as_deref());
        Self {
            catalog: name,
            digests: members
                .map(|member| (member.algorithm, member.digest.as_slice()))
                .collect(),
            files: files.map(str::to_lowercase).collect(),
        }
    }

    /// The best algorithm by which a file is in the catalog.
    fn find(&self, file: &str, bytes: &[u8]) -> Result<Option<Algorithm>> {
        let image = has_ending(file, &IMAGES)
            .then(|| Image::read(bytes))
            .transpose()?;
        let digest = |algorithm: Algorithm| {
            let image = image.as_ref().map(|image| image.digest(algorithm));
            image.unwrap_or_else(|| algorithm.of(&[bytes]))
        };
        let mut algorithms = [Algorithm::Sha256, Algorithm::Sha1].into_iter();
        Ok(algorithms.find(|algorithm| {
            self.digests
                .contains(&(*algorithm, &digest(*algorithm)[..]))
        }))
    }
}

/// Checks that a file of the driver is in the catalog.
fn check_member(file: &str, bytes: &[u8], members: &Members<'_>, report: &mut Report) {
    let name = members.catalog;
    match members.find(file, bytes) {
        Err(error) => report.refused(format!("{file}: {error}")),
        Ok(Some(Algorithm::Sha1)) => {
            report.warning(format!(
                "{file} is in {name} by SHA-1 only, which Windows 11 may not take"
            ));
        }
        Ok(Some(_)) => report.good(format!("{file} is in {name} and matches")),
        Ok(None) if members.files.contains(file) => report.refused(format!(
            "{file} is not the file in {name}: it was changed after the catalog was made"
        )),
        Ok(None) => report.refused(format!("{file} is not in {name}")),
    }
}

/// Returns `true` if a value of `OS`, as `_v100_X64_RS5`, is for a processor. x86 is written without its name.
fn is_for(system: &str, arch: Arch) -> bool {
    let parts: Vec<String> = system.split('_').map(str::to_lowercase).collect();
    let has = |name: &str| parts.iter().any(|part| part == name);
    match arch {
        Arch::X86 => !has("x64") && !has("arm64") && !has("arm"),
        Arch::Amd64 | Arch::Arm64 => has(&arch.catalog_name().to_lowercase()),
    }
}

/// What the catalog says about processors and hardware ids.
fn check_attributes(subject: &Subject<'_>, name: &str, catalog: &Catalog, report: &mut Report) {
    if let (Some(arch), Some(systems)) = (subject.arch(), catalog.attribute("OS"))
        && !systems.split(',').any(|system| is_for(system, arch))
    {
        let arch = arch.catalog_name();
        report.refused(format!("{name} is for {systems} and the image for {arch}"));
    }
    let attributes = catalog
        .attributes
        .iter()
        .filter(|(name, _)| name.starts_with("HWID"));
    let listed: BTreeSet<String> = attributes.map(|(_, id)| id.to_lowercase()).collect();
    let ids = subject.inf.hardware_ids();
    for id in ids
        .iter()
        .filter(|id| !listed.is_empty() && !listed.contains(&id.to_lowercase()))
    {
        report.warning(format!("{name} does not list the hardware id {id}"));
    }
}

/// The images' checksums and own signatures.
pub(super) fn check_images(
    subject: &Subject<'_>,
    signer: Option<&Certificate>,
    report: &mut Report,
) {
    for (name, bytes) in subject.folder.with_ending("sys") {
        match Image::read(bytes) {
            Err(error) if signer.is_none() => report.refused(format!("{name}: {error}")),
            // The lookup in the catalog has said so.
            Err(_) => {}
            Ok(image) => check_image(name, &image, signer, subject, report),
        }
    }
}

fn check_image(
    name: &str,
    image: &Image<'_>,
    by: Option<&Certificate>,
    subject: &Subject<'_>,
    report: &mut Report,
) {
    let (stored, computed) = (image.checksum, image.computed_checksum());
    if stored != computed {
        report.refused(format!(
            "{name}: its checksum is {stored:#010x}, and should be {computed:#010x}"
        ));
    }
    let signature = match image.signature() {
        Err(error) => return report.refused(format!("{name}: {error}")),
        Ok(None) => {
            return report.warning(format!(
                "{name} has no signature of its own, which boot drivers and Memory Integrity need"
            ));
        }
        Ok(Some(signature)) => signature,
    };
    let (content, flaw) = match check_signature(image, signature) {
        Err(error) => return report.refused(format!("{name}: {error}")),
        Ok(found) => found,
    };
    if let Some(flaw) = flaw {
        return report.refused(format!("{name}: the signature does not hold: {flaw}"));
    }
    let Some(signer) = content.signer else { return };
    if by.is_some_and(|by| *by != signer) {
        let subject_name = signer.subject();
        report.warning(format!(
            "{name} is signed by another certificate than the catalog, of {subject_name}"
        ));
        for objection in signer.objections(content.stamped.unwrap_or(subject.now)) {
            report.refused(format!(
                "{name}: the certificate of {subject_name}: {objection}"
            ));
        }
    } else {
        report.good(format!("{name} is signed by {}", signer.subject()));
    }
}

/// The signature, and why it does not hold.
fn check_signature(image: &Image<'_>, signature: &[u8]) -> Result<(Signed, Option<String>)> {
    let signed = Signed::read("the signature", signature)?;
    if signed.kind != oid::INDIRECT_DATA {
        return Ok((signed, Some("it is no Authenticode signature".to_owned())));
    }
    let (_, algorithm, digest) = indirect::decode(&signed.content)?;
    let same = image.digest(algorithm) == digest;
    let changed = (!same).then(|| "the image was changed after it was signed".to_owned());
    let flaw = changed.or_else(|| signed.flaw.clone());
    Ok((signed, flaw))
}
