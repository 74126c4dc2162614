//! Sections: what is copied where, and what may be done there.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::PeFile64;

use super::{Malformed, PAGE};

/// What may be done with the memory of a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Read.
    Read,
    /// Read and write.
    Write,
    /// Read and execute.
    Execute,
    /// All three, which is refused but for [`is_init`](Section::is_init).
    WriteExecute,
}

/// One section of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its offset in memory.
    pub offset: u32,
    /// Its size in memory.
    pub size: u32,
    /// Where its bytes are in the file.
    pub file_offset: u32,
    /// How many of them there are. The rest of the memory is zero.
    pub file_size: u32,
    /// What may be done with it.
    pub access: Access,
    /// Whether Windows drops it after `DriverEntry`.
    pub discardable: bool,
}

impl Section {
    /// Returns `true` if it is code that Windows drops after `DriverEntry`. Linkers made it writable for a long time.
    #[must_use]
    pub fn is_init(&self) -> bool {
        self.discardable || self.name == "INIT"
    }

    /// Returns `true` if a range of memory lies in the section.
    #[must_use]
    pub fn contains(&self, offset: u32, size: u32) -> bool {
        let end = u64::from(offset) + u64::from(size);
        offset >= self.offset && end <= u64::from(self.offset) + u64::from(self.size)
    }

    /// Where the section ends in memory, pages being what is protected.
    #[must_use]
    pub fn end(&self) -> u64 {
        (u64::from(self.offset) + u64::from(self.size)).next_multiple_of(u64::from(PAGE))
    }
}

/// Reads the section table of an image of a size.
pub(super) fn read(file: &PeFile64<'_>, image_size: u32) -> Result<Vec<Section>, Malformed> {
    let mut sections = Vec::new();
    for header in file.section_table().iter() {
        let section = section(header);
        let (start, size) = (section.file_offset, header.size_of_raw_data.get(LE));
        if u64::from(start) + u64::from(size) > file.data().len() as u64 {
            return Err(Malformed::Section(section.name));
        }
        sections.push(section);
    }
    sections.sort_by_key(|section| section.offset);
    check_layout(&sections, u64::from(image_size))?;
    Ok(sections)
}

/// Checks that sections lie one behind the other in an image of a size.
fn check_layout(sections: &[Section], size: u64) -> Result<(), Malformed> {
    let mut end = 0;
    for section in sections {
        let fits = section.end() <= size.next_multiple_of(u64::from(PAGE));
        if u64::from(section.offset) < end || !fits {
            return Err(Malformed::Section(section.name.clone()));
        }
        end = section.end();
    }
    Ok(())
}

fn section(header: &pe::ImageSectionHeader) -> Section {
    let flags = header.characteristics.get(LE);
    let (write, execute) = (
        flags & pe::IMAGE_SCN_MEM_WRITE != 0,
        flags & pe::IMAGE_SCN_MEM_EXECUTE != 0,
    );
    let (virtual_size, raw_size) = (header.virtual_size.get(LE), header.size_of_raw_data.get(LE));
    let size = if virtual_size == 0 {
        raw_size
    } else {
        virtual_size
    };
    Section {
        name: String::from_utf8_lossy(header.raw_name()).into_owned(),
        offset: header.virtual_address.get(LE),
        size,
        file_offset: header.pointer_to_raw_data.get(LE),
        file_size: raw_size.min(size),
        access: match (write, execute) {
            (false, false) => Access::Read,
            (true, false) => Access::Write,
            (false, true) => Access::Execute,
            (true, true) => Access::WriteExecute,
        },
        discardable: flags & pe::IMAGE_SCN_MEM_DISCARDABLE != 0,
    }
}
