//! The formats of `DbgPrint`: those of C for integers, characters and texts, with the kernel's `%wZ` and
//! `%I64`.
// UNSAFETY: reads arguments by the types that a format gives them.
#![expect(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::slice;

/// Formats arguments of eight bytes each.
///
/// # Safety
///
/// * There are as many arguments as the format takes, and those that it takes for texts are.
pub(super) unsafe fn text(format: &[u8], mut arguments: *const u64) -> Vec<u8> {
    let mut next = || {
        // SAFETY: the format takes one more argument, so there is one, as this function requires.
        let argument = unsafe { arguments.read() };
        arguments = arguments.wrapping_add(1);
        argument
    };
    let (mut out, mut rest) = (Vec::new(), format);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let spec = Spec::read(&mut rest, &mut next);
            // SAFETY: the argument is what the format takes it for, as this function requires.
            let body = unsafe { spec.body(&mut next) };
            spec.pad(&body, &mut out);
        } else {
            out.push(byte);
        }
    }
    out
}

/// What stands between `%` and the end of a conversion.
#[expect(clippy::struct_excessive_bools, reason = "C has as many flags")]
struct Spec {
    left: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    /// How many bytes an integer has.
    bytes: u32,
    wide: bool,
    conversion: u8,
}

impl Spec {
    fn read(rest: &mut &[u8], next: &mut impl FnMut() -> u64) -> Self {
        let (mut left, mut zero, mut alternate) = (false, false, false);
        while let Some(flag) = take(rest, |byte| b"-0+ #".contains(&byte)) {
            left |= flag == b'-';
            zero |= flag == b'0';
            alternate |= flag == b'#';
        }
        let width = number(rest, next).unwrap_or_default();
        let point = take(rest, |byte| byte == b'.');
        let precision = point.map(|_| number(rest, next).unwrap_or_default());
        let (mut bytes, mut wide) = (4, false);
        if let Some(after) = rest.strip_prefix(b"I64") {
            (*rest, bytes) = (after, 8);
        }
        while let Some(size) = take(rest, |byte| b"hlwzjt".contains(&byte)) {
            wide |= size == b'l' || size == b'w';
            bytes = match size {
                b'z' | b'j' | b't' => 8,
                b'h' => 2,
                b'l' if rest.starts_with(b"l") => 8,
                _ => bytes,
            };
        }
        Self {
            left,
            zero,
            alternate,
            width,
            precision,
            bytes,
            wide,
            conversion: take(rest, |_| true).unwrap_or(b'%'),
        }
    }

    /// # Safety
    ///
    /// * The next argument is what the conversion takes it for.
    unsafe fn body(&self, next: &mut impl FnMut() -> u64) -> Vec<u8> {
        match self.conversion {
            b'%' => b"%".to_vec(),
            b'd' | b'i' => self.signed(next()).to_string().into_bytes(),
            b'u' => self.unsigned(next()).to_string().into_bytes(),
            b'x' if self.alternate => format!("{:#x}", self.unsigned(next())).into_bytes(),
            b'x' => format!("{:x}", self.unsigned(next())).into_bytes(),
            b'X' => format!("{:X}", self.unsigned(next())).into_bytes(),
            b'p' => format!("{:016X}", next()).into_bytes(),
            b'c' => vec![next().to_le_bytes()[0]],
            // SAFETY: the argument is a text, as this function requires.
            b's' | b'S' => unsafe { self.string(next()) },
            // SAFETY: the argument is a counted text, as this function requires.
            b'Z' => unsafe { counted(next()) },
            other => vec![b'%', other],
        }
    }

    fn signed(&self, argument: u64) -> i64 {
        let shift = 64 - 8 * self.bytes;
        (argument << shift).cast_signed() >> shift
    }

    fn unsigned(&self, argument: u64) -> u64 {
        let shift = 64 - 8 * self.bytes;
        argument << shift >> shift
    }

    /// # Safety
    ///
    /// * The address is 0 or that of a text of this kind, which ends with a zero.
    unsafe fn string(&self, address: u64) -> Vec<u8> {
        let address = usize::try_from(address).unwrap_or_default();
        let mut bytes = if address == 0 {
            b"(null)".to_vec()
        } else if self.wide || self.conversion == b'S' {
            // SAFETY: the text ends with a zero, as this function requires.
            let units = unsafe { units(std::ptr::with_exposed_provenance(address)) };
            String::from_utf16_lossy(&units).into_bytes()
        } else {
            let text: *const c_char = std::ptr::with_exposed_provenance(address);
            // SAFETY: as above.
            unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
        };
        bytes.truncate(self.precision.unwrap_or(bytes.len()));
        bytes
    }

    fn pad(&self, body: &[u8], out: &mut Vec<u8>) {
        let fill = self.width.saturating_sub(body.len());
        let zero = self.zero && !self.left;
        if !self.left {
            out.extend(std::iter::repeat_n(if zero { b'0' } else { b' ' }, fill));
        }
        out.extend_from_slice(body);
        if self.left {
            out.extend(std::iter::repeat_n(b' ', fill));
        }
    }
}

/// The units of a text of UTF-16, without the zero at its end.
///
/// # Safety
///
/// * The text ends with a zero.
pub(super) unsafe fn units(mut text: *const u16) -> Vec<u16> {
    let mut units = Vec::new();
    loop {
        // SAFETY: the end of the text was not read yet.
        let unit = unsafe { text.read() };
        if unit == 0 {
            return units;
        }
        units.push(unit);
        text = text.wrapping_add(1);
    }
}

/// `UNICODE_STRING`.
#[repr(C)]
struct UnicodeString {
    length: u16,
    maximum: u16,
    buffer: *const u16,
}

/// # Safety
///
/// * The address is 0 or that of a `UNICODE_STRING` with its units.
unsafe fn counted(address: u64) -> Vec<u8> {
    let address = usize::try_from(address).unwrap_or_default();
    let string: *const UnicodeString = std::ptr::with_exposed_provenance(address);
    // SAFETY: it is null or a `UNICODE_STRING`, as this function requires.
    let Some(string) = (unsafe { string.as_ref() }) else {
        return b"(null)".to_vec();
    };
    if string.buffer.is_null() {
        return Vec::new();
    }
    // SAFETY: the buffer has `length` bytes, as this function requires.
    let units = unsafe { slice::from_raw_parts(string.buffer, usize::from(string.length / 2)) };
    String::from_utf16_lossy(units).into_bytes()
}

/// Takes the next byte, if it is one of these.
fn take(rest: &mut &[u8], is: impl Fn(u8) -> bool) -> Option<u8> {
    let (&byte, after) = rest.split_first().filter(|(byte, _)| is(**byte))?;
    *rest = after;
    Some(byte)
}

/// Takes a number of digits, or the next argument for `*`.
fn number(rest: &mut &[u8], next: &mut impl FnMut() -> u64) -> Option<usize> {
    if take(rest, |byte| byte == b'*').is_some() {
        return usize::try_from(next() & 0x7fff_ffff).ok();
    }
    let mut number = None;
    while let Some(digit) = take(rest, |byte| byte.is_ascii_digit()) {
        let value = number.unwrap_or(0_usize).saturating_mul(10);
        number = Some(value.saturating_add(usize::from(digit - b'0')).min(4096));
    }
    number
}
