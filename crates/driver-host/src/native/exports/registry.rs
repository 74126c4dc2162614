//! The registry: `ZwOpenKey`, `ZwCreateKey`, `ZwQueryValueKey`, `ZwSetValueKey`, `ZwClose`,
//! `RtlQueryRegistryValues`.
// UNSAFETY: names, values and outputs of the image.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::slice;

use nmr_host::irql::PASSIVE_LEVEL;

use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::irql::check_level;
use crate::native::kernel::nt::{
    NtStatus, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED, STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_OBJECT_TYPE_MISMATCH, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::objects::SERVICES;
use crate::native::kernel::registry::{self, RegistryValue, SZ};
use crate::native::kernel::{points, text};

/// `OBJECT_ATTRIBUTES`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ObjectAttributes {
    length: u32,
    root: usize,
    name: *const UNICODE_STRING,
    attributes: u32,
    security: [*const c_void; 2],
}

const _: () = assert!(size_of::<ObjectAttributes>() == 0x30);

/// The path that attributes name.
///
/// # Safety
///
/// The attributes can be read, with their name.
unsafe fn path(attributes: *const ObjectAttributes) -> Result<String, NtStatus> {
    // SAFETY: the attributes can be read, by this contract.
    let attributes = unsafe { attributes.read() };
    if attributes.length as usize != size_of::<ObjectAttributes>() {
        return Err(STATUS_INVALID_PARAMETER);
    }
    // SAFETY: as above.
    let name = unsafe { text::unicode(attributes.name) }.unwrap_or_default();
    let keys = &call::caller().image.keys;
    if attributes.root == 0 {
        return Ok(registry::join(None, &name));
    }
    let root = keys.get(attributes.root).ok_or(STATUS_INVALID_HANDLE)?;
    Ok(registry::join(Some(&root), &name))
}

pub(crate) unsafe extern "win64" fn open_key(
    output: *mut usize,
    _access: u32,
    attributes: *const ObjectAttributes,
) -> NtStatus {
    check_level(PASSIVE_LEVEL);
    // SAFETY: the driver passes attributes.
    let path = match unsafe { path(attributes) } {
        Ok(path) => path,
        Err(status) => return status,
    };
    let image = call::caller().image;
    if !image.system.registry.exists(&path) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if let Err(status) = points::may_fail() {
        return status;
    }
    // SAFETY: the driver passes an output.
    unsafe { output.write(image.keys.open(&image.system, path)) };
    STATUS_SUCCESS
}

pub(crate) unsafe extern "win64" fn create_key(
    output: *mut usize,
    _access: u32,
    attributes: *const ObjectAttributes,
    _title: u32,
    _class: *const UNICODE_STRING,
    _options: u32,
    disposition: *mut u32,
) -> NtStatus {
    const CREATED: u32 = 1;
    const OPENED: u32 = 2;
    check_level(PASSIVE_LEVEL);
    // SAFETY: the driver passes attributes.
    let path = match unsafe { path(attributes) } {
        Ok(path) => path,
        Err(status) => return status,
    };
    if let Err(status) = points::may_fail() {
        return status;
    }
    let image = call::caller().image;
    let new = image.system.registry.create(&path);
    if !disposition.is_null() {
        // SAFETY: the driver passes an output or null.
        unsafe { disposition.write(if new { CREATED } else { OPENED }) };
    }
    // SAFETY: the driver passes an output.
    unsafe { output.write(image.keys.open(&image.system, path)) };
    STATUS_SUCCESS
}

pub(crate) extern "win64" fn close(handle: usize) -> NtStatus {
    check_level(PASSIVE_LEVEL);
    let image = call::caller().image;
    if image.keys.close(handle) || image.threads.close(handle) {
        STATUS_SUCCESS
    } else {
        misuse(format!("{handle:#x} is not an open handle"));
        STATUS_INVALID_HANDLE
    }
}

/// Finds a value of an open key.
///
/// # Safety
///
/// The name can be read.
unsafe fn value(key: usize, name: *const UNICODE_STRING) -> Result<RegistryValue, NtStatus> {
    let image = call::caller().image;
    let path = image.keys.get(key).ok_or(STATUS_INVALID_HANDLE)?;
    // SAFETY: the name can be read, by this contract.
    let name = unsafe { text::unicode(name) }.unwrap_or_default();
    let found = image.system.registry.value(&path, &name);
    found.ok_or(STATUS_OBJECT_NAME_NOT_FOUND)
}

pub(crate) unsafe extern "win64" fn query_value(
    key: usize,
    name: *const UNICODE_STRING,
    class: i32,
    output: *mut u32,
    length: u32,
    needed: *mut u32,
) -> NtStatus {
    /// `KeyValuePartialInformation`: an index, the type, the size, and the data.
    const PARTIAL: i32 = 2;
    const HEAD: usize = 12;
    check_level(PASSIVE_LEVEL);
    if class != PARTIAL {
        misuse(format!("this host has no information of class {class}"));
        return STATUS_NOT_SUPPORTED;
    }
    // SAFETY: the driver passes a name.
    let RegistryValue { kind, data } = match unsafe { value(key, name) } {
        Ok(value) => value,
        Err(status) => return status,
    };
    let room = length as usize;
    // SAFETY: the driver passes an output.
    unsafe { needed.write((HEAD + data.len()) as u32) };
    if room < HEAD {
        return STATUS_BUFFER_TOO_SMALL;
    }
    let head = output.cast::<[u32; 3]>();
    // SAFETY: the buffer has room for the head.
    unsafe { head.write([0, kind, data.len() as u32]) };
    let part = data.len().min(room - HEAD);
    // SAFETY: the buffer has room for this part of the data.
    unsafe { ptr::copy(data.as_ptr(), output.cast::<u8>().wrapping_add(HEAD), part) };
    if part < data.len() {
        return STATUS_BUFFER_OVERFLOW;
    }
    STATUS_SUCCESS
}

