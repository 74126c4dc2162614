//! The formats of `DbgPrint`: those of C, without floating point, and the kernel's own `%wZ`.
// UNSAFETY: reads the strings that arguments point to.
#![expect(unsafe_code)]

use std::ptr;

use crate::native::kernel::nt::UNICODE_STRING;
use crate::native::kernel::text;

/// Formats as C does.
///
/// # Safety
///
/// `format` is a terminated string, and every argument that it takes for a pointer is valid as what
/// it takes it for. An argument that is missing counts as zero.
pub(super) unsafe fn format(format: *const u8, arguments: &[u64]) -> String {
    // SAFETY: the string is valid; the driver guarantees it.
    let format = unsafe { text::units(format, None) };
    // SAFETY: as above.
    unsafe { write(&format, arguments, false) }
}

/// The same as a function for wide strings does it: there, `%s` is one.
///
/// # Safety
///
/// As for [`format`].
pub(super) unsafe fn format_wide(format: &str, arguments: &[u64]) -> String {
    // SAFETY: the arguments are valid, by this contract.
    unsafe { write(format.as_bytes(), arguments, true) }
}

/// # Safety
///
/// As for [`format`].
unsafe fn write(format: &[u8], arguments: &[u64], wide: bool) -> String {
    let mut rest = format;
    let mut arguments = arguments.iter().copied();
    let mut next = || arguments.next().unwrap_or_default();
    let mut out = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut spec = Spec::read(&mut rest, &mut next);
        spec.wide = wide;
        // SAFETY: the arguments are valid; the driver guarantees it.
        unsafe { spec.write(&mut next, &mut out) };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What stands between `%` and the end of a conversion.
#[derive(Clone, Copy, Default, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "C has five flags, and two kinds of functions"
)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    /// Whether `%s` is a wide string.
    wide: bool,
    width: usize,
    precision: Option<usize>,
    size: Size,
    conversion: u8,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Size {
    Char,
    Short,
    #[default]
    Int,
    Long,
    Wide,
}

impl Spec {
    fn read(rest: &mut &[u8], next: &mut impl FnMut() -> u64) -> Self {
        let mut spec = Self::default();
        while let Some(flag) = take(rest, |byte| b"-0+ #".contains(&byte)) {
            match flag {
                b'-' => spec.left = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                _ => spec.alternate = true,
            }
        }
        let width = number(rest, next).unwrap_or_default();
        spec.left |= width < 0;
        spec.width = usize::try_from(width.unsigned_abs())
            .unwrap_or_default()
            .min(MAX_WIDTH);
        if take(rest, |byte| byte == b'.').is_some() {
            // A negative precision counts as none, and no digits as zero.
            spec.precision = usize::try_from(number(rest, next).unwrap_or_default()).ok();
        }
        spec.size = size(rest);
        spec.conversion = take(rest, |_| true).unwrap_or(b'%');
        spec
    }

    /// # Safety
    ///
    /// The next argument is what the conversion takes it for.
    unsafe fn write(&self, next: &mut impl FnMut() -> u64, out: &mut Vec<u8>) {
        let body = match self.conversion {
            b'%' => return out.push(b'%'),
            b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => self.integer(next()),
            b'p' => format!("{:016X}", next()).into_bytes(),
            b'c' | b'C' => character(next(), self.is_wide()),
            b's' | b'S' => {
                let address = next() as usize;
                // SAFETY: the argument is valid; the driver guarantees it.
                unsafe { self.string(address) }
            }
            b'Z' => {
                let address = next() as usize;
                // SAFETY: the argument is valid; the driver guarantees it.
                unsafe { self.counted(address) }
            }
            other => vec![b'%', other],
        };
        self.pad(&body, out);
    }

    /// `%S` and `%C` are what `%s` and `%c` are not.
    fn is_wide(&self) -> bool {
        match self.size {
            Size::Long | Size::Wide => true,
            Size::Short => false,
            _ => self.conversion.is_ascii_uppercase() != self.wide,
        }
    }

    fn integer(&self, argument: u64) -> Vec<u8> {
        let signed = matches!(self.conversion, b'd' | b'i');
        let (negative, value) = self.value(argument, signed);
        let digits = match self.conversion {
            b'x' => format!("{value:x}"),
            b'X' => format!("{value:X}"),
            b'o' => format!("{value:o}"),
            _ => value.to_string(),
        };
        let prefix = match (self.conversion, negative) {
            (_, true) => "-",
            (b'd' | b'i', _) if self.plus => "+",
            (b'd' | b'i', _) if self.space => " ",
            (b'x', _) if self.alternate && value != 0 => "0x",
            (b'X', _) if self.alternate && value != 0 => "0X",
            _ => "",
        };
        let fill = if self.zero && !self.left && self.precision.is_none() {
            self.width.saturating_sub(prefix.len())
        } else {
            self.precision.unwrap_or(1).min(MAX_WIDTH)
        };
        format!("{prefix}{digits:0>fill$}").into_bytes()
    }

    /// The sign and the magnitude of an argument, of which only the named part counts.
    fn value(&self, argument: u64, signed: bool) -> (bool, u64) {
        let bits = match self.size {
            Size::Char => 8,
            Size::Short => 16,
            Size::Int | Size::Long => 32,
            Size::Wide => 64,
        };
        let cut = argument << (64 - bits);
        if signed {
            let value = cut.cast_signed() >> (64 - bits);
            (value < 0, value.unsigned_abs())
        } else {
            (false, cut >> (64 - bits))
        }
    }

