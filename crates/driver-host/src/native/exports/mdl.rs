//! MDLs: `IoAllocateMdl`, `IoFreeMdl`, `MmBuildMdlForNonPagedPool`, `MmProbeAndLockPages`, `MmUnlockPages`,
//! `MmMapLockedPagesSpecifyCache`, `MmUnmapLockedPages`; and `ProbeForRead`, `ProbeForWrite`.
//! Headers do the rest inline: `MmGetSystemAddressForMdlSafe`, `MmGetMdlByteCount`.
//!
//! Levels and flags are those of the pages of these names in Microsoft's reference of `wdm.h`.
//!
//! Programs and drivers share the memory of the process, so every buffer is mapped where it is.
// UNSAFETY: MDLs and buffers in the memory of images.
#![expect(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use nmr_host::irql::{APC_LEVEL, DISPATCH_LEVEL};

use super::object::object;
use super::pool;
use crate::native::kernel::call::{self, misuse, raise};
use crate::native::kernel::exception::Exception;
use crate::native::kernel::irql::check_level;
use crate::native::kernel::mdl::{self, LOCKED, MAPPED, Mdl, NON_PAGED, WRITE};
use crate::native::kernel::peek::{USER_END, first_gap};
use crate::native::kernel::points;
use crate::pe::PAGE;

/// Reads the MDL at an address.
///
/// # Safety
///
/// There is an MDL.
unsafe fn read(mdl: *const Mdl) -> Mdl {
    // SAFETY: there is an MDL, by this contract.
    *unsafe { object(mdl) }
}

/// Changes the flags of an MDL, and where it is mapped.
///
/// # Safety
///
/// There is an MDL.
unsafe fn write(mdl: *mut Mdl, flags: i16, mapped: usize) {
    // SAFETY: there is an MDL, by this contract.
    unsafe { (*mdl).flags = flags };
    // SAFETY: as above.
    unsafe { (*mdl).mapped = mapped };
}

/// Highest level: `DISPATCH_LEVEL`. With an IRP the MDL becomes that of the IRP, or the last of its MDLs.
pub(crate) unsafe extern "win64" fn allocate(
    buffer: usize,
    length: u32,
    secondary: u8,
    _quota: u8,
    irp: *mut *mut Mdl,
) -> *mut Mdl {
    /// Where an `IRP` has its `MdlAddress`, in words.
    const MDL_ADDRESS: usize = 1;
    check_level(DISPATCH_LEVEL);
    if points::may_be_null() {
        return ptr::null_mut();
    }
    let mdl = mdl::allocate(&call::caller().image, buffer, length as usize, 0);
    if mdl.is_null() || irp.is_null() {
        return mdl;
    }
    let mut place = irp.wrapping_add(MDL_ADDRESS);
    if secondary != 0 {
        // SAFETY: `irp` points to an IRP with MDLs; the driver guarantees it.
        while let last = unsafe { place.read() }
            && !last.is_null()
        {
            // Its link is its first field.
            place = last.cast();
        }
    }
    // SAFETY: the place is in the IRP, or in the last of its MDLs.
    unsafe { place.write(mdl) };
    mdl
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) unsafe extern "win64" fn free(mdl: *mut Mdl) {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `mdl` points to an MDL; the driver guarantees it.
    if unsafe { read(mdl) }.flags & LOCKED != 0 {
        misuse("the pages of the MDL are locked: call MmUnlockPages first");
    }
    pool::free(mdl.cast());
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) unsafe extern "win64" fn build_non_paged(mdl: *mut Mdl) {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `mdl` points to an MDL; the driver guarantees it.
    let own = unsafe { read(mdl) };
    let (start, _) = own.buffer();
    let image = call::caller().image;
    if image.system.pool.is_paged(start) {
        misuse("the buffer is in paged pool");
    }
    // SAFETY: as above.
    unsafe { write(mdl, own.flags | NON_PAGED, start) };
}

