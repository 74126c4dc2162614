//! Strings in the memory of an image.
// UNSAFETY: reads through the image's pointers.
#![expect(unsafe_code)]

use std::slice;

use super::nt::UNICODE_STRING;

/// More characters than any string of a driver has: a string without an end stops here.
const MAX: usize = 0x8000;

/// Reads characters up to a zero or a limit.
///
/// # Safety
///
/// `start` is null, or valid for reads up to the zero or the limit.
pub(crate) unsafe fn units<T: Copy + Default + PartialEq>(
    start: *const T,
    limit: Option<usize>,
) -> Vec<T> {
    if start.is_null() {
        return Vec::new();
    }
    let mut units = Vec::new();
    while units.len() < limit.unwrap_or(MAX).min(MAX) {
        // SAFETY: everything before the zero and the limit is valid; the driver guarantees it.
        let unit = unsafe { start.wrapping_add(units.len()).read_unaligned() };
        if unit == T::default() {
            break;
        }
        units.push(unit);
    }
    units
}

/// Reads a counted string.
///
/// # Safety
///
/// `string` is null, or valid for a read together with the characters that it counts.
pub(crate) unsafe fn unicode(string: *const UNICODE_STRING) -> Option<String> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the structure is valid; the driver guarantees it.
    let string = unsafe { string.read_unaligned() };
    if string.Buffer.is_null() {
        return Some(String::new());
    }
    // SAFETY: the characters are valid; the driver guarantees it.
    let units = unsafe { slice::from_raw_parts(string.Buffer, usize::from(string.Length) / 2) };
    Some(String::from_utf16_lossy(units))
}
