//! Lookaside lists: `ExInitializeNPagedLookasideList`, `ExInitializePagedLookasideList`,
//! `ExInitializeLookasideListEx`, and their ends. Headers take entries from a list and give them back inline,
//! by its [sequenced list](super::list) and the functions that are in it.
//!
//! Levels and statuses are those of the pages of these names in Microsoft's reference of `wdm.h`.
// UNSAFETY: lists are in the memory of images, with functions of the image.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::irql::{APC_LEVEL, DISPATCH_LEVEL, Irql};

use super::list::Sequenced;
use super::object::object;
use super::pool;
use crate::native::crossing;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::irql::check_level;
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_PARAMETER_4, STATUS_SUCCESS};

/// `GENERAL_LOOKASIDE`.
#[repr(C)]
pub(crate) struct Lookaside {
    entries: Sequenced,
    depth: u16,
    maximum_depth: u16,
    allocates: u32,
    allocate_misses: u32,
    frees: u32,
    free_misses: u32,
    pool: i32,
    tag: u32,
    size: u32,
    allocate: usize,
    free: usize,
    _list: [usize; 2],
    _last: [u32; 4],
}

const _: () = assert!(size_of::<Lookaside>() == 0x60);
const _: () = assert!(std::mem::offset_of!(Lookaside, allocate) == 0x30);

/// How many entries a list keeps, at first and at most.
const DEPTH: u16 = 4;
const MAXIMUM_DEPTH: u16 = 256;

/// The pool types that lists have.
const NON_PAGED: i32 = 0;
const PAGED: i32 = 1;
const NON_PAGED_NX: i32 = 512;

/// The smallest entry: it holds a link while it is in the list.
const SMALLEST: usize = 16;

/// The functions of a list whose driver has none, if they have the list as a parameter.
const ALLOCATE_EX: &str = "the allocate routine of a LOOKASIDE_LIST_EX";
const FREE_EX: &str = "the free routine of a LOOKASIDE_LIST_EX";

/// Those functions, which drivers find in their lists only.
pub(crate) fn routines() -> [(&'static str, *const ()); 2] {
    [
        (ALLOCATE_EX, allocate_ex as *const ()),
        (FREE_EX, free_ex as *const ()),
    ]
}

/// Writes an empty list. Its functions are those of the driver, or those of pool as the driver would import them.
///
/// # Safety
///
/// There is memory for a list.
unsafe fn write(
    list: *mut Lookaside,
    functions: [usize; 2],
    pool: i32,
    size: usize,
    tag: u32,
    ex: bool,
) {
    let image = call::caller().image;
    let routine = |name| image.routine(name).unwrap_or_default();
    let [allocate, free] = functions;
    let defaults = if ex {
        [ALLOCATE_EX, FREE_EX]
    } else {
        ["ExAllocatePoolWithTag", "ExFreePool"]
    };
    let or_default = |function, default| match function {
        0 => routine(default),
        function => function,
    };
    let value = Lookaside {
        entries: Sequenced::default(),
        depth: DEPTH,
        maximum_depth: MAXIMUM_DEPTH,
        allocates: 0,
        allocate_misses: 0,
        frees: 0,
        free_misses: 0,
        pool,
        tag,
        size: size.max(SMALLEST) as u32,
        allocate: or_default(allocate, defaults[0]),
        free: or_default(free, defaults[1]),
        _list: [0; 2],
        _last: [0; 4],
    };
    // SAFETY: there is memory for a list, by this contract; a fault here is the image's.
    let _touched = unsafe { object(list) };
    // SAFETY: as above.
    unsafe { list.write(value) };
}

/// Highest level: `DISPATCH_LEVEL`. The depth is reserved, and zero.
pub(crate) unsafe extern "win64" fn initialize_non_paged(
    list: *mut Lookaside,
    allocate: usize,
    free: usize,
    flags: u32,
    size: usize,
    tag: u32,
    _depth: u16,
) {
    /// `POOL_NX_ALLOCATION`.
    const NX: u32 = 512;
    check_level(DISPATCH_LEVEL);
    let pool = if flags & NX != 0 {
        NON_PAGED_NX
    } else {
        NON_PAGED
    };
    // SAFETY: the driver passes memory for a list.
    unsafe { write(list, [allocate, free], pool, size, tag, false) };
}

/// Highest level: `APC_LEVEL`.
pub(crate) unsafe extern "win64" fn initialize_paged(
    list: *mut Lookaside,
    allocate: usize,
    free: usize,
    _flags: u32,
    size: usize,
    tag: u32,
    _depth: u16,
) {
    check_level(APC_LEVEL);
    // SAFETY: the driver passes memory for a list.
    unsafe { write(list, [allocate, free], PAGED, size, tag, false) };
}

/// Highest level: `DISPATCH_LEVEL`, and `APC_LEVEL` for paged pool.
pub(crate) unsafe extern "win64" fn initialize_ex(
    list: *mut Lookaside,
    allocate: usize,
    free: usize,
    pool: i32,
    flags: u32,
    size: usize,
    tag: u32,
    _depth: u16,
) -> NtStatus {
    /// `EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL`.
    const RAISE: u32 = 1;
    /// `EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE`.
    const FAIL: u32 = 2;
    check_level(highest(pool));
    if ![NON_PAGED, PAGED, NON_PAGED_NX].contains(&pool) {
        return STATUS_INVALID_PARAMETER_4;
    }
    match flags {
        0 | FAIL => {}
        RAISE => misuse(
            "EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL needs structured exceptions, which this host lacks",
        ),
        other => misuse(format!("the flags {other:#x} are invalid")),
    }
    // SAFETY: the driver passes memory for a list.
    unsafe { write(list, [allocate, free], pool, size, tag, true) };
    STATUS_SUCCESS
}

/// The highest level for a list with entries of a type of pool.
fn highest(pool: i32) -> Irql {
    if pool & 1 == 0 {
        DISPATCH_LEVEL
    } else {
        APC_LEVEL
    }
}

extern "win64" fn allocate_ex(
    pool: i32,
    size: usize,
    tag: u32,
    _list: *const Lookaside,
) -> *mut c_void {
    pool::allocate_with_tag(pool, size, tag)
}

extern "win64" fn free_ex(entry: *mut c_void, _list: *const Lookaside) {
    pool::free(entry);
}

/// Frees the entries of a list by its function.
///
/// # Safety
///
/// There is a list.
unsafe fn drain(list: *mut Lookaside) {
    // SAFETY: there is a list, by this contract.
    let own = unsafe { object(list) };
    let (image, free) = (call::caller().image, own.free);
    while let entry = own.entries.pop()
        && !entry.is_null()
    {
        let arguments = [entry.expose_provenance(), list.expose_provenance()];
        // SAFETY: it is the function of the list, which frees what the list has; one with fewer arguments is called
        // in the same way.
        unsafe {
            crossing::call(
                &image,
                "the free routine of a lookaside list",
                free,
                arguments,
            )
        };
    }
}

/// Highest level: `DISPATCH_LEVEL`, and `APC_LEVEL` for paged pool.
pub(crate) unsafe extern "win64" fn delete(list: *mut Lookaside) {
    // SAFETY: the driver passes a list.
    let pool = unsafe { object(list) }.pool;
    check_level(highest(pool));
    // SAFETY: as above.
    unsafe { drain(list) };
}

/// As for the end of a list, which stays usable.
pub(crate) unsafe extern "win64" fn flush(list: *mut Lookaside) {
    // SAFETY: the driver passes a list.
    unsafe { delete(list) };
}
