//! Strings as objects.
// UNSAFETY: functions that images call, and strings that they read.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::object::{self, Kind};
use super::{Handle, refuse, violation};
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_PARAMETER, UNICODE_STRING};
use crate::native::kernel::text;

/// A `WDFSTRING`: its characters, with a zero behind them.
#[derive(Debug)]
pub(crate) struct Text(Mutex<Vec<u16>>);

impl Text {
    pub(super) fn new(units: impl IntoIterator<Item = u16>) -> Self {
        Self(Mutex::new(units.into_iter().chain([0]).collect()))
    }

    /// Replaces the characters. Pointers to the old ones are invalid from then on.
    pub(super) fn set(&self, units: impl IntoIterator<Item = u16>) {
        let units = units.into_iter().chain([0]).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = units;
    }

    /// The string as the driver reads it, until it changes.
    pub(super) fn unicode(&self) -> UNICODE_STRING {
        let mut units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = std::mem::size_of_val(units.as_slice()) as u16;
        UNICODE_STRING {
            Length: size - 2,
            MaximumLength: size,
            Buffer: units.as_mut_ptr(),
        }
    }

    /// The data of a registry value that has this string.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        units.iter().copied().flat_map(u16::to_le_bytes).collect()
    }
}

pub(super) fn find(string: Handle) -> Arc<Text> {
    match object::kind(string) {
        Some(Kind::Text(found)) => found,
        _ => violation(format_args!("{string:p} is not a string")),
    }
}

/// Checks a counted string as the framework does.
///
/// # Safety
///
/// `string` is valid for a read.
pub(super) unsafe fn check(
    function: &'static str,
    string: *const UNICODE_STRING,
) -> Result<(), NtStatus> {
    // SAFETY: the string can be read, by this contract.
    let string = unsafe { string.read() };
    let wrong = if string.Length % 2 != 0 || string.MaximumLength % 2 != 0 {
        "a string has an odd length"
    } else if string.Length > string.MaximumLength {
        "a string is longer than its MaximumLength"
    } else if string.Length != 0 && string.Buffer.is_null() {
        "a string has a length and no characters"
    } else {
        return Ok(());
    };
    Err(refuse(function, STATUS_INVALID_PARAMETER, wrong))
}

/// `WdfStringCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    string: *const UNICODE_STRING,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfStringCreate";
    if !string.is_null() {
        // SAFETY: the driver passes a string or null.
        if let Err(status) = unsafe { check(FUNCTION, string) } {
            return status;
        }
    }
    // SAFETY: as above.
    let text = unsafe { text::unicode(string) }.unwrap_or_default();
    let kind = Kind::Text(Arc::new(Text::new(text.encode_utf16())));
    // SAFETY: the driver passes attributes and an output, as `WdfStringCreate` requires.
    unsafe { object::create_simple(FUNCTION, attributes, output, kind) }
}

/// `WdfStringGetUnicodeString`.
pub(crate) unsafe extern "win64" fn unicode(
    _globals: *const c_void,
    string: Handle,
    output: *mut UNICODE_STRING,
) {
    let string = find(string);
    if output.is_null() {
        violation("the output is null");
    }
    // SAFETY: the driver passes an output.
    unsafe { output.write(string.unicode()) };
}
