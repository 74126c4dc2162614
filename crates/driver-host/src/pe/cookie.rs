//! The security cookie: a variable of the image that the loader has to set before `/GS` works.

use object::pe;
use object::read::pe::PeFile64;

use super::{Image, Malformed, directory};

/// Where the load configuration has the address of the cookie.
const COOKIE: usize = 88;

/// Finds the cookie through the load configuration. One that is too short has none.
pub(super) fn read(file: &PeFile64<'_>, image: &Image) -> Result<Option<u32>, Malformed> {
    let Some((address, _)) = directory(file, pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG) else {
        return Ok(None);
    };
    let outside = Malformed::Directory("load configuration");
    let data = file
        .section_table()
        .pe_data_at(file.data(), address)
        .ok_or(outside.clone())?;
    let length = data
        .get(..4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes);
    if (length as usize) < COOKIE + 8 {
        return Ok(None);
    }
    let field = data
        .get(COOKIE..COOKIE + 8)
        .and_then(|bytes| bytes.try_into().ok());
    let cookie = u64::from_le_bytes(field.ok_or(outside.clone())?);
    if cookie == 0 {
        return Ok(None);
    }
    let offset = cookie
        .checked_sub(image.base)
        .and_then(|offset| u32::try_from(offset).ok());
    let inside = offset.filter(|&offset| offset % 8 == 0 && image.section(offset, 8).is_some());
    inside.map(Some).ok_or(outside)
}
