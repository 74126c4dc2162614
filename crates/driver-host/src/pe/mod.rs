//! The headers and tables of a PE32+ image, read and checked. Pure: no memory is mapped here, and no
//! bytes lead to a panic.
#![forbid(unsafe_code)]

mod checksum;
mod error;
mod import;
mod load_config;
mod relocation;
mod section;

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::PeFile64;

pub use checksum::checksum;
pub use error::Malformed;
pub use import::{Import, LONGEST_NAME, Name};
pub use load_config::{Guard, LoadConfig};
pub use section::{Access, Section};

/// The size of a page, and the least alignment of a section in memory.
pub const PAGE: u32 = 0x1000;
/// Larger images are refused: a driver is measured in megabytes.
pub const MAX_SIZE: u32 = 0x1000_0000;

/// A PE32+ image.
#[derive(Clone, Debug)]
pub struct Image {
    /// The processor: [`object::pe::IMAGE_FILE_MACHINE_AMD64`] or another.
    pub machine: u16,
    /// `IMAGE_FILE_*`.
    pub characteristics: u16,
    /// `IMAGE_DLLCHARACTERISTICS_*`.
    pub dll_characteristics: u16,
    /// 1 is a driver.
    pub subsystem: u16,
    /// When it was linked, or a hash of its content.
    pub timestamp: u32,
    /// Where it would like to be.
    pub base: u64,
    /// How much memory it takes.
    pub size: u32,
    /// How much of the file are headers.
    pub headers: u32,
    /// What the sections are aligned to in memory.
    pub alignment: u32,
    /// The entry point, as an offset in memory.
    pub entry: u32,
    /// The checksum in the header.
    pub checksum: u32,
    /// The sections in the order of their addresses.
    pub sections: Vec<Section>,
    /// Every slot that the loader has to fill.
    pub imports: Vec<Import>,
    /// The offset and the size of the import address table, if the header has them.
    pub import_addresses: Option<(u32, u32)>,
    /// Where 64-bit addresses have to be moved.
    pub relocations: Vec<u32>,
    /// Whether it can be moved at all.
    pub relocatable: bool,
    /// What the loader has to set for `/GS` and `/guard:cf`.
    pub load_config: LoadConfig,
    /// The offset and the size of the table of functions, for exceptions, if there is one.
    pub functions: Option<(u32, u32)>,
    /// The file offset and the size of the certificates, if there are any.
    pub certificates: Option<(u32, u32)>,
    /// How long the file is.
    pub file_size: usize,
}

impl Image {
    /// Reads an image.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let file = PeFile64::parse(bytes).map_err(|error| Malformed::Headers(error.to_string()))?;
        let header = file.nt_headers();
        let (machine, optional) = (&header.file_header, &header.optional_header);
        let size = optional.size_of_image.get(LE);
        if size == 0 || size > MAX_SIZE {
            return Err(Malformed::Size(size));
        }
        let sections = section::read(&file, size)?;
        let relocatable = machine.characteristics.get(LE) & pe::IMAGE_FILE_RELOCS_STRIPPED == 0;
        let mut image = Self {
            machine: machine.machine.get(LE),
            characteristics: machine.characteristics.get(LE),
            dll_characteristics: optional.dll_characteristics.get(LE),
            subsystem: optional.subsystem.get(LE),
            timestamp: machine.time_date_stamp.get(LE),
            base: optional.image_base.get(LE),
            size,
            headers: optional.size_of_headers.get(LE),
            alignment: optional.section_alignment.get(LE),
            entry: optional.address_of_entry_point.get(LE),
            checksum: optional.check_sum.get(LE),
            sections,
            imports: Vec::new(),
            import_addresses: directory(&file, pe::IMAGE_DIRECTORY_ENTRY_IAT),
            relocations: Vec::new(),
            relocatable,
            load_config: LoadConfig::default(),
            functions: directory(&file, pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION),
            certificates: directory(&file, pe::IMAGE_DIRECTORY_ENTRY_SECURITY),
            file_size: bytes.len(),
        };
        image.check_headers()?;
        image.imports = import::read(&file, &image)?;
        image.relocations = relocation::read(&file, &image)?;
        image.load_config = load_config::read(&file, &image)?;
        Ok(image)
    }

    /// Returns `true` if this host can run it, as far as the headers show.
    pub fn check_loadable(&self) -> Result<(), Malformed> {
        if self.machine != pe::IMAGE_FILE_MACHINE_AMD64 {
            return Err(Malformed::Machine(self.machine));
        }
        if self.subsystem != pe::IMAGE_SUBSYSTEM_NATIVE {
            return Err(Malformed::Subsystem(self.subsystem));
        }
        if !self.relocatable {
            return Err(Malformed::NotRelocatable);
        }
        let aligned = |offset: u32| offset.is_multiple_of(PAGE);
        let sections = || self.sections.iter();
        if !aligned(self.alignment) || !sections().all(|section| aligned(section.offset)) {
            return Err(Malformed::Alignment(self.alignment));
        }
        let both = self
            .sections
            .iter()
            .find(|section| section.access == Access::WriteExecute && !section.is_init());
        if let Some(section) = both {
            return Err(Malformed::WritableCode(section.name.clone()));
        }
        let starts_code = |section: &Section| {
            let code = [Access::Execute, Access::WriteExecute];
            code.contains(&section.access) && section.contains(self.entry, 1)
        };
        if !self.sections.iter().any(starts_code) {
            return Err(Malformed::Entry(self.entry));
        }
        Ok(())
    }

    /// The section that holds a range, if one does.
    #[must_use]
    pub fn section(&self, offset: u32, size: u32) -> Option<&Section> {
        // They are in the order of their addresses, and do not overlap.
        let behind = self
            .sections
            .partition_point(|section| section.offset <= offset);
        let section = self.sections[..behind].last()?;
        section.contains(offset, size).then_some(section)
    }

    fn check_headers(&self) -> Result<(), Malformed> {
        if self.headers > self.size || self.headers as usize > self.file_size {
            return Err(Malformed::Directory("headers"));
        }
        Ok(())
    }
}

/// The address and the size of a data directory that is not empty.
fn directory(file: &PeFile64<'_>, entry: usize) -> Option<(u32, u32)> {
    let (address, size) = file.data_directory(entry)?.address_range();
    (address != 0 && size != 0).then_some((address, size))
}
