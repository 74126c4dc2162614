//! Base relocations: where the image holds addresses of itself.

use object::pe;
use object::read::pe::PeFile64;

use super::{Image, Malformed, Section};

/// Reads the relocation blocks. Only 64-bit addresses occur in a PE32+ image for x64 or ARM64.
pub(super) fn read(file: &PeFile64<'_>, image: &Image) -> Result<Vec<u32>, Malformed> {
    let outside = |_| Malformed::Directory("relocations");
    let sections = file.section_table();
    let blocks = file
        .data_directories()
        .relocation_blocks(file.data(), &sections);
    let Some(mut blocks) = blocks.map_err(outside)? else {
        return Ok(Vec::new());
    };
    // As many addresses as fit into the image.
    let most = image.size as usize / size_of::<u64>();
    let mut relocations = Vec::new();
    // Where the last one was, because the next one is there as well.
    let mut section = None;
    while let Some(block) = blocks.next().map_err(outside)? {
        for relocation in block {
            match relocation.typ {
                pe::IMAGE_REL_BASED_ABSOLUTE => {}
                pe::IMAGE_REL_BASED_DIR64 => {
                    let offset = relocation.virtual_address;
                    if !section.is_some_and(|last: &Section| last.contains(offset, 8)) {
                        section = image.section(offset, 8);
                    }
                    section.ok_or(Malformed::Relocation(offset))?;
                    if relocations.len() == most {
                        return Err(Malformed::TooManyRelocations);
                    }
                    relocations.push(offset);
                }
                other => return Err(Malformed::RelocationType(other)),
            }
        }
    }
    Ok(relocations)
}
