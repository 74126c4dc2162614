//! Imports: which names of which libraries go where.

use std::fmt;

use object::LittleEndian as LE;
use object::pe::ImageNtHeaders64;
use object::read::pe::{Import as Entry, ImportTable, PeFile64};

use super::{Image, Malformed};

/// How a function is named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Name {
    /// By its name.
    Name(String),
    /// By its number.
    Ordinal(u16),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ordinal(ordinal) => write!(f, "#{ordinal}"),
        }
    }
}

/// One slot of the import address table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The library, as the image spells it.
    pub library: String,
    /// The function.
    pub name: Name,
    /// Where its address goes, as an offset in memory.
    pub slot: u32,
}

/// More imports than any driver has.
const MAX: usize = 0x1_0000;

/// Reads the import table.
pub(super) fn read(file: &PeFile64<'_>, image: &Image) -> Result<Vec<Import>, Malformed> {
    let Some(table) = file.import_table().map_err(malformed)? else {
        return Ok(Vec::new());
    };
    let mut imports = Vec::new();
    let mut descriptors = table.descriptors().map_err(malformed)?;
    while let Some(descriptor) = descriptors.next().map_err(malformed)? {
        let library = text(table.name(descriptor.name.get(LE)).map_err(malformed)?);
        let (names, slots) = (
            descriptor.original_first_thunk.get(LE),
            descriptor.first_thunk.get(LE),
        );
        let names = if names == 0 { slots } else { names };
        read_library(&table, &library, names, slots, image, &mut imports)?;
    }
    Ok(imports)
}

fn read_library(
    table: &ImportTable<'_>,
    library: &str,
    names: u32,
    slots: u32,
    image: &Image,
    imports: &mut Vec<Import>,
) -> Result<(), Malformed> {
    let mut thunks = table.thunks(names).map_err(malformed)?;
    let mut slot = slots;
    while let Some(thunk) = thunks.next::<ImageNtHeaders64>().map_err(malformed)? {
        let name = match table.import::<ImageNtHeaders64>(thunk).map_err(malformed)? {
            Entry::Ordinal(ordinal) => Name::Ordinal(ordinal),
            Entry::Name(_, name) => Name::Name(text(name)),
        };
        if image.section(slot, 8).is_none() || !slot.is_multiple_of(8) {
            return Err(Malformed::ImportSlot(slot));
        }
        if imports.len() == MAX {
            return Err(Malformed::Imports("there is no end to it".to_owned()));
        }
        imports.push(Import {
            library: library.to_owned(),
            name,
            slot,
        });
        // The slot is in a section, and a section ends below the limit of an image.
        slot += 8;
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn malformed(error: object::Error) -> Malformed {
    Malformed::Imports(error.to_string())
}
