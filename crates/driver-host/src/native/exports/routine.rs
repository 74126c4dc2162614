//! `MmGetSystemRoutineAddress`: finds the functions of the kernel that this host has.
// UNSAFETY: the name is a string of the image.
#![expect(unsafe_code)]

use std::ptr;

use nmr_host::irql::PASSIVE_LEVEL;

use crate::native::kernel::call;
use crate::native::kernel::irql::check_level;
use crate::native::kernel::nt::UNICODE_STRING;
use crate::native::kernel::text;

pub(crate) unsafe extern "win64" fn find(name: *const UNICODE_STRING) -> *const () {
    check_level(PASSIVE_LEVEL);
    // SAFETY: the driver passes a string.
    let name = unsafe { text::unicode(name) }.unwrap_or_default();
    let found = call::caller().image.routine(&name);
    ptr::with_exposed_provenance(found.unwrap_or_default())
}