/// Highest level: `DISPATCH_LEVEL`, and `APC_LEVEL` for memory that can be paged out.
pub(crate) unsafe extern "win64" fn lock(mdl: *mut Mdl, mode: u8, operation: i32) {
    const READ_ACCESS: i32 = 0;
    check_level(DISPATCH_LEVEL);
    // SAFETY: `mdl` points to an MDL; the driver guarantees it.
    let own = unsafe { read(mdl) };
    if own.flags & (LOCKED | NON_PAGED) != 0 {
        misuse("the pages of the MDL are locked already, or non-paged pool");
        return;
    }
    let (start, length) = own.buffer();
    if mode != 0 {
        check_level(APC_LEVEL);
        if !check_range(start, length) {
            return;
        }
    }
    let writes = operation != READ_ACCESS;
    if !touch(start, length, writes) {
        return;
    }
    let flags = own.flags | LOCKED | if writes { WRITE } else { 0 };
    // SAFETY: as above.
    unsafe { write(mdl, flags, 0) };
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) unsafe extern "win64" fn unlock(mdl: *mut Mdl) {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `mdl` points to an MDL; the driver guarantees it.
    let own = unsafe { read(mdl) };
    if own.flags & LOCKED == 0 {
        misuse("the pages of the MDL are not locked");
    }
    // SAFETY: as above.
    unsafe { write(mdl, own.flags & !(LOCKED | MAPPED | WRITE), 0) };
}

/// Highest level: `DISPATCH_LEVEL`, and `APC_LEVEL` for a mapping in user mode.
pub(crate) unsafe extern "win64" fn map(
    mdl: *mut Mdl,
    mode: u8,
    _cache: i32,
    _address: usize,
    _bug_check: u32,
    _priority: u32,
) -> usize {
    check_level(if mode == 0 { DISPATCH_LEVEL } else { APC_LEVEL });
    // SAFETY: `mdl` points to an MDL; the driver guarantees it.
    let own = unsafe { read(mdl) };
    if own.flags & LOCKED == 0 {
        misuse("the pages of the MDL are not locked");
    }
    if points::may_be_null() {
        return 0;
    }
    let (start, _) = own.buffer();
    // SAFETY: as above.
    unsafe { write(mdl, own.flags | MAPPED, start) };
    start
}

/// Highest level: `DISPATCH_LEVEL`.
pub(crate) unsafe extern "win64" fn unmap(address: usize, mdl: *mut Mdl) {
    check_level(DISPATCH_LEVEL);
    // SAFETY: `mdl` points to an MDL; the driver guarantees it.
    let own = unsafe { read(mdl) };
    if own.flags & MAPPED == 0 || own.mapped != address {
        misuse(format!("the MDL is not mapped at {address:#x}"));
    }
    // SAFETY: as above.
    unsafe { write(mdl, own.flags & !MAPPED, 0) };
}

/// Touches every page of a buffer. Raises an exception where nothing is, and returns `false`. A buffer that cannot be
/// written faults; the fault is the image's.
fn touch(start: usize, length: usize, writes: bool) -> bool {
    let page = PAGE as usize;
    let end = start.saturating_add(length);
    if let Some(gap) = first_gap(start, end) {
        let exception = Exception::access(writes, gap);
        raise("STATUS_ACCESS_VIOLATION", exception, Some(gap));
        return false;
    }
    let mut place = start;
    while place < end {
        let byte = ptr::with_exposed_provenance_mut::<u8>(place);
        // SAFETY: the byte is in a buffer of the driver or of a program; a fault here is the image's, and is
        // reported as such.
        let byte = unsafe { AtomicU8::from_ptr(byte) };
        if writes {
            byte.fetch_or(0, Ordering::Relaxed);
        } else {
            byte.load(Ordering::Relaxed);
        }
        place = (place / page + 1) * page;
    }
    true
}

/// Raises an exception for a buffer that no program can have, and returns `false`.
fn check_range(start: usize, length: usize) -> bool {
    let end = start.checked_add(length);
    let outside = end.is_none_or(|end| end > USER_END);
    if outside {
        let what = "STATUS_ACCESS_VIOLATION for a buffer of the kernel";
        raise(
            what,
            Exception::new(Exception::ACCESS_VIOLATION),
            Some(start),
        );
    }
    !outside
}

fn probe(start: usize, length: usize, alignment: u32, writes: bool) {
    check_level(APC_LEVEL);
    if length == 0 {
        return;
    }
    if !start.is_multiple_of(alignment.max(1) as usize) {
        let exception = Exception::new(Exception::DATATYPE_MISALIGNMENT);
        raise("STATUS_DATATYPE_MISALIGNMENT", exception, Some(start));
    } else if check_range(start, length) && writes {
        touch(start, length, true);
    }
}

/// Highest level: `APC_LEVEL`. It looks at the range only.
pub(crate) extern "win64" fn probe_for_read(start: usize, length: usize, alignment: u32) {
    probe(start, length, alignment, false);
}

/// Highest level: `APC_LEVEL`.
pub(crate) extern "win64" fn probe_for_write(start: usize, length: usize, alignment: u32) {
    probe(start, length, alignment, true);
}
