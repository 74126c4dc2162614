//! Lookaside lists of memory objects. Each object gets pool of its own: nothing is kept for the next one.
// UNSAFETY: functions that images call.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use nmr_host::irql::{APC_LEVEL, DISPATCH_LEVEL};

use super::checks::{self, Parent};
use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::memory::Memory;
use super::object::{self, Kind};
use super::{Handle, check_irql, image, refuse, violation};
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};

/// A `WDFLOOKASIDE`: what its memory objects are.
#[derive(Debug)]
pub(crate) struct Lookaside {
    size: usize,
    kind: i32,
    tag: u32,
    attributes: Option<WDF_OBJECT_ATTRIBUTES>,
}

fn check_level(kind: i32) {
    check_irql(if kind & 1 == 0 {
        DISPATCH_LEVEL
    } else {
        APC_LEVEL
    });
}

/// `WdfLookasideListCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    size: usize,
    kind: i32,
    memory_attributes: *const WDF_OBJECT_ATTRIBUTES,
    tag: u32,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfLookasideListCreate";
    check_level(kind);
    if output.is_null() {
        violation("the output is null");
    }
    if size == 0 {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "the size is zero");
    }
    // SAFETY: the driver passes attributes or null.
    let checked =
        unsafe { checks::attributes(FUNCTION, memory_attributes, Parent::Optional, false) };
    match checked {
        Ok(of_memory) => {
            let list = Lookaside {
                size,
                kind,
                tag,
                attributes: of_memory,
            };
            let kind = Kind::Lookaside(Arc::new(list));
            // SAFETY: the driver passes attributes or null, and an output.
            unsafe { object::create_simple(FUNCTION, attributes, output, kind) }
        }
        Err(status) => status,
    }
}

/// `WdfMemoryCreateFromLookaside`.
pub(crate) unsafe extern "win64" fn create_memory(
    _globals: *const c_void,
    list: Handle,
    output: *mut Handle,
) -> NtStatus {
    let Some(Kind::Lookaside(list)) = object::kind(list) else {
        violation(format_args!("{list:p} is not a lookaside list"))
    };
    check_level(list.kind);
    if output.is_null() {
        violation("the output is null");
    }
    let image = image();
    let driver = image.framework().lock().driver.clone();
    let driver = driver.map(|driver| driver.handle);
    let made = Memory::pool(&image, list.kind, list.tag, list.size);
    let made = made.and_then(|memory| {
        let kind = Kind::Memory(Arc::new(memory));
        object::make(&image, kind, driver, list.attributes)
    });
    match made {
        Ok(memory) => {
            // SAFETY: the driver passes an output.
            unsafe { output.write(memory) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}
