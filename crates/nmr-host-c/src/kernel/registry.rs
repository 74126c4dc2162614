//! The registry, as far as a driver reads its own parameters: values that a test sets, and
//! `RtlQueryRegistryValues`.
// UNSAFETY: exported functions, texts and tables of modules, and their routines.
#![expect(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::mem;
use std::slice;
use std::sync::{Mutex, PoisonError};

use super::format::units;

const STATUS_SUCCESS: i32 = 0;
const STATUS_INVALID_PARAMETER: i32 = 0xc000_000d_u32.cast_signed();
const STATUS_OBJECT_NAME_NOT_FOUND: i32 = 0xc000_0034_u32.cast_signed();
const STATUS_NOT_SUPPORTED: i32 = 0xc000_00bb_u32.cast_signed();

const QUERY_SUBKEY: u32 = 1;
const QUERY_REQUIRED: u32 = 4;

type Values = BTreeMap<(String, String), (u32, Vec<u8>)>;

/// By path and name, in lower case.
static VALUES: Mutex<Values> = Mutex::new(BTreeMap::new());

fn values<T>(then: impl FnOnce(&mut Values) -> T) -> T {
    then(&mut VALUES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// # Safety
///
/// * The text ends with a zero.
unsafe fn lower(text: *const u16) -> String {
    // SAFETY: the text ends with a zero, as this function requires.
    String::from_utf16_lossy(&unsafe { units(text) }).to_lowercase()
}

/// # Safety
///
/// * The path and the name end with a zero, and `data` is readable for `size` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_kernel_set_registry_value(
    path: *const u16,
    name: *const u16,
    kind: u32,
    data: *const u8,
    size: usize,
) {
    // SAFETY: `data` is readable for `size` bytes, as this function requires.
    let data = unsafe { slice::from_raw_parts(data, size) }.to_vec();
    // SAFETY: the path ends with a zero, as this function requires.
    let path = unsafe { lower(path) };
    // SAFETY: as above.
    let name = unsafe { lower(name) };
    values(|values| values.insert((path, name), (kind, data)));
}

/// `RTL_QUERY_REGISTRY_TABLE`.
#[repr(C)]
struct Query {
    routine: *const (),
    flags: u32,
    name: *const u16,
    entry: *mut c_void,
    default_type: u32,
    default_data: *const c_void,
    default_length: u32,
}

type Windows =
    unsafe extern "efiapi" fn(*const u16, u32, *const u8, u32, *mut c_void, *mut c_void) -> i32;
type Native =
    unsafe extern "C" fn(*const u16, u32, *const u8, u32, *mut c_void, *mut c_void) -> i32;

/// What `RtlQueryRegistryValues` is: only absolute paths, subkeys, and routines.
///
/// # Safety
///
/// * The path and the names end with a zero, the table with an entry without routine and name, and the
///   routines have this convention.
#[unsafe(export_name = "nmr_kernel_query_registry")]
unsafe extern "efiapi" fn query(
    relative: u32,
    path: *const u16,
    mut table: *const Query,
    context: *mut c_void,
    convention: i32,
) -> i32 {
    if relative != 0 || path.is_null() {
        return STATUS_NOT_SUPPORTED;
    }
    // SAFETY: the path ends with a zero, as this function requires.
    let root = unsafe { lower(path) };
    let mut key = root.clone();
    loop {
        // SAFETY: the end of the table was not read yet.
        let entry = unsafe { &*table };
        table = table.wrapping_add(1);
        if entry.routine.is_null() && entry.name.is_null() {
            return STATUS_SUCCESS;
        }
        if entry.name.is_null() {
            return STATUS_INVALID_PARAMETER;
        }
        // SAFETY: the name ends with a zero, as this function requires.
        let name = unsafe { lower(entry.name) };
        if entry.flags & QUERY_SUBKEY != 0 {
            key = format!("{root}\\{name}");
            continue;
        }
        if entry.routine.is_null() {
            return STATUS_NOT_SUPPORTED;
        }
        let value = values(|values| values.get(&(key.clone(), name)).cloned());
        let status = match value {
            // SAFETY: the routine is one of this convention, as this function requires.
            Some((kind, data)) => unsafe { hand_over(entry, kind, &data, context, convention) },
            None if entry.flags & QUERY_REQUIRED != 0 => STATUS_OBJECT_NAME_NOT_FOUND,
            None => STATUS_SUCCESS,
        };
        if status < 0 {
            return status;
        }
    }
}

/// Calls the routine of an entry with a value.
///
/// # Safety
///
/// * The routine is one of this convention.
unsafe fn hand_over(
    entry: &Query,
    kind: u32,
    data: &[u8],
    context: *mut c_void,
    convention: i32,
) -> i32 {
    let size = u32::try_from(data.len()).unwrap_or_default();
    let (name, bytes) = (entry.name, data.as_ptr());
    if convention == 0 {
        // SAFETY: the routine is such a function, as this function requires.
        let routine = unsafe { mem::transmute::<*const (), Windows>(entry.routine) };
        // SAFETY: the name and the data live until it returns.
        unsafe { routine(name, kind, bytes, size, context, entry.entry) }
    } else {
        // SAFETY: as above.
        let routine = unsafe { mem::transmute::<*const (), Native>(entry.routine) };
        // SAFETY: as above.
        unsafe { routine(name, kind, bytes, size, context, entry.entry) }
    }
}
