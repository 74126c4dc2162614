//! Verifying a package: whether Windows with test signing would install it, as far as its files show.

mod certificate;
mod files;
mod report;

use der::DateTime;

pub use report::{Line, Outcome, Report};

use crate::catalog::SignedCatalog;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::image::{Arch, Image};
use crate::inf::Inf;
use crate::inf::check::{Expected, Severity, check};

/// What the checks share.
struct Subject<'a> {
    folder: &'a Folder,
    inf_name: &'a str,
    inf: Inf,
    now: DateTime,
}

/// Verifies a package at a time. Fails if the folder has not exactly one INF.
pub fn verify(folder: &Folder, now: DateTime) -> Result<Report> {
    let mut infs = folder
        .with_ending("inf")
        .filter(|(name, _)| !name.contains('/'));
    let (inf_name, bytes) = infs
        .next()
        .ok_or_else(|| Error::new("no driver package: the folder has no .inf file"))?;
    if let Some((other, _)) = infs.next() {
        return Err(Error::new(format!(
            "the folder has more than one .inf file, {inf_name} and {other}: move each package to a folder of its own"
        )));
    }
    let inf = Inf::read(bytes).map_err(|error| Error::new(format!("{inf_name}: {error}")))?;
    let subject = Subject {
        folder,
        inf_name,
        inf,
        now,
    };
    let mut report = Report::new(inf_name);
    subject.check_inf(&mut report);
    let catalog = subject.check_catalog(&mut report);
    if let Some((name, catalog)) = &catalog {
        files::check_members(&subject, name, catalog, &mut report);
    }
    let signer = catalog
        .as_ref()
        .and_then(|(_, catalog)| catalog.signer.as_ref());
    files::check_images(&subject, signer, &mut report);
    let stamped = catalog.as_ref().and_then(|(_, catalog)| catalog.stamped);
    certificate::check(&subject, signer, stamped, &mut report);
    Ok(report)
}

impl<'a> Subject<'a> {
    /// The processor of the first image.
    fn arch(&self) -> Option<Arch> {
        let mut images = self.folder.with_ending("sys");
        images
            .find_map(|(_, bytes)| Image::read(bytes).ok())
            .map(|image| image.arch)
    }

    /// The rules for INF files, with what the image says.
    fn check_inf(&self, report: &mut Report) {
        let expected = Expected {
            packaged: true,
            arch: self.arch(),
            today: Some((self.now.year(), self.now.month(), self.now.day())),
            ..Expected::default()
        };
        let findings = check(self.inf_name, &self.inf, &expected);
        let is_good = findings
            .iter()
            .all(|finding| finding.severity != Severity::Error);
        for finding in findings {
            let outcome = match finding.severity {
                Severity::Error => Outcome::Refused,
                Severity::Warning => Outcome::Warning,
                Severity::Note => Outcome::Note,
            };
            report.add(outcome, format!("{}: {}", self.inf_name, finding.text()));
        }
        if is_good {
            report.good(format!("{} follows the rules for INF files", self.inf_name));
        }
    }

    /// The catalog that the INF names, and whether its signature holds.
    fn check_catalog(&self, report: &mut Report) -> Option<(&'a str, SignedCatalog)> {
        let lines = self.inf.lines("Version");
        let is_catalog = |key: &str| key.to_lowercase().starts_with("catalogfile");
        let named = lines.filter(|line| line.key.as_deref().is_some_and(is_catalog));
        let named: Vec<String> = named.map(|line| self.inf.expand(line.value(0))).collect();
        let Some(first) = named.first() else {
            report.refused(format!(
                "{} names no catalog: the package is unsigned",
                self.inf_name
            ));
            return None;
        };
        // There may be one for each processor.
        let Some((name, bytes)) = named.iter().find_map(|name| self.folder.get(name)) else {
            report.refused(format!("{first} is missing: the package is unsigned"));
            return None;
        };
        match SignedCatalog::read(bytes) {
            Err(error) => {
                report.refused(format!("{name}: {error}"));
                None
            }
            Ok(catalog) => {
                match (&catalog.flaw, &catalog.signer) {
                    (Some(flaw), _) => {
                        report.refused(format!("{name}: the signature does not hold: {flaw}"));
                    }
                    (None, Some(signer)) => {
                        report.good(format!("{name} is signed by {}", signer.subject()));
                    }
                    (None, None) => {}
                }
                Some((name, catalog))
            }
        }
    }
}
