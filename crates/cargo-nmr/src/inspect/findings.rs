//! [`Findings`]: what is shown of an image, in plain values.

use std::collections::BTreeMap;

use driver_host::facts::Facts;
use driver_host::hygiene::{self, Outcome, Point};
use driver_host::pe;
use driver_host::printable;
use serde::Serialize;

use super::flags;

/// Everything that is shown of an image.
#[derive(Serialize)]
pub(super) struct Findings {
    pub(super) file: String,
    pub(super) size: usize,
    pub(super) machine: &'static str,
    pub(super) subsystem: String,
    pub(super) image_base: u64,
    pub(super) image_size: u32,
    pub(super) section_alignment: u32,
    pub(super) entry: u32,
    pub(super) characteristics: Vec<String>,
    pub(super) dll_characteristics: Vec<String>,
    pub(super) relocations: usize,
    pub(super) checksum: Checksum,
    pub(super) signed: bool,
    pub(super) sections: Vec<Section>,
    /// The functions by library.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    pub(super) points: Vec<Checked>,
    /// Whether no point fails.
    pub(super) passes: bool,
}

/// The checksum as it is and as it should be.
#[derive(Serialize)]
pub(super) struct Checksum {
    pub(super) stored: u32,
    pub(super) computed: u32,
}

/// A section in memory.
#[derive(Serialize)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) offset: u32,
    pub(super) size: u32,
    pub(super) access: &'static str,
    pub(super) discardable: bool,
}

/// A point that Windows asks for.
#[derive(Serialize)]
pub(super) struct Checked {
    pub(super) name: &'static str,
    pub(super) outcome: &'static str,
    pub(super) reason: String,
}

impl Findings {
    /// Looks at an image.
    pub(super) fn new(file: &str, facts: &Facts) -> Self {
        let (image, points) = (&facts.image, hygiene::check(facts));
        Self {
            file: printable(file),
            size: image.file_size,
            machine: facts.machine(),
            subsystem: flags::subsystem(image.subsystem),
            image_base: image.base,
            image_size: image.size,
            section_alignment: image.alignment,
            entry: image.entry,
            characteristics: flags::names(image.characteristics, flags::FILE),
            dll_characteristics: flags::names(image.dll_characteristics, flags::DLL),
            relocations: image.relocations.len(),
            checksum: Checksum {
                stored: image.checksum,
                computed: facts.checksum,
            },
            signed: facts.signed,
            sections: facts.sections().iter().map(section).collect(),
            imports: facts.imports().into_iter().map(library).collect(),
            passes: hygiene::passes(&points),
            points: points.iter().map(checked).collect(),
        }
    }

    /// The points that fail, each with its reason.
    pub(super) fn failed(&self) -> Vec<String> {
        let failed = self.points.iter().filter(|point| point.outcome == "fail");
        failed
            .map(|point| format!("{} fails: {}", point.name, point.reason))
            .collect()
    }
}

fn section(section: &pe::Section) -> Section {
    Section {
        name: printable(&section.name),
        offset: section.offset,
        size: section.size,
        access: match section.access {
            pe::Access::Read => "read",
            pe::Access::Write => "read, write",
            pe::Access::Execute => "read, execute",
            pe::Access::WriteExecute => "read, write, execute",
        },
        discardable: section.discardable,
    }
}

fn library((library, names): (&str, Vec<String>)) -> (String, Vec<String>) {
    let names = names.iter().map(|name| printable(name));
    (printable(library), names.collect())
}

fn checked(point: &Point) -> Checked {
    Checked {
        name: point.name,
        outcome: match point.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Unsigned => "unsigned",
        },
        reason: printable(&point.reason),
    }
}
