//! `UNICODE_STRING`: `RtlInitUnicodeString`, `RtlCopyUnicodeString`, `RtlEqualUnicodeString`.
// UNSAFETY: reads and writes the image's strings.
#![expect(unsafe_code)]

use std::ptr;
use std::slice;

use nmr_sys::GUID;

use super::pool;
use crate::native::kernel::nt::{
    NtStatus, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::text;

/// The longest string that a `UNICODE_STRING` can count with its zero.
const MAX: usize = 0xfffc / 2;

pub(crate) unsafe extern "win64" fn init(string: *mut UNICODE_STRING, source: *const u16) {
    // SAFETY: it is a terminated string or null; the driver guarantees it.
    let count = unsafe { text::units(source, Some(MAX)) }.len();
    let size = u16::try_from(2 * count).unwrap_or_default();
    let maximum = if source.is_null() { 0 } else { size + 2 };
    let value = UNICODE_STRING {
        Length: size,
        MaximumLength: maximum,
        Buffer: source.cast_mut(),
    };
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { string.write(value) };
}

pub(crate) unsafe extern "win64" fn copy(to: *mut UNICODE_STRING, from: *const UNICODE_STRING) {
    // SAFETY: the structure is valid; the driver guarantees it.
    let target = unsafe { to.read() };
    let (buffer, length) = if from.is_null() {
        (ptr::null_mut(), 0)
    } else {
        // SAFETY: the structure is valid; the driver guarantees it.
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
    // SAFETY: the structure is valid; the driver guarantees it.
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
    // SAFETY: the string is valid; the driver guarantees it.
    let a = unsafe { text::unicode(a) };
    // SAFETY: the string is valid; the driver guarantees it.
    let b = unsafe { text::unicode(b) };
    let upper = |text: Option<String>| text.map(|text| text.to_uppercase());
    u8::from(if ignore_case == 0 {
        a == b
    } else {
        upper(a) == upper(b)
    })
}

/// The characters of a string.
///
/// # Safety
///
/// The string can be read, with its characters.
unsafe fn units<'a>(string: *const UNICODE_STRING) -> &'a [u16] {
    // SAFETY: the string can be read, by this contract.
    let string = unsafe { string.read() };
    if string.Length == 0 {
        return &[];
    }
    // SAFETY: as above.
    unsafe { slice::from_raw_parts(string.Buffer, usize::from(string.Length) / 2) }
}

/// Puts characters behind those of a string, with a zero if there is room for it.
///
/// # Safety
///
/// The string has room for as many bytes as it says.
unsafe fn append(string: *mut UNICODE_STRING, more: &[u16]) -> NtStatus {
    // SAFETY: the string can be read, by this contract.
    let mut value = unsafe { string.read() };
    let (length, room) = (usize::from(value.Length), usize::from(value.MaximumLength));
    let size = size_of_val(more);
    if length + size > room {
        return STATUS_BUFFER_TOO_SMALL;
    }
    let end = value.Buffer.wrapping_add(length / 2);
    // SAFETY: the string has room for the characters.
    unsafe { ptr::copy(more.as_ptr(), end, more.len()) };
    if length + size + 2 <= room {
        // SAFETY: and for the zero.
        unsafe { end.wrapping_add(more.len()).write(0) };
    }
    value.Length = (length + size) as u16;
    // SAFETY: as above.
    unsafe { string.write(value) };
    STATUS_SUCCESS
}

pub(crate) unsafe extern "win64" fn append_string(
    string: *mut UNICODE_STRING,
    more: *const UNICODE_STRING,
) -> NtStatus {
    // SAFETY: the driver passes a string.
    let more = unsafe { units(more) };
    // SAFETY: as above.
    unsafe { append(string, more) }
}

pub(crate) unsafe extern "win64" fn append_units(
    string: *mut UNICODE_STRING,
    more: *const u16,
) -> NtStatus {
    // SAFETY: the driver passes characters that end with a zero, or null.
    let more = unsafe { text::units(more, None) };
    // SAFETY: the driver passes a string.
    unsafe { append(string, &more) }
}

/// A character as it is compared without case, for the first plane.
fn upcase(unit: u16) -> u16 {
    let upper = char::from_u32(unit.into()).map(char::to_uppercase);
    let mut upper = upper.into_iter().flatten();
    match (upper.next(), upper.next()) {
        (Some(only), None) => u16::try_from(u32::from(only)).unwrap_or(unit),
        _ => unit,
    }
}

fn folded(units: &[u16], insensitive: u8) -> impl Iterator<Item = u16> {
    let fold = move |&unit| if insensitive == 0 { unit } else { upcase(unit) };
    units.iter().map(fold)
}

pub(crate) unsafe extern "win64" fn compare(
    first: *const UNICODE_STRING,
    second: *const UNICODE_STRING,
    insensitive: u8,
) -> i32 {
    // SAFETY: the driver passes two strings.
    let first = unsafe { units(first) };
    // SAFETY: as above.
    let second = unsafe { units(second) };
    let pairs = folded(first, insensitive).zip(folded(second, insensitive));
    let mut differences = pairs.map(|(one, other)| i32::from(one) - i32::from(other));
    let different = differences.find(|&difference| difference != 0);
    different.unwrap_or(first.len() as i32 - second.len() as i32)
}

pub(crate) unsafe extern "win64" fn is_prefix(
    first: *const UNICODE_STRING,
    second: *const UNICODE_STRING,
    insensitive: u8,
) -> u8 {
    // SAFETY: the driver passes two strings.
    let first = unsafe { units(first) };
    // SAFETY: as above.
    let second = unsafe { units(second) };
    let start = second.get(..first.len());
    let same = |start| folded(start, insensitive).eq(folded(first, insensitive));
    start.is_some_and(same).into()
}

/// A number, after white space and a sign, in a base that it may name itself: `0x`, `0o`, `0b`.
pub(crate) unsafe extern "win64" fn to_integer(
    string: *const UNICODE_STRING,
    base: u32,
    output: *mut u32,
) -> NtStatus {
    // SAFETY: the driver passes a string.
    let text = String::from_utf16_lossy(unsafe { units(string) });
    let text = text.trim_start_matches(|unit: char| unit <= ' ');
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let named = [("0x", 16), ("0o", 8), ("0b", 2)];
    let (base, text) = match base {
        0 => {
            let mut found = named.iter().filter_map(|(prefix, base)| {
                let rest = text.strip_prefix(prefix)?;
                Some((*base, rest))
            });
            found.next().unwrap_or((10, text))
        }
        2 | 8 | 10 | 16 => (base, text),
        _ => return STATUS_INVALID_PARAMETER,
    };
    let digits = text.chars().map_while(|digit| digit.to_digit(base));
    let value = digits.fold(0_u32, |value, digit| {
        value.wrapping_mul(base).wrapping_add(digit)
    });
    let value = if negative {
        value.wrapping_neg()
    } else {
        value
    };
    // SAFETY: the driver passes an output.
    unsafe { output.write(value) };
    STATUS_SUCCESS
}

/// Writes a number in a base, and a zero behind it if there is room.
pub(crate) unsafe extern "win64" fn from_integer(
    value: u32,
    base: u32,
    string: *mut UNICODE_STRING,
) -> NtStatus {
    let digits = match base {
        0 | 10 => format!("{value}"),
        2 => format!("{value:b}"),
        8 => format!("{value:o}"),
        16 => format!("{value:X}"),
        _ => return STATUS_INVALID_PARAMETER,
    };
    let units: Vec<u16> = digits.encode_utf16().collect();
    // SAFETY: the driver passes a string.
    let mut target = unsafe { string.read() };
    if size_of_val(units.as_slice()) > usize::from(target.MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    target.Length = 0;
    // SAFETY: as above.
    unsafe { string.write(target) };
    // SAFETY: as above; there is room.
    unsafe { append(string, &units) }
}

/// The tag of strings that the kernel allocates for drivers.
const TAG: u32 = u32::from_le_bytes(*b"RtSt");

/// `{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}`, in pool that the driver frees.
pub(crate) unsafe extern "win64" fn from_guid(
    id: *const GUID,
    string: *mut UNICODE_STRING,
) -> NtStatus {
    const PAGED: u64 = 0x100;
    // SAFETY: the driver passes an identifier.
    let id = unsafe { id.read() };
    let text = format!("{{{id}}}").to_uppercase();
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let size = size_of_val(units.as_slice());
    let buffer = pool::allocate_2(PAGED, size, TAG).cast::<u16>();
    if buffer.is_null() {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    // SAFETY: the block is this large.
    unsafe { ptr::copy(units.as_ptr(), buffer, units.len()) };
    let value = UNICODE_STRING {
        Length: size as u16 - 2,
        MaximumLength: size as u16,
        Buffer: buffer,
    };
    // SAFETY: the driver passes an output.
    unsafe { string.write(value) };
    STATUS_SUCCESS
}

pub(crate) unsafe extern "win64" fn to_guid(
    string: *const UNICODE_STRING,
    output: *mut GUID,
) -> NtStatus {
    // SAFETY: the driver passes a string.
    let text = String::from_utf16_lossy(unsafe { units(string) });
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<_> = inner.unwrap_or_default().split('-').collect();
    let shaped = parts.iter().map(|part| part.len()).eq(lengths);
    let digits = parts.concat();
    match u128::from_str_radix(&digits, 16) {
        Ok(value) if shaped && !digits.starts_with('+') => {
            // SAFETY: the driver passes an output.
            unsafe { output.write(GUID::from_u128(value)) };
            STATUS_SUCCESS
        }
        _ => STATUS_INVALID_PARAMETER,
    }
}

/// Frees a string that the kernel has allocated, and empties it.
pub(crate) unsafe extern "win64" fn free(string: *mut UNICODE_STRING) {
    // SAFETY: the driver passes a string.
    let buffer = unsafe { string.read() }.Buffer;
    if !buffer.is_null() {
        pool::free(buffer.cast());
    }
    let empty = UNICODE_STRING {
        Length: 0,
        MaximumLength: 0,
        Buffer: ptr::null_mut(),
    };
    // SAFETY: as above.
    unsafe { string.write(empty) };
}
