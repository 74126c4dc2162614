//! Why an image is refused.

use std::fmt;

/// What is wrong with an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// The headers do not parse.
    Headers(String),
    /// The size in memory is zero or absurd.
    Size(u32),
    /// A part lies outside of the file or of the image.
    Directory(&'static str),
    /// A section lies outside of the file or of the image, or overlaps another.
    Section(String),
    /// The imports do not parse.
    Imports(String),
    /// An import would be written to a place that no section has.
    ImportSlot(u32),
    /// A relocation is of an unknown type.
    RelocationType(u16),
    /// A relocation is outside of every section.
    Relocation(u32),
    /// There are more relocations than addresses in the image.
    TooManyRelocations,
    /// It is for another processor.
    Machine(u16),
    /// It is no driver.
    Subsystem(u16),
    /// It was linked for one address only.
    NotRelocatable,
    /// Its sections are not aligned to pages.
    Alignment(u32),
    /// A section is writable and executable.
    WritableCode(String),
    /// The entry point is in no executable section.
    Entry(u32),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Headers(why) => write!(f, "this is no PE32+ image: {why}"),
            Self::Size(size) => write!(f, "SizeOfImage is {size:#x}"),
            Self::Directory(what) => {
                write!(f, "the {what} lie outside of the file: is it truncated?")
            }
            Self::Section(name) => write!(
                f,
                "the section {name} overlaps another or lies outside of the file: is it truncated?"
            ),
            Self::Imports(why) => write!(f, "the import table is malformed: {why}"),
            Self::ImportSlot(offset) => write!(f, "an import slot at {offset:#x} is in no section"),
            Self::RelocationType(kind) => write!(f, "a relocation has the unknown type {kind}"),
            Self::Relocation(offset) => write!(f, "a relocation at {offset:#x} is in no section"),
            Self::TooManyRelocations => f.write_str("it has more relocations than addresses"),
            Self::Machine(machine) => {
                write!(
                    f,
                    "it is for the machine {machine:#06x}, not for x64 (0x8664)"
                )
            }
            Self::Subsystem(subsystem) => {
                write!(
                    f,
                    "its subsystem is {subsystem}, not native (1): it is no driver"
                )
            }
            Self::NotRelocatable => f.write_str("its relocations are stripped"),
            Self::Alignment(alignment) => {
                write!(
                    f,
                    "its sections are not aligned to pages: SectionAlignment is {alignment:#x}"
                )
            }
            Self::WritableCode(name) => write!(f, "the section {name} is writable and executable"),
            Self::Entry(offset) => write!(f, "the entry point {offset:#x} is not executable"),
        }
    }
}

impl std::error::Error for Malformed {}
