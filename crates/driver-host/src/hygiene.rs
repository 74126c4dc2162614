//! Requirements of Windows, and of its memory integrity in particular, on a driver image, point by point.
#![forbid(unsafe_code)]

use std::fmt;

use object::pe::{
    IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY,
    IMAGE_DLLCHARACTERISTICS_NX_COMPAT, IMAGE_FILE_EXECUTABLE_IMAGE,
    IMAGE_FILE_LARGE_ADDRESS_AWARE, IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_ARM64,
    IMAGE_SUBSYSTEM_NATIVE,
};

use crate::facts::Facts;
use crate::pe::{Access, Image, PAGE};

/// One point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// What is asked.
    pub name: &'static str,
    /// Whether the image has it.
    pub outcome: Outcome,
    /// What was found.
    pub reason: String,
}

/// How a point turned out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It can only hold after signing.
    Unsigned,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unsigned => "unsigned",
        })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} {}: {}", self.outcome, self.name, self.reason)
    }
}

/// The libraries that a software driver imports from.
const LIBRARIES: [&str; 5] = [
    "ntoskrnl.exe",
    "hal.dll",
    "netio.sys",
    "wdfldr.sys",
    // The recorder of tracing, which the WDK links to KMDF drivers.
    "wpprecorder.sys",
];

/// Checks every point.
#[must_use]
pub fn check(facts: &Facts) -> Vec<Point> {
    let image = &facts.image;
    vec![
        machine(facts),
        point(
            "subsystem is native",
            image.subsystem == IMAGE_SUBSYSTEM_NATIVE,
            || format!("subsystem {}", image.subsystem),
        ),
        flags(
            "is an executable for large addresses",
            image.characteristics,
            IMAGE_FILE_EXECUTABLE_IMAGE | IMAGE_FILE_LARGE_ADDRESS_AWARE,
        ),
        flags(
            "can be loaded anywhere",
            image.dll_characteristics,
            IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE,
        ),
        relocations(image),
        flags(
            "does without executable data",
            image.dll_characteristics,
            IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
        ),
        flags(
            "asks for integrity checks",
            image.dll_characteristics,
            IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY,
        ),
        alignment(image),
        writable_code(image),
        import_addresses(image),
        entry(image),
        checksum(facts),
        libraries(facts),
        signature(facts),
    ]
}

/// Returns `true` if no point fails. An image without a signature may pass.
#[must_use]
pub fn passes(points: &[Point]) -> bool {
    points.iter().all(|point| point.outcome != Outcome::Fail)
}

fn point(name: &'static str, holds: bool, reason: impl FnOnce() -> String) -> Point {
    let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
    Point {
        name,
        outcome,
        reason: reason(),
    }
}

fn machine(facts: &Facts) -> Point {
    let known = [IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_ARM64];
    point(
        "machine is x64 or ARM64",
        known.contains(&facts.image.machine),
        || format!("{} ({:#06x})", facts.machine(), facts.image.machine),
    )
}

fn flags(name: &'static str, found: u16, wanted: u16) -> Point {
    point(name, found & wanted == wanted, || {
        format!("flags {found:#06x}, wanted {wanted:#06x}")
    })
}

fn relocations(image: &Image) -> Point {
    point("has its relocations", image.relocatable, || {
        format!("{} addresses to move", image.relocations.len())
    })
}

fn alignment(image: &Image) -> Point {
    let holds = image.alignment != 0 && image.alignment.is_multiple_of(PAGE);
    point("sections are aligned to pages", holds, || {
        format!("alignment {:#x}", image.alignment)
    })
}

fn writable_code(image: &Image) -> Point {
    let found = image
        .sections
        .iter()
        .find(|section| section.access == Access::WriteExecute);
    point(
        "no section is writable and executable",
        found.is_none(),
        || match found {
            Some(section) => section.name.clone(),
            None => format!("{} sections", image.sections.len()),
        },
    )
}

/// The import address table must not be in executable memory.
fn import_addresses(image: &Image) -> Point {
    let sections = image
        .imports
        .iter()
        .filter_map(|import| image.section(import.slot, 8));
    let code = [Access::Execute, Access::WriteExecute];
    let mut names: Vec<_> = sections
        .clone()
        .map(|section| section.name.as_str())
        .collect();
    names.dedup();
    let holds = !sections
        .clone()
        .any(|section| code.contains(&section.access));
    point("import addresses are not in code", holds, || {
        if names.is_empty() {
            "no imports".to_owned()
        } else {
            format!("in {}", names.join(", "))
        }
    })
}

fn entry(image: &Image) -> Point {
    let section = image.section(image.entry, 1);
    let code = [Access::Execute, Access::WriteExecute];
    let holds = section.is_some_and(|section| code.contains(&section.access));
    point("entry point is in code", holds, || {
        let place = section.map_or("no section", |section| section.name.as_str());
        format!("{:#x} in {place}", image.entry)
    })
}

fn checksum(facts: &Facts) -> Point {
    let (stored, computed) = (facts.image.checksum, facts.checksum);
    point("checksum is right", stored == computed, || {
        if stored == computed {
            format!("{stored:#010x}")
        } else if stored == 0 {
            format!("it is not set; it would be {computed:#010x}: link with /RELEASE")
        } else {
            format!("it is {stored:#010x} and would be {computed:#010x}")
        }
    })
}

fn libraries(facts: &Facts) -> Point {
    let libraries = facts.imports_by_descriptor();
    let mut found: Vec<_> = libraries.map(|imports| &*imports[0].library).collect();
    found.sort_unstable();
    found.dedup();
    let known = |library: &&str| {
        LIBRARIES
            .iter()
            .any(|own| own.eq_ignore_ascii_case(library))
    };
    point(
        "imports from the kernel, NETIO and KMDF only",
        found.iter().all(known),
        || {
            if found.is_empty() {
                "no imports".to_owned()
            } else {
                found.join(", ")
            }
        },
    )
}

fn signature(facts: &Facts) -> Point {
    let (outcome, reason) = if facts.signed {
        (
            Outcome::Pass,
            "there is one; whether it is valid is not checked here",
        )
    } else {
        (
            Outcome::Unsigned,
            "there is none: a signed catalog, or a signature in the image, is needed",
        )
    };
    Point {
        name: "has a signature",
        outcome,
        reason: reason.to_owned(),
    }
}
