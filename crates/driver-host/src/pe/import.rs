//! Imports: which names of which libraries go where.

use std::fmt;
use std::sync::Arc;

use object::LittleEndian as LE;
use object::pe::{ImageImportDescriptor, ImageNtHeaders64};
use object::read::pe::{Import as Entry, ImportTable, PeFile64};

use super::{Image, Malformed};

/// How a function is named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Name {
    /// By its name, of at most [`LONGEST_NAME`] bytes in the file.
    Name(Arc<str>),
    /// By its number.
    Ordinal(u16),
}

impl Name {
    /// The name, or the number behind a `#`.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        match self {
            Self::Name(name) => Arc::clone(name),
            Self::Ordinal(_) => self.to_string().into(),
        }
    }
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
    /// The library, as the image spells it. The imports of one descriptor share it.
    pub library: Arc<str>,
    /// The function.
    pub name: Name,
    /// Where its address goes, as an offset in memory.
    pub slot: u32,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}!{}", self.library, self.name)
    }
}

/// The longest name of a function or a library that is read, in bytes. Linkers allow 4 kB.
pub const LONGEST_NAME: usize = 0x1000;
/// More descriptors and imports than any driver has.
const MOST_ENTRIES: usize = 0x1_0000;
/// The size of the smallest entry, which is a thunk.
const ENTRY: usize = 8;
/// How often a file may use each of its bytes as a part of a name: linkers may store equal names once.
const SHARED: usize = 4;

/// Reads the import table.
pub(super) fn read(file: &PeFile64<'_>, image: &Image) -> Result<Vec<Import>, Malformed> {
    let Some(table) = file.import_table().map_err(malformed)? else {
        return Ok(Vec::new());
    };
    let mut reader = Reader {
        table,
        image,
        room: Room::of(image.file_size),
        imports: Vec::new(),
    };
    let mut descriptors = reader.table.descriptors().map_err(malformed)?;
    while let Some(descriptor) = descriptors.next().map_err(malformed)? {
        reader.read_library(descriptor)?;
    }
    Ok(reader.imports)
}

/// The import table in the reading.
struct Reader<'a> {
    table: ImportTable<'a>,
    image: &'a Image,
    room: Room,
    imports: Vec<Import>,
}

impl Reader<'_> {
    fn read_library(&mut self, descriptor: &ImageImportDescriptor) -> Result<(), Malformed> {
        self.room.take_entry()?;
        let library = self.table.name(descriptor.name.get(LE));
        let library = self.text(library.map_err(malformed)?)?;
        let mut slot = descriptor.first_thunk.get(LE);
        let names = match descriptor.original_first_thunk.get(LE) {
            0 => slot,
            names => names,
        };
        let mut thunks = self.table.thunks(names).map_err(malformed)?;
        while let Some(thunk) = thunks.next::<ImageNtHeaders64>().map_err(malformed)? {
            self.room.take_entry()?;
            let entry = self.table.import::<ImageNtHeaders64>(thunk);
            let name = match entry.map_err(malformed)? {
                Entry::Ordinal(ordinal) => Name::Ordinal(ordinal),
                Entry::Name(_, name) => Name::Name(self.text(name)?),
            };
            if self.image.section(slot, 8).is_none() || !slot.is_multiple_of(8) {
                return Err(Malformed::ImportSlot(slot));
            }
            self.imports.push(Import {
                library: Arc::clone(&library),
                name,
                slot,
            });
            // The slot is in a section, and a section ends below the limit of an image.
            slot += 8;
        }
        Ok(())
    }

    fn text(&mut self, name: &[u8]) -> Result<Arc<str>, Malformed> {
        self.room.take_name(name.len())?;
        Ok(String::from_utf8_lossy(name).into())
    }
}

/// What an import table may still hold. Descriptors may share their thunks, and thunks their names;
/// limits that grow with the file keep a small file from growing into much memory and long work.
struct Room {
    entries: usize,
    text: usize,
}

impl Room {
    fn of(file_size: usize) -> Self {
        Self {
            entries: MOST_ENTRIES.min(file_size / ENTRY),
            text: file_size.saturating_mul(SHARED),
        }
    }

    fn take_entry(&mut self) -> Result<(), Malformed> {
        let left = self.entries.checked_sub(1);
        self.entries =
            left.ok_or_else(|| refused("it has more entries than the file has room for"))?;
        Ok(())
    }

    fn take_name(&mut self, length: usize) -> Result<(), Malformed> {
        if length > LONGEST_NAME {
            return Err(Malformed::Imports(format!(
                "a name has {length} bytes, more than {LONGEST_NAME}"
            )));
        }
        let left = self.text.checked_sub(length);
        self.text = left.ok_or_else(|| refused("its names are longer than the file"))?;
        Ok(())
    }
}

fn refused(why: &str) -> Malformed {
    Malformed::Imports(why.to_owned())
}

fn malformed(error: object::Error) -> Malformed {
    Malformed::Imports(error.to_string())
}
