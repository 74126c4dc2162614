//! Pool: `ExAllocatePool2`, `ExAllocatePoolWithTag`, `ExFreePool`, `ExFreePoolWithTag`, with the checks of
//! Driver Verifier on their arguments and levels.

use std::ffi::c_void;
use std::ptr;

use nmr_host::irql::{self, DISPATCH_LEVEL};

use super::bugcheck;
use crate::native::kernel::call::{self, misuse};
use crate::native::kernel::exception::Exception;
use crate::native::kernel::points;
use crate::native::kernel::pool::{FRESH_BYTE, Wanted};
use crate::native::kernel::report::Fault;

const UNINITIALIZED: u64 = 0x2;
const RAISE_ON_FAILURE: u64 = 0x20;
const NON_PAGED: u64 = 0x40;
const NON_PAGED_EXECUTE: u64 = 0x80;
const PAGED: u64 = 0x100;

/// `ExAllocatePool2`.
pub(crate) extern "win64" fn allocate_2(flags: u64, size: usize, tag: u32) -> *mut c_void {
    let kind = flags & (NON_PAGED | NON_PAGED_EXECUTE | PAGED);
    if kind.count_ones() != 1 {
        misuse(format!("the flags {flags:#x} do not name one kind of pool"));
        return ptr::null_mut();
    }
    let fill = if flags & UNINITIALIZED == 0 {
        0
    } else {
        FRESH_BYTE
    };
    let block = allocate(size, tag, fill, kind == PAGED);
    if block.is_null() && flags & RAISE_ON_FAILURE != 0 {
        let exception = Exception::new(Exception::INSUFFICIENT_RESOURCES);
        call::raise("STATUS_INSUFFICIENT_RESOURCES", exception, None);
    }
    block
}

/// `ExAllocatePoolWithTag`. Paged pool has an odd type.
pub(crate) extern "win64" fn allocate_with_tag(kind: i32, size: usize, tag: u32) -> *mut c_void {
    allocate(size, tag, FRESH_BYTE, kind & 1 != 0)
}

fn allocate(size: usize, tag: u32, fill: u8, paged: bool) -> *mut c_void {
    let level = irql::current();
    if level > DISPATCH_LEVEL || (paged && level >= DISPATCH_LEVEL) {
        misuse(format!("allocated at {level}"));
    }
    if tag == 0 {
        misuse("the tag is zero");
    }
    if size == 0 {
        misuse("the size is zero");
        return ptr::null_mut();
    }
    if points::may_be_null() {
        return ptr::null_mut();
    }
    let image = call::caller().image;
    let wanted = Wanted { size, fill, paged };
    image.system.pool.allocate(&image, wanted, tag)
}

/// `ExFreePool`.
pub(crate) extern "win64" fn free(block: *mut c_void) {
    free_block(block, None);
}

/// `ExFreePoolWithTag`. The top bit of a tag is the mark of protected pool.
pub(crate) extern "win64" fn free_with_tag(block: *mut c_void, tag: u32) {
    free_block(block, (tag != 0).then_some(tag & 0x7fff_ffff));
}

const BAD_POOL_CALLER: u32 = 0xc2;

fn free_block(block: *mut c_void, tag: Option<u32>) {
    if irql::current() > DISPATCH_LEVEL {
        misuse(format!("freed at {}", irql::current()));
    }
    let image = call::caller().image;
    let Some((freed, intact)) = image.system.pool.free(block.addr()) else {
        bugcheck::stop(BAD_POOL_CALLER, [0x7, 0, 0, block.addr() as u64]);
    };
    if freed.paged && irql::current() >= DISPATCH_LEVEL {
        misuse(format!("freed paged pool at {}", irql::current()));
    }
    if tag.is_some_and(|tag| tag != freed.tag & 0x7fff_ffff) {
        let tag = u64::from(tag.unwrap_or_default());
        bugcheck::stop(
            BAD_POOL_CALLER,
            [0xa, block.addr() as u64, freed.tag.into(), tag],
        );
    }
    if !intact {
        freed.owner.report(Fault::Misuse {
            function: "pool".to_owned(),
            text: format!(
                "wrote outside of the {} bytes of allocation {}, tag '{}'",
                freed.size,
                freed.number,
                freed.tag.to_le_bytes().escape_ascii()
            ),
        });
    }
}
