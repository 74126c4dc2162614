//! The functions of a C library that format into a buffer, which the inline functions of `ntstrsafe.h` call.
// UNSAFETY: formats, their arguments and buffers are pointers of the image.
#![expect(unsafe_code)]

use std::ptr;

use super::format;
use crate::native::kernel::peek::peek;
use crate::native::kernel::text;

/// The most arguments that are looked for behind a format.
const MOST: usize = 64;

/// The arguments of a `va_list`: eight bytes each, as far as there is memory.
fn arguments(list: usize) -> Vec<u64> {
    let word = |place: usize| peek(list.checked_add(8 * place)?).map(u64::from_ne_bytes);
    (0..MOST).map_while(word).collect()
}

/// Puts text into a buffer, with a zero behind it if there is room. Returns how long the text is, or -1 if it does not
/// fit.
///
/// # Safety
///
/// The buffer has room for `count` units.
unsafe fn put<T: Copy + Default>(units: &[T], buffer: *mut T, count: usize) -> i32 {
    let length = units.len().min(count);
    // SAFETY: the buffer has room for these, by this contract.
    unsafe { ptr::copy_nonoverlapping(units.as_ptr(), buffer, length) };
    if length < count {
        // SAFETY: as above.
        unsafe { buffer.wrapping_add(length).write(T::default()) };
    }
    if units.len() > count {
        -1
    } else {
        length as i32
    }
}

/// `_vsnprintf`.
pub(crate) unsafe extern "win64" fn narrow(
    buffer: *mut u8,
    count: usize,
    format: *const u8,
    list: usize,
) -> i32 {
    // SAFETY: the format and the arguments that it names are valid; the driver guarantees it.
    let text = unsafe { format::format(format, &arguments(list)) };
    // SAFETY: the buffer has this room; the driver guarantees it.
    unsafe { put(text.as_bytes(), buffer, count) }
}

/// `_vsnwprintf`.
pub(crate) unsafe extern "win64" fn wide(
    buffer: *mut u16,
    count: usize,
    format: *const u16,
    list: usize,
) -> i32 {
    // SAFETY: the format is valid; the driver guarantees it.
    let format = unsafe { text::units(format, None) };
    let format = String::from_utf16_lossy(&format);
    // SAFETY: so are the arguments that it names.
    let text = unsafe { format::format_wide(&format, &arguments(list)) };
    let units: Vec<u16> = text.encode_utf16().collect();
    // SAFETY: the buffer has this room; the driver guarantees it.
    unsafe { put(&units, buffer, count) }
}
