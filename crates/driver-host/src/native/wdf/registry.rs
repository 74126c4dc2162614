//! Registry keys as objects.
// UNSAFETY: functions that images call, with names, values and outputs of theirs.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use nmr_host::irql::PASSIVE_LEVEL;

use super::checks::{self, Parent};
use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::object::{self, Kind};
use super::string;
use super::{Handle, check_irql, device, image, refuse, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS,
    UNICODE_STRING,
};
use crate::native::kernel::registry;
use crate::native::kernel::text;

/// A `WDFKEY`: its path.
#[derive(Debug)]
pub(crate) struct Key(pub(super) String);

pub(super) fn find(key: Handle) -> Arc<Key> {
    check_irql(PASSIVE_LEVEL);
    match object::kind(key) {
        Some(Kind::Key(key)) => key,
        _ => violation(format_args!("{key:p} is not a registry key")),
    }
}

/// Reads a name as the framework does.
///
/// # Safety
///
/// The name is null or can be read.
pub(super) unsafe fn name(
    function: &'static str,
    name: *const UNICODE_STRING,
) -> Result<String, NtStatus> {
    if name.is_null() {
        violation("the name is null");
    }
    // SAFETY: the name can be read, by this contract.
    unsafe { string::check(function, name) }?;
    // SAFETY: as above.
    Ok(unsafe { text::unicode(name) }.unwrap_or_default())
}

/// Makes the object of a key.
///
/// # Safety
///
/// The attributes are null or readable, and the output is valid for a write.
unsafe fn make(
    function: &'static str,
    path: String,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    let kind = Kind::Key(Arc::new(Key(path)));
    // SAFETY: as this function requires.
    unsafe { object::create_simple(function, attributes, output, kind) }
}

/// Opens a key that there is, or fails.
///
/// # Safety
///
/// As for [`make`].
unsafe fn open(
    function: &'static str,
    path: String,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    if output.is_null() {
        violation("the output is null");
    }
    // SAFETY: the attributes can be read, by this contract.
    let checked = unsafe { checks::attributes(function, attributes, Parent::Optional, false) };
    if let Err(status) = checked {
        return status;
    }
    if !image().system.registry.exists(&path) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    // SAFETY: as this function requires.
    unsafe { make(function, path, attributes, output) }
}

fn parent_path(parent: Handle) -> Option<String> {
    (!parent.is_null()).then(|| find(parent).0.clone())
}

/// `WdfRegistryOpenKey`.
pub(crate) unsafe extern "win64" fn open_key(
    _globals: *const c_void,
    parent: Handle,
    key: *const UNICODE_STRING,
    _access: u32,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfRegistryOpenKey";
    check_irql(PASSIVE_LEVEL);
    let parent = parent_path(parent);
    // SAFETY: the driver passes a name.
    match unsafe { name(FUNCTION, key) } {
        Ok(key) => {
            let path = registry::join(parent.as_deref(), &key);
            // SAFETY: the driver passes attributes and an output.
            unsafe { open(FUNCTION, path, attributes, output) }
        }
        Err(status) => status,
    }
}

/// `WdfRegistryCreateKey`.
pub(crate) unsafe extern "win64" fn create_key(
    _globals: *const c_void,
    parent: Handle,
    key: *const UNICODE_STRING,
    _access: u32,
    _options: u32,
    disposition: *mut u32,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfRegistryCreateKey";
    const CREATED: u32 = 1;
    const OPENED: u32 = 2;
    check_irql(PASSIVE_LEVEL);
    let parent = parent_path(parent);
    // SAFETY: the driver passes a name.
    let path = match unsafe { name(FUNCTION, key) } {
        Ok(key) => registry::join(parent.as_deref(), &key),
        Err(status) => return status,
    };
    // SAFETY: the driver passes attributes and an output.
    let status = unsafe { make(FUNCTION, path.clone(), attributes, output) };
    if status == STATUS_SUCCESS {
        let new = image().system.registry.create(&path);
        if !disposition.is_null() {
            // SAFETY: the driver passes an output or null.
            unsafe { disposition.write(if new { CREATED } else { OPENED }) };
        }
    }
    status
}

/// `WdfDriverOpenParametersRegistryKey`. The key exists.
pub(crate) unsafe extern "win64" fn open_parameters(
    _globals: *const c_void,
    driver: Handle,
    _access: u32,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfDriverOpenParametersRegistryKey";
    check_irql(PASSIVE_LEVEL);
    if !matches!(object::kind(driver), Some(Kind::Driver)) {
        violation(format_args!("{driver:p} is not the driver"));
    }
    let path = image().parameters();
    image().system.registry.create(&path);
    // SAFETY: the driver passes attributes and an output.
    unsafe { open(FUNCTION, registry::join(None, &path), attributes, output) }
}

/// `WdfDeviceOpenRegistryKey`. The keys of a device exist.
pub(crate) unsafe extern "win64" fn open_of_device(
    _globals: *const c_void,
    handle: Handle,
    kind: u32,
    _access: u32,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfDeviceOpenRegistryKey";
    const DEVICE: u32 = 1;
    const DRIVER: u32 = 2;
    check_irql(PASSIVE_LEVEL);
    device::find(handle);
    let name = image().service().to_owned();
    let path = match kind & 3 {
        DEVICE => format!(
            r"\Registry\Machine\System\CurrentControlSet\Enum\Root\{name}\0000\Device Parameters"
        ),
        DRIVER => format!(r"\Registry\Machine\System\CurrentControlSet\Control\Class\{name}\0000"),
        _ => {
            let text = "DeviceInstanceKeyType names no key";
            return refuse(FUNCTION, STATUS_INVALID_PARAMETER, text);
        }
    };
    image().system.registry.create(&path);
    // SAFETY: the driver passes attributes and an output.
    unsafe { open(FUNCTION, registry::join(None, &path), attributes, output) }
}

/// `WdfRegistryClose`.
pub(crate) extern "win64" fn close(_globals: *const c_void, key: Handle) {
    find(key);
    object::delete_tree(&image(), key);
}

/// `WdfRegistryRemoveKey`.
pub(crate) extern "win64" fn remove_key(_globals: *const c_void, key: Handle) -> NtStatus {
    image().system.registry.remove(&find(key).0);
    object::delete_tree(&image(), key);
    STATUS_SUCCESS
}
