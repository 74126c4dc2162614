//! Functions of a C library for strings of bytes.
// UNSAFETY: strings and buffers are pointers of the image.
#![expect(unsafe_code)]

use std::cmp::Ordering;
use std::ptr;

use crate::native::kernel::text;

/// `EINVAL`, `ERANGE` and `STRUNCATE`.
const INVALID: i32 = 22;
const RANGE: i32 = 34;
const TRUNCATED: i32 = 80;

/// `_TRUNCATE`: as much as there is room for.
const AS_MUCH_AS_FITS: usize = usize::MAX;

/// `strcmp`.
pub(crate) unsafe extern "win64" fn compare(first: *const u8, second: *const u8) -> i32 {
    // SAFETY: both are strings; the driver guarantees it.
    let first = unsafe { text::units(first, None) };
    // SAFETY: as above.
    let second = unsafe { text::units(second, None) };
    match first.cmp(&second) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// `strncpy_s`: copies up to `count` characters, with a zero behind them. What does not fit leaves an empty string.
pub(crate) unsafe extern "win64" fn copy(
    buffer: *mut u8,
    room: usize,
    source: *const u8,
    count: usize,
) -> i32 {
    if buffer.is_null() || room == 0 {
        return INVALID;
    }
    // SAFETY: it is null or a string, as far as it is read; the driver guarantees it.
    let bytes = unsafe { text::units(source, Some(count.min(room))) };
    let fits = bytes.len() < room;
    let (length, result) = match (source.is_null(), fits, count) {
        (true, _, _) => (0, INVALID),
        (_, true, _) => (bytes.len(), 0),
        (_, false, AS_MUCH_AS_FITS) => (room - 1, TRUNCATED),
        _ => (0, RANGE),
    };
    // SAFETY: the buffer has this room; the driver guarantees it.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, length) };
    // SAFETY: as above; the length is less than the room.
    unsafe { buffer.wrapping_add(length).write(0) };
    result
}
