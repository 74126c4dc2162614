//! The load configuration: what the loader has to set before code that is compiled with `/GS` or `/guard:cf` runs.

use object::pe;
use object::read::pe::PeFile64;

use super::{Image, Malformed, directory};

/// Where the fields are, in bytes from the start.
const COOKIE: usize = 88;
const CHECK: usize = 112;
const DISPATCH: usize = 120;
const TABLE: usize = 128;
const COUNT: usize = 136;
const FLAGS: usize = 144;

/// Flags: the code checks its calls, and there is a table of what may be called.
const INSTRUMENTED: u32 = 0x100;
const TABLE_PRESENT: u32 = 0x400;
/// In the byte behind an entry of the table: it must not be called.
const SUPPRESSED: u8 = 1;

/// What `/guard:cf` needs: variables for the addresses of two functions, and what may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Where the address of the function that checks a target is, if there is such a variable.
    pub check: Option<u32>,
    /// Where the address of the function that checks a target and jumps to it is.
    pub dispatch: Option<u32>,
    /// The functions that may be called by their addresses, in ascending order.
    pub targets: Vec<u32>,
}

/// What the load configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadConfig {
    /// Where the security cookie of `/GS` is.
    pub cookie: Option<u32>,
    /// What `/guard:cf` needs, if the image has it.
    pub guard: Option<Guard>,
}

/// A configuration as it is in the file.
struct Fields<'a> {
    file: &'a PeFile64<'a>,
    image: &'a Image,
    bytes: &'a [u8],
}

/// Reads the configuration. What a short one does not have is absent.
pub(super) fn read(file: &PeFile64<'_>, image: &Image) -> Result<LoadConfig, Malformed> {
    let Some((address, _)) = directory(file, pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG) else {
        return Ok(LoadConfig::default());
    };
    let data = at(file, address)?;
    let length = data
        .first_chunk()
        .map_or(0, |&size| u32::from_le_bytes(size));
    let bytes = data.get(..length as usize).ok_or_else(outside)?;
    let fields = Fields { file, image, bytes };
    Ok(LoadConfig {
        cookie: fields.variable(COOKIE)?,
        guard: fields.guard()?,
    })
}

fn outside() -> Malformed {
    Malformed::Directory("load configuration")
}

fn at<'a>(file: &PeFile64<'a>, address: u32) -> Result<&'a [u8], Malformed> {
    let data = file.section_table().pe_data_at(file.data(), address);
    data.ok_or_else(outside)
}

impl Fields<'_> {
    /// A field, or 0 if the configuration is too short for it.
    fn number(&self, field: usize) -> u64 {
        let bytes = self.bytes.get(field..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |&bytes| u64::from_le_bytes(bytes))
    }

    fn flags(&self) -> u32 {
        let bytes = self.bytes.get(FLAGS..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |&bytes| u32::from_le_bytes(bytes))
    }

    /// The offset in memory of the address in a field, if it is not 0.
    fn offset(&self, field: usize) -> Result<Option<u32>, Malformed> {
        let address = self.number(field);
        if address == 0 {
            return Ok(None);
        }
        let offset = address.checked_sub(self.image.base);
        let offset = offset.and_then(|offset| u32::try_from(offset).ok());
        offset.map(Some).ok_or_else(outside)
    }

    /// Where the variable of eight bytes is whose address a field has.
    fn variable(&self, field: usize) -> Result<Option<u32>, Malformed> {
        let Some(offset) = self.offset(field)? else {
            return Ok(None);
        };
        if offset % 8 != 0 || self.image.section(offset, 8).is_none() {
            return Err(outside());
        }
        Ok(Some(offset))
    }

    fn guard(&self) -> Result<Option<Guard>, Malformed> {
        let flags = self.flags();
        if flags & INSTRUMENTED == 0 || flags & TABLE_PRESENT == 0 {
            return Ok(None);
        }
        Ok(Some(Guard {
            check: self.variable(CHECK)?,
            dispatch: self.variable(DISPATCH)?,
            targets: self.targets(flags)?,
        }))
    }

    /// The table: offsets, each with as many further bytes as the flags say.
    fn targets(&self, flags: u32) -> Result<Vec<u32>, Malformed> {
        let Some(table) = self.offset(TABLE)? else {
            return Ok(Vec::new());
        };
        let stride = 4 + (flags >> 28) as usize;
        let size = usize::try_from(self.number(COUNT)).ok();
        let size = size.and_then(|count| count.checked_mul(stride));
        let bytes = at(self.file, table)?;
        let bytes = size
            .and_then(|size| bytes.get(..size))
            .ok_or_else(outside)?;
        let entries = bytes.chunks_exact(stride);
        let callable =
            entries.filter(|entry| entry.get(4).is_none_or(|byte| byte & SUPPRESSED == 0));
        let mut targets: Vec<u32> = callable
            .filter_map(|entry| Some(u32::from_le_bytes(*entry.first_chunk()?)))
            .collect();
        targets.sort_unstable();
        Ok(targets)
    }
}
