//! Contexts: memory of the driver that belongs to an object, found by its type.
// UNSAFETY: type information of the driver, and memory that it uses.
#![expect(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;

use super::checks::{self, Parent};
use super::image;
use super::layout::{Callback, WDF_OBJECT_ATTRIBUTES, WDF_OBJECT_CONTEXT_TYPE_INFO};
use super::violation;
use crate::native::kernel::nt::{NtStatus, STATUS_OBJECT_NAME_EXISTS, STATUS_SUCCESS};
use crate::native::kernel::points;
use crate::native::wdf::Handle;

/// The context of one type, or only the callbacks of attributes without a type.
#[derive(Debug)]
pub(super) struct Context {
    /// The address of the type information that identifies the type; 0 if there is none.
    unique: usize,
    memory: Box<[UnsafeCell<u128>]>,
    cleanup: Callback,
    destroy: Callback,
}

// SAFETY: the memory is only handed to the driver, whose threads share it as in the kernel.
unsafe impl Send for Context {}

impl Context {
    /// Makes the context that attributes ask for, if they ask for anything.
    ///
    /// # Safety
    ///
    /// Their type information is null or can be read.
    pub(super) unsafe fn new(attributes: WDF_OBJECT_ATTRIBUTES) -> Option<Self> {
        let (cleanup, destroy) = (attributes.EvtCleanupCallback, attributes.EvtDestroyCallback);
        let info = attributes.ContextTypeInfo;
        if info.is_null() {
            let wanted = cleanup != 0 || destroy != 0;
            let memory = Box::default();
            return wanted.then_some(Self {
                unique: 0,
                memory,
                cleanup,
                destroy,
            });
        }
        // SAFETY: it is valid; the driver guarantees it.
        let size = unsafe { info.read() }.ContextSize;
        let units = size.max(attributes.ContextSizeOverride).div_ceil(16);
        // SAFETY: it is valid; the driver guarantees it.
        let unique = unsafe { unique(info) };
        let memory = (0..units.max(1)).map(|_| UnsafeCell::new(0)).collect();
        Some(Self {
            unique,
            memory,
            cleanup,
            destroy,
        })
    }

    fn address(&self) -> *mut c_void {
        self.memory
            .first()
            .map_or(ptr::null_mut(), UnsafeCell::get)
            .cast()
    }

    pub(super) fn is_at(&self, address: *const c_void) -> bool {
        self.unique != 0 && self.address().cast_const() == address
    }

    pub(super) fn cleanup(&self) -> Callback {
        self.cleanup
    }

    pub(super) fn destroy(&self) -> Callback {
        self.destroy
    }
}

/// What identifies a type: the information that it names, else its own address.
///
/// # Safety
///
/// `info` can be read.
unsafe fn unique(info: *const WDF_OBJECT_CONTEXT_TYPE_INFO) -> usize {
    // SAFETY: it is valid; the driver guarantees it.
    let named = unsafe { info.read() }.UniqueType;
    if named.is_null() {
        info.addr()
    } else {
        named.addr()
    }
}

/// `WdfObjectGetTypedContextWorker`.
pub(crate) unsafe extern "win64" fn get_typed(
    _globals: *const c_void,
    object: Handle,
    info: *const WDF_OBJECT_CONTEXT_TYPE_INFO,
) -> *mut c_void {
    // SAFETY: it is valid; the driver guarantees it.
    let wanted = unsafe { unique(info) };
    let image = image();
    let state = image.framework().lock();
    let Some(found) = state.objects.get(object) else {
        drop(state);
        violation(format_args!("{object:p} is not an object"));
    };
    let context = found
        .contexts
        .iter()
        .find(|context| context.unique == wanted);
    context.map_or(ptr::null_mut(), Context::address)
}

/// `WdfObjectAllocateContext`.
pub(crate) unsafe extern "win64" fn allocate(
    _globals: *const c_void,
    object: Handle,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut *mut c_void,
) -> NtStatus {
    const FUNCTION: &str = "WdfObjectAllocateContext";
    // SAFETY: they are valid; the driver guarantees it.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Forbidden, false) };
    let attributes = match checked {
        Ok(Some(attributes)) if !attributes.ContextTypeInfo.is_null() => attributes,
        Ok(_) => violation("it needs attributes with a context type"),
        Err(status) => return status,
    };
    if let Err(status) = points::may_fail() {
        return status;
    }
    let image = image();
    // SAFETY: the attributes have been checked, and their type information read.
    let context = unsafe { Context::new(attributes) };
    let mut state = image.framework().lock();
    let (Some(found), Some(context)) = (state.objects.get_mut(object), context) else {
        drop(state);
        violation(format_args!("{object:p} is not an object"));
    };
    let existing = found
        .contexts
        .iter()
        .find(|own| own.unique == context.unique);
    let (status, address) = match existing {
        Some(existing) => (STATUS_OBJECT_NAME_EXISTS, existing.address()),
        None => (STATUS_SUCCESS, context.address()),
    };
    if status == STATUS_SUCCESS {
        found.contexts.push(context);
    }
    if !output.is_null() {
        // SAFETY: the output is valid; the driver guarantees it.
        unsafe { output.write(address) };
    }
    status
}

/// `WdfObjectContextGetObject`.
pub(crate) extern "win64" fn owner(_globals: *const c_void, context: *const c_void) -> Handle {
    let found = image().framework().lock().objects.with_context(context);
    found.unwrap_or_else(|| violation(format_args!("{context:p} is not a context")))
}
