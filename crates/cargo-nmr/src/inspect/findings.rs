//! [`Findings`]: what is shown of an image, in plain values.

use std::collections::BTreeMap;

use driver_host::facts::Facts;
use driver_host::framework::FrameworkUse;
use driver_host::functions;
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
    /// What it asks of KMDF, if it binds to it.
    pub(super) framework: Option<Framework>,
    /// The imports and the functions of KMDF that the loader does not have.
    pub(super) lacking: Vec<String>,
    pub(super) points: Vec<Checked>,
    /// Whether no point fails.
    pub(super) passes: bool,
}

/// What an image asks of KMDF.
#[derive(Serialize)]
pub(super) struct Framework {
    pub(super) version: String,
    /// The first Windows on which the driver loads, if that is known.
    pub(super) windows: Option<&'static str>,
    /// How many functions it expects.
    pub(super) count: u32,
    /// The functions that its code calls, if the code can be read.
    pub(super) called: Option<Vec<String>>,
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
    pub(super) fn new(file: &str, facts: &Facts, bytes: &[u8]) -> Self {
        let (image, points) = (&facts.image, hygiene::check(facts));
        let framework = FrameworkUse::find(image, bytes);
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
            lacking: lacking(facts, framework.as_ref()),
            framework: framework.map(Framework::from),
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

impl From<FrameworkUse> for Framework {
    fn from(found: FrameworkUse) -> Self {
        let (major, minor) = found.version;
        Self {
            version: format!("{major}.{minor}"),
            windows: found.windows(),
            count: found.count,
            called: found.called,
        }
    }
}

/// What an image may call and the loader does not have, as `library!function`.
fn lacking(facts: &Facts, framework: Option<&FrameworkUse>) -> Vec<String> {
    let mut lacking = Vec::new();
    for (library, names) in facts.imports() {
        let missing = |name: &&String| !functions::is_implemented(library, name);
        let names = names.iter().filter(missing);
        lacking.extend(names.map(|name| printable(&format!("{library}!{name}"))));
    }
    let called = framework.and_then(|framework| framework.called.as_ref());
    let missing = |name: &&String| !functions::is_framework_implemented(name);
    let called = called.into_iter().flatten().filter(missing);
    lacking.extend(called.map(|name| format!("KMDF!{name}")));
    lacking
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