    /// # Safety
    ///
    /// `address` is null or a string that ends with a zero or at the precision.
    unsafe fn string(&self, address: usize) -> Vec<u8> {
        if address == 0 {
            return b"(null)".to_vec();
        }
        if self.is_wide() {
            // SAFETY: the string is valid; the driver guarantees it.
            let units = unsafe {
                text::units::<u16>(ptr::with_exposed_provenance(address), self.precision)
            };
            String::from_utf16_lossy(&units).into_bytes()
        } else {
            // SAFETY: the string is valid; the driver guarantees it.
            unsafe { text::units::<u8>(ptr::with_exposed_provenance(address), self.precision) }
        }
    }

    /// `%wZ` and `%Z`: a `UNICODE_STRING` or an `ANSI_STRING`, of the same layout.
    ///
    /// # Safety
    ///
    /// `address` is null or the address of such a string.
    unsafe fn counted(&self, address: usize) -> Vec<u8> {
        let string = ptr::with_exposed_provenance::<UNICODE_STRING>(address);
        if string.is_null() {
            return b"(null)".to_vec();
        }
        if self.is_wide_counted() {
            // SAFETY: the string is valid; the driver guarantees it.
            return unsafe { text::unicode(string) }
                .unwrap_or_default()
                .into_bytes();
        }
        // SAFETY: the string is valid; the driver guarantees it.
        let string = unsafe { string.read_unaligned() };
        // SAFETY: as above.
        unsafe { text::units(string.Buffer.cast::<u8>(), Some(string.Length.into())) }
    }

    fn is_wide_counted(&self) -> bool {
        matches!(self.size, Size::Long | Size::Wide)
    }

    fn pad(&self, body: &[u8], out: &mut Vec<u8>) {
        let padding = self.width.saturating_sub(body.len());
        if !self.left {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
        out.extend_from_slice(body);
        if self.left {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
    }
}

/// More than any format asks for in earnest.
const MAX_WIDTH: usize = 512;

fn take(rest: &mut &[u8], accept: impl Fn(u8) -> bool) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    accept(byte).then(|| {
        *rest = after;
        byte
    })
}

/// A width or a precision: digits, or `*` for an argument.
fn number(rest: &mut &[u8], next: &mut impl FnMut() -> u64) -> Option<i64> {
    if take(rest, |byte| byte == b'*').is_some() {
        return Some(i64::from(next() as i32));
    }
    let mut value = None;
    while let Some(digit) = take(rest, |byte| byte.is_ascii_digit()) {
        let before = value.unwrap_or(0i64);
        value = Some(
            before
                .saturating_mul(10)
                .saturating_add(i64::from(digit - b'0')),
        );
    }
    value
}

/// A size: `long` has 32 bits, and `w` is for strings.
fn size(rest: &mut &[u8]) -> Size {
    for (text, size) in [
        (&b"hh"[..], Size::Char),
        (b"h", Size::Short),
        (b"ll", Size::Wide),
        (b"l", Size::Long),
        (b"w", Size::Wide),
        (b"I64", Size::Wide),
        (b"I32", Size::Int),
        (b"I", Size::Wide),
        (b"z", Size::Wide),
        (b"t", Size::Wide),
        (b"j", Size::Wide),
    ] {
        if let Some(after) = rest.strip_prefix(text) {
            *rest = after;
            return size;
        }
    }
    Size::Int
}

fn character(argument: u64, wide: bool) -> Vec<u8> {
    if wide {
        String::from_utf16_lossy(&[argument as u16]).into_bytes()
    } else {
        vec![argument as u8]
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    fn format(format: &CStr, arguments: &[u64]) -> String {
        // SAFETY: the tests pass what their formats say.
        unsafe { super::format(format.as_ptr().cast(), arguments) }
    }

    fn address<T>(value: &T) -> u64 {
        (&raw const *value).expose_provenance() as u64
    }

    #[test]
    fn integers_are_cut_to_their_size() {
        let minus_one = u64::MAX;
        assert_eq!(
            format(c"%d %u %hhx", &[minus_one, minus_one, minus_one]),
            "-1 4294967295 ff"
        );
        assert_eq!(
            format(c"%lld %I64u", &[minus_one, minus_one]),
            "-1 18446744073709551615"
        );
        assert_eq!(
            format(c"[%5d|%-5d|%05d|%+d]", &[42, 42, 42, 42]),
            "[   42|42   |00042|+42]"
        );
        assert_eq!(
            format(c"%#x %#010x %.4X %p", &[255, 255, 255, 255]),
            "0xff 0x000000ff 00FF 00000000000000FF"
        );
    }

    #[test]
    fn strings_end_at_their_zero_or_their_precision() {
        let text = *b"hello, world\0";
        let text = address(&text);
        assert_eq!(format(c"%s", &[text]), "hello, world");
        assert_eq!(
            format(c"%.*s|%8.3s|%-8.3s|", &[5, text, text, text]),
            "hello|     hel|hel     |"
        );
        assert_eq!(format(c"%s %%", &[0]), "(null) %");
        let wide: Vec<u16> = "wide\0".encode_utf16().collect();
        let wide = wide.as_ptr().expose_provenance() as u64;
        assert_eq!(format(c"%S %ls %ws", &[wide, wide, wide]), "wide wide wide");
    }

    #[test]
    fn a_wide_function_takes_wide_strings() {
        let (wide, narrow) = (['w', 'x'].map(|unit| unit as u16), c"narrow");
        let arguments = [
            address(&wide),
            7,
            narrow.as_ptr().expose_provenance() as u64,
        ];
        // SAFETY: the precision ends the wide string.
        let text = unsafe { super::format_wide("%.2s %u %S", &arguments) };
        assert_eq!(text, "wx 7 narrow");
    }

    #[test]
    fn a_wrong_format_is_shown() {
        assert_eq!(format(c"%q%", &[]), "%q%");
        assert_eq!(format(c"%d %d", &[7]), "7 0");
    }
}
