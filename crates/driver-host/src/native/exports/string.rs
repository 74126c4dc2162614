//! `UNICODE_STRING`: `RtlInitUnicodeString`, `RtlCopyUnicodeString`, `RtlEqualUnicodeString`.
// UNSAFETY: reads and writes the image's strings.
#![expect(unsafe_code)]

use std::ptr;

use crate::native::kernel::nt::UNICODE_STRING;
use crate::native::kernel::text;

/// The longest string that a `UNICODE_STRING` can count with its zero.
const MAX: usize = 0xfffc / 2;

pub(crate) unsafe extern "win64" fn init(string: *mut UNICODE_STRING, source: *const u16) {
    // SAFETY: the caller vouches for a terminated string or null.
    let count = unsafe { text::units(source, Some(MAX)) }.len();
    let size = u16::try_from(2 * count).unwrap_or_default();
    let maximum = if source.is_null() { 0 } else { size + 2 };
    let value = UNICODE_STRING {
        Length: size,
        MaximumLength: maximum,
        Buffer: source.cast_mut(),
    };
    // SAFETY: the caller vouches for the output.
    unsafe { string.write(value) };
}

pub(crate) unsafe extern "win64" fn copy(to: *mut UNICODE_STRING, from: *const UNICODE_STRING) {
    // SAFETY: the caller vouches for the structure.
    let target = unsafe { to.read() };
    let (buffer, length) = if from.is_null() {
        (ptr::null_mut(), 0)
    } else {
        // SAFETY: the caller vouches for the structure.
        let source = unsafe { from.read() };
        (source.Buffer, source.Length)
    };
    let length = length.min(target.MaximumLength);
    // SAFETY: both buffers are at least this long.
    unsafe {
        ptr::copy(
            buffer.cast::<u8>(),
            target.Buffer.cast::<u8>(),
            length.into(),
        );
    };
    let after = UNICODE_STRING {
        Length: length,
        ..target
    };
    // SAFETY: the caller vouches for the structure.
    unsafe { to.write(after) };
    if length + 2 <= target.MaximumLength {
        // SAFETY: there is room for one more character.
        unsafe { target.Buffer.wrapping_add(usize::from(length) / 2).write(0) };
    }
}

pub(crate) unsafe extern "win64" fn equal(
    a: *const UNICODE_STRING,
    b: *const UNICODE_STRING,
    ignore_case: u8,
) -> u8 {
    // SAFETY: the caller vouches for the string.
    let a = unsafe { text::unicode(a) };
    // SAFETY: the caller vouches for the string.
    let b = unsafe { text::unicode(b) };
    let upper = |text: Option<String>| text.map(|text| text.to_uppercase());
    u8::from(if ignore_case == 0 {
        a == b
    } else {
        upper(a) == upper(b)
    })
}