pub(crate) unsafe extern "win64" fn set_value(
    key: usize,
    name: *const UNICODE_STRING,
    _title: u32,
    kind: u32,
    data: *const u8,
    size: u32,
) -> NtStatus {
    check_level(PASSIVE_LEVEL);
    let image = call::caller().image;
    let Some(path) = image.keys.get(key) else {
        return STATUS_INVALID_HANDLE;
    };
    if let Err(status) = points::may_fail() {
        return status;
    }
    let data = if size == 0 {
        Vec::new()
    } else {
        // SAFETY: the driver passes a buffer of this size.
        unsafe { slice::from_raw_parts(data, size as usize) }.to_vec()
    };
    // SAFETY: the driver passes a name.
    let name = unsafe { text::unicode(name) }.unwrap_or_default();
    let value = RegistryValue { kind, data };
    image.system.registry.set(&path, &name, value);
    STATUS_SUCCESS
}

/// `RTL_QUERY_REGISTRY_TABLE`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Query {
    routine: usize,
    flags: u32,
    name: *const u16,
    entry: *mut c_void,
    default_type: u32,
    default: *const c_void,
    default_length: u32,
}

const _: () = assert!(size_of::<Query>() == 0x38);

const REQUIRED: u32 = 0x04;
const DIRECT: u32 = 0x20;
const TYPECHECK: u32 = 0x100;

/// Values that are written directly. Subkeys, routines and defaults are reported.
pub(crate) unsafe extern "win64" fn query_values(
    relative: u32,
    path: *const u16,
    queries: *const Query,
    _context: *const c_void,
    _environment: *const c_void,
) -> NtStatus {
    const ABSOLUTE: u32 = 0;
    const SERVICE: u32 = 1;
    const OPTIONAL: u32 = 0x8000_0000;
    check_level(PASSIVE_LEVEL);
    // SAFETY: the driver passes a path that ends with a zero.
    let path = String::from_utf16_lossy(&unsafe { text::units(path, None) });
    let path = match relative & !OPTIONAL {
        ABSOLUTE => path,
        SERVICE => format!(r"{SERVICES}\{path}"),
        other => {
            misuse(format!("this host has no keys relative to {other}"));
            return STATUS_INVALID_PARAMETER;
        }
    };
    let registry = &call::caller().image.system.registry;
    if !registry.exists(&path) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    for place in 0.. {
        // SAFETY: the driver passes queries up to an empty one.
        let query = unsafe { queries.wrapping_add(place).read() };
        if query.routine == 0 && query.name.is_null() {
            break;
        }
        if query.routine != 0 || query.flags & DIRECT == 0 {
            misuse("this host writes values with RTL_QUERY_REGISTRY_DIRECT only");
            return STATUS_NOT_SUPPORTED;
        }
        // SAFETY: the driver passes a name that ends with a zero.
        let name = String::from_utf16_lossy(&unsafe { text::units(query.name, None) });
        let status = match registry.value(&path, &name) {
            // SAFETY: the driver passes an entry of the type of the value, or has it checked.
            Some(value) => unsafe { direct(query, &value) },
            None if query.flags & REQUIRED != 0 => STATUS_OBJECT_NAME_NOT_FOUND,
            None => STATUS_SUCCESS,
        };
        if status != STATUS_SUCCESS {
            return status;
        }
    }
    STATUS_SUCCESS
}

/// Writes a value to the entry of a query.
///
/// # Safety
///
/// The entry is a number of 32 bits for such a value, and a string with room for characters.
unsafe fn direct(query: Query, value: &RegistryValue) -> NtStatus {
    let expected = query.default_type >> 24;
    if query.flags & TYPECHECK == 0 {
        misuse("RTL_QUERY_REGISTRY_DIRECT without RTL_QUERY_REGISTRY_TYPECHECK is an overflow");
    } else if expected != value.kind {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    match (value.kind, value.number()) {
        (_, Some(number)) => {
            // SAFETY: the entry is a number, by this contract.
            unsafe { query.entry.cast::<u32>().write(number) };
            STATUS_SUCCESS
        }
        // SAFETY: the entry is a string, by this contract.
        (SZ, None) => unsafe { direct_string(query.entry.cast(), &value.data) },
        (kind, None) => {
            misuse(format!("this host writes no values of type {kind}"));
            STATUS_NOT_SUPPORTED
        }
    }
}

/// # Safety
///
/// The string has room for as many bytes as it says.
unsafe fn direct_string(entry: *mut UNICODE_STRING, data: &[u8]) -> NtStatus {
    // SAFETY: the string can be read, by this contract.
    let mut string = unsafe { entry.read() };
    if string.Buffer.is_null() {
        misuse("this host allocates no strings for values");
        return STATUS_NOT_SUPPORTED;
    }
    if data.len() > usize::from(string.MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    // SAFETY: the string has room for the data.
    unsafe { ptr::copy(data.as_ptr(), string.Buffer.cast(), data.len()) };
    string.Length = data.len().saturating_sub(2) as u16;
    // SAFETY: as above.
    unsafe { entry.write(string) };
    STATUS_SUCCESS
}
