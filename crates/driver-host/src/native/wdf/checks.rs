//! The checks of object attributes that the framework makes.
// UNSAFETY: attributes are behind pointers of the driver.
#![expect(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;

use super::layout::{WDF_OBJECT_ATTRIBUTES, WDF_OBJECT_CONTEXT_TYPE_INFO};
use super::object;
use super::{Handle, image, refuse, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_DEVICE_REQUEST,
    STATUS_WDF_EXECUTION_LEVEL_INVALID, STATUS_WDF_OBJECT_ATTRIBUTES_INVALID,
    STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED, STATUS_WDF_PARENT_NOT_SPECIFIED,
    STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID,
};

/// What an object may have for a parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Parent {
    /// None: the framework decides.
    Forbidden,
    /// One or none.
    Optional,
    /// One.
    Required,
}

const INHERIT: i32 = 1;
const NO_SCOPE: i32 = 4;

/// Reads and checks attributes. `levels` says whether the object has an execution level and a
/// synchronization scope of its own.
///
/// # Safety
///
/// `attributes` is null or valid for a read, as is the type information in it.
pub(super) unsafe fn attributes(
    function: &'static str,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    parent: Parent,
    levels: bool,
) -> Result<Option<WDF_OBJECT_ATTRIBUTES>, NtStatus> {
    if attributes.is_null() {
        return if parent == Parent::Required {
            let status = STATUS_WDF_PARENT_NOT_SPECIFIED;
            Err(refuse(function, status, "needs attributes with a parent"))
        } else {
            Ok(None)
        };
    }
    // SAFETY: the structure is valid; the driver guarantees it.
    let value = unsafe { attributes.read() };
    check_size(
        function,
        value.Size,
        size_of::<WDF_OBJECT_ATTRIBUTES>(),
        "attributes",
    )?;
    // SAFETY: the type information is valid; the driver guarantees it.
    let info = unsafe { type_info(function, value.ContextTypeInfo) }?;
    check(value, info, parent, levels).map_err(|(status, text)| refuse(function, status, text))?;
    Ok(Some(value))
}

/// Reads and checks the type information of a context, if there is any.
///
/// # Safety
///
/// It is null or valid for a read.
pub(super) unsafe fn type_info(
    function: &'static str,
    info: *const WDF_OBJECT_CONTEXT_TYPE_INFO,
) -> Result<Option<WDF_OBJECT_CONTEXT_TYPE_INFO>, NtStatus> {
    if info.is_null() {
        return Ok(None);
    }
    // SAFETY: the structure is valid; the driver guarantees it.
    let info = unsafe { info.read() };
    let size = size_of::<WDF_OBJECT_CONTEXT_TYPE_INFO>();
    check_size(function, info.Size, size, "context type")?;
    Ok(Some(info))
}

/// Checks the parent rule of work items, timers and DPC objects: their parent is a device or below one.
/// Returns the parent.
pub(super) fn device_above(
    function: &'static str,
    attributes: Option<WDF_OBJECT_ATTRIBUTES>,
) -> Result<Handle, NtStatus> {
    let image = image();
    let parent = attributes.map_or(std::ptr::null_mut(), |own| own.ParentObject);
    if image.framework().lock().objects.get(parent).is_none() {
        violation(format_args!("the parent {parent:p} is not an object"));
    }
    if object::has_device(&image, parent) {
        return Ok(parent);
    }
    let text = "its parent is no device, and below none";
    Err(refuse(function, STATUS_INVALID_DEVICE_REQUEST, text))
}

/// Reads a structure that begins with its size, and was shorter in older releases: what an older driver does not
/// have is zero. Of one of another size only the size is read.
///
/// # Safety
///
/// The structure can be read, as far as it says that it goes, and `T` may be all zeros.
pub(super) unsafe fn read_sized<T>(from: *const T, older: &[usize]) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the structure begins with its size, by this contract.
    let size = unsafe { from.cast::<u32>().read() } as usize;
    let known = size == size_of::<T>() || older.contains(&size);
    let length = if known { size } else { size_of::<u32>() };
    // SAFETY: both are this long: no release had a longer structure.
    unsafe { ptr::copy(from.cast::<u8>(), value.as_mut_ptr().cast(), length) };
    // SAFETY: the structure may be all zeros, by this contract.
    unsafe { value.assume_init() }
}

/// Checks a `Size` field.
pub(super) fn check_size(
    function: &'static str,
    found: u32,
    expected: usize,
    what: &str,
) -> Result<(), NtStatus> {
    if found as usize == expected {
        return Ok(());
    }
    let text = format!("the Size of its {what} is {found:#x}, not {expected:#x}");
    Err(refuse(function, STATUS_INFO_LENGTH_MISMATCH, text))
}

/// The rules, in the framework's order.
fn check(
    value: WDF_OBJECT_ATTRIBUTES,
    info: Option<WDF_OBJECT_CONTEXT_TYPE_INFO>,
    parent: Parent,
    levels: bool,
) -> Result<(), (NtStatus, &'static str)> {
    let invalid = STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
    if info.is_some_and(|info| info.ContextSize > 0 && info.ContextName.is_null()) {
        return Err((invalid, "a context type with a size has no name"));
    }
    let size = info.map(|info| info.ContextSize);
    if value.ContextSizeOverride > 0 && size.is_none_or(|size| value.ContextSizeOverride < size) {
        return Err((
            invalid,
            "ContextSizeOverride is less than the size of the context type",
        ));
    }
    if parent == Parent::Forbidden && !value.ParentObject.is_null() {
        return Err((
            STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED,
            "it cannot have a parent",
        ));
    }
    if parent == Parent::Required && value.ParentObject.is_null() {
        return Err((STATUS_WDF_PARENT_NOT_SPECIFIED, "it needs a parent"));
    }
    if !(1..=3).contains(&value.ExecutionLevel) {
        return Err((
            invalid,
            "ExecutionLevel is not 1 to 3: the initializer sets 1",
        ));
    }
    if !(1..=4).contains(&value.SynchronizationScope) {
        return Err((
            invalid,
            "SynchronizationScope is not 1 to 4: the initializer sets 1",
        ));
    }
    if !levels && ![INHERIT, NO_SCOPE].contains(&value.SynchronizationScope) {
        return Err((
            STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID,
            "it has no SynchronizationScope",
        ));
    }
    if !levels && value.ExecutionLevel != INHERIT {
        return Err((
            STATUS_WDF_EXECUTION_LEVEL_INVALID,
            "it has no ExecutionLevel",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_structure_has_zeros_for_what_is_new() {
        let read = |size: u32| {
            let given = [size, 1, 2, 3];
            // SAFETY: the structure is four numbers.
            unsafe { read_sized(&raw const given, &[8]) }
        };
        assert_eq!(read(16), [16, 1, 2, 3]);
        assert_eq!(read(8), [8, 1, 0, 0]);
        assert_eq!(read(12), [12, 0, 0, 0]);
    }
}
