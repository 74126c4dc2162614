//! Base relocations: where the image holds addresses of itself.

use object::pe;
use object::read::pe::PeFile64;

use super::{Image, Malformed};

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
    let mut relocations = Vec::new();
    while let Some(block) = blocks.next().map_err(outside)? {
        for relocation in block {
            match relocation.typ {
                pe::IMAGE_REL_BASED_ABSOLUTE => {}
                pe::IMAGE_REL_BASED_DIR64 => {
                    let offset = relocation.virtual_address;
                    image
                        .section(offset, 8)
                        .ok_or(Malformed::Relocation(offset))?;
                    relocations.push(offset);
                }
                other => return Err(Malformed::RelocationType(other)),
            }
        }
    }
    Ok(relocations)
}
