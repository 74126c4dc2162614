//! The values of registry keys.
// UNSAFETY: functions that images call, with names, values and outputs of theirs.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::slice;
use std::sync::Arc;

use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::memory::Memory;
use super::object::{self, Kind};
use super::registry::{find, name};
use super::string::{self, Text};
use super::{Handle, image, memory, refuse, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_BUFFER_OVERFLOW, STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_OBJECT_TYPE_MISMATCH, STATUS_RESOURCE_DATA_NOT_FOUND, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::registry::{DWORD, MULTI_SZ, RegistryValue, SZ};
use crate::native::kernel::{points, text};

/// `WdfRegistryRemoveValue`.
pub(crate) unsafe extern "win64" fn remove_value(
    _globals: *const c_void,
    key: Handle,
    value: *const UNICODE_STRING,
) -> NtStatus {
    let key = find(key);
    // SAFETY: the driver passes a name.
    match unsafe { name("WdfRegistryRemoveValue", value) } {
        Ok(name) if image().system.registry.remove_value(&key.0, &name) => STATUS_SUCCESS,
        Ok(_) => STATUS_OBJECT_NAME_NOT_FOUND,
        Err(status) => status,
    }
}

/// Finds a value.
///
/// # Safety
///
/// The name is null or can be read.
unsafe fn value(
    function: &'static str,
    key: Handle,
    value: *const UNICODE_STRING,
) -> Result<RegistryValue, NtStatus> {
    let key = find(key);
    // SAFETY: as this function requires.
    let name = unsafe { name(function, value) }?;
    points::may_fail()?;
    let found = image().system.registry.value(&key.0, &name);
    found.ok_or(STATUS_OBJECT_NAME_NOT_FOUND)
}

/// Writes to an output that is null or valid.
///
/// # Safety
///
/// It is one of the two.
unsafe fn write<T>(output: *mut T, value: T) {
    if !output.is_null() {
        // SAFETY: the output is valid, by this contract.
        unsafe { output.write_unaligned(value) };
    }
}

/// `WdfRegistryQueryValue`.
pub(crate) unsafe extern "win64" fn query_value(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    length: u32,
    buffer: *mut u8,
    queried: *mut u32,
    kind: *mut u32,
) -> NtStatus {
    // SAFETY: the driver passes a name.
    let found = match unsafe { value("WdfRegistryQueryValue", key, name) } {
        Ok(found) => found,
        Err(status) => return status,
    };
    let size = found.data.len();
    // SAFETY: the driver passes an output or null.
    unsafe { write(queried, size as u32) };
    // SAFETY: as above.
    unsafe { write(kind, found.kind) };
    if size > length as usize || buffer.is_null() {
        return STATUS_BUFFER_OVERFLOW;
    }
    // SAFETY: the driver passes a buffer of the length, which is enough.
    unsafe { ptr::copy(found.data.as_ptr(), buffer, size) };
    STATUS_SUCCESS
}

/// `WdfRegistryQueryULong`.
pub(crate) unsafe extern "win64" fn query_ulong(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    output: *mut u32,
) -> NtStatus {
    if output.is_null() {
        violation("the output is null");
    }
    // SAFETY: the driver passes a name.
    let found = match unsafe { value("WdfRegistryQueryULong", key, name) } {
        Ok(found) => found,
        Err(status) => return status,
    };
    let Some(number) = found.number() else {
        return STATUS_OBJECT_TYPE_MISMATCH;
    };
    // SAFETY: the driver passes an output.
    unsafe { output.write(number) };
    STATUS_SUCCESS
}

/// The characters of a string value, without the zero at its end.
fn characters(value: &RegistryValue) -> Result<Vec<u16>, NtStatus> {
    if value.kind != SZ {
        return Err(STATUS_OBJECT_TYPE_MISMATCH);
    }
    let mut units = value.units();
    if units.last() == Some(&0) {
        units.pop();
    }
    Ok(units)
}

/// `WdfRegistryQueryUnicodeString`.
pub(crate) unsafe extern "win64" fn query_unicode(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    length: *mut u16,
    output: *mut UNICODE_STRING,
) -> NtStatus {
    // SAFETY: the driver passes a name.
    let found = unsafe { value("WdfRegistryQueryUnicodeString", key, name) };
    let units = match found.and_then(|found| characters(&found)) {
        Ok(units) => units,
        Err(status) => return status,
    };
    let size = 2 * units.len();
    // SAFETY: the driver passes an output or null.
    unsafe { write(length, (size + 2) as u16) };
    if output.is_null() {
        return STATUS_SUCCESS;
    }
    // SAFETY: the driver passes a string.
    let mut string = unsafe { output.read() };
    if size > usize::from(string.MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    // SAFETY: the string has room for the characters.
    unsafe { ptr::copy(units.as_ptr(), string.Buffer, units.len()) };
    string.Length = size as u16;
    // SAFETY: as above.
    unsafe { output.write(string) };
    STATUS_SUCCESS
}

/// `WdfRegistryQueryString`.
pub(crate) unsafe extern "win64" fn query_string(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    output: Handle,
) -> NtStatus {
    let string = string::find(output);
    // SAFETY: the driver passes a name.
    let found = unsafe { value("WdfRegistryQueryString", key, name) };
    match found.and_then(|found| characters(&found)) {
        Ok(units) => {
            string.set(units);
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// `WdfRegistryQueryMemory`.
pub(crate) unsafe extern "win64" fn query_memory(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    pool: i32,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
    kind: *mut u32,
) -> NtStatus {
    const FUNCTION: &str = "WdfRegistryQueryMemory";
    // SAFETY: the driver passes a name.
    let found = match unsafe { value(FUNCTION, key, name) } {
        Ok(found) if found.data.is_empty() => return STATUS_RESOURCE_DATA_NOT_FOUND,
        Ok(found) => found,
        Err(status) => return status,
    };
    let memory = match Memory::pool(&image(), pool, 0, found.data.len()) {
        Ok(memory) => memory,
        Err(status) => return status,
    };
    memory.write(&found.data);
    // SAFETY: the driver passes an output or null.
    unsafe { write(kind, found.kind) };
    let kind = Kind::Memory(Arc::new(memory));
    // SAFETY: the driver passes attributes and an output.
    unsafe { object::create_simple(FUNCTION, attributes, output, kind) }
}

/// `WdfRegistryQueryMultiString`.
pub(crate) unsafe extern "win64" fn query_multi_string(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    collection: Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfRegistryQueryMultiString";
    let Some(Kind::Collection(collection)) = object::kind(collection) else {
        violation(format_args!("{collection:p} is not a collection"));
    };
    // SAFETY: the driver passes a name.
    let found = match unsafe { value(FUNCTION, key, name) } {
        Ok(found) if found.kind != MULTI_SZ => return STATUS_OBJECT_TYPE_MISMATCH,
        Ok(found) => found,
        Err(status) => return status,
    };
    for part in found
        .units()
        .split(|&unit| unit == 0)
        .filter(|part| !part.is_empty())
    {
        let mut string = ptr::null_mut();
        let kind = Kind::Text(Arc::new(Text::new(part.iter().copied())));
        // SAFETY: the driver passes attributes; the output is a local.
        let status = unsafe { object::create_simple(FUNCTION, attributes, &raw mut string, kind) };
        if status != STATUS_SUCCESS {
            return status;
        }
        collection.add(&image(), string);
    }
    STATUS_SUCCESS
}

/// Sets a value.
///
/// # Safety
///
/// The name is null or can be read.
unsafe fn assign(
    function: &'static str,
    key: Handle,
    value: *const UNICODE_STRING,
    kind: u32,
    data: Vec<u8>,
) -> NtStatus {
    let key = find(key);
    // SAFETY: as this function requires.
    let name = match unsafe { name(function, value) } {
        Ok(name) => name,
        Err(status) => return status,
    };
    if let Err(status) = points::may_fail() {
        return status;
    }
    let value = RegistryValue { kind, data };
    image().system.registry.set(&key.0, &name, value);
    STATUS_SUCCESS
}

/// `WdfRegistryAssignValue`.
pub(crate) unsafe extern "win64" fn assign_value(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    kind: u32,
    length: u32,
    value: *const u8,
) -> NtStatus {
    let empty = length == 0 || value.is_null();
    let data = if empty {
        &[]
    } else {
        // SAFETY: the driver passes a buffer of this length.
        unsafe { slice::from_raw_parts(value, length as usize) }
    };
    // SAFETY: the driver passes a name.
    unsafe { assign("WdfRegistryAssignValue", key, name, kind, data.to_vec()) }
}

/// `WdfRegistryAssignULong`.
pub(crate) unsafe extern "win64" fn assign_ulong(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    value: u32,
) -> NtStatus {
    let data = value.to_le_bytes().to_vec();
    // SAFETY: the driver passes a name.
    unsafe { assign("WdfRegistryAssignULong", key, name, DWORD, data) }
}

/// `WdfRegistryAssignUnicodeString`.
pub(crate) unsafe extern "win64" fn assign_unicode(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    value: *const UNICODE_STRING,
) -> NtStatus {
    const FUNCTION: &str = "WdfRegistryAssignUnicodeString";
    if value.is_null() {
        violation("the value is null");
    }
    // SAFETY: the driver passes a string.
    if let Err(status) = unsafe { string::check(FUNCTION, value) } {
        return status;
    }
    // SAFETY: as above.
    let text = unsafe { text::unicode(value) }.unwrap_or_default();
    let data = RegistryValue::string(&text).data;
    // SAFETY: the driver passes a name.
    unsafe { assign(FUNCTION, key, name, SZ, data) }
}

/// `WdfRegistryAssignString`.
pub(crate) unsafe extern "win64" fn assign_string(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    value: Handle,
) -> NtStatus {
    let data = string::find(value).bytes();
    // SAFETY: the driver passes a name.
    unsafe { assign("WdfRegistryAssignString", key, name, SZ, data) }
}

/// `WdfRegistryAssignMemory`, of the whole memory.
pub(crate) unsafe extern "win64" fn assign_memory(
    _globals: *const c_void,
    key: Handle,
    name: *const UNICODE_STRING,
    kind: u32,
    value: Handle,
    offsets: *const [usize; 2],
) -> NtStatus {
    const FUNCTION: &str = "WdfRegistryAssignMemory";
    let mut data = memory::find(value).read();
    if !offsets.is_null() {
        // SAFETY: the driver passes offsets or null.
        let [offset, length] = unsafe { offsets.read() };
        let Some(part) = data.get(offset..offset.saturating_add(length)) else {
            let text = "the offsets are not in the memory";
            return refuse(FUNCTION, STATUS_INVALID_PARAMETER, text);
        };
        data = part.to_vec();
    }
    // SAFETY: the driver passes a name.
    unsafe { assign(FUNCTION, key, name, kind, data) }
}
