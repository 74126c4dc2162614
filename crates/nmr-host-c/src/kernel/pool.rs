//! Pool: blocks of the quarantine, each with its tag, counted, and failed on request.
// UNSAFETY: exported functions, and memory of the ordinary allocator where the quarantine has none.
#![expect(unsafe_code)]

use std::alloc::{self, Layout};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use registrar::{may_block, quarantine};

use super::debug;

const FLAG_UNINITIALIZED: u64 = 0x2;
const FLAG_PAGED: u64 = 0x100;

/// What a new block holds, unless it is zeroed.
const FRESH: u8 = 0xcd;

/// The blocks that are in use.
static POOL: Mutex<Pool> = Mutex::new(Pool {
    blocks: BTreeMap::new(),
    failing: 0,
});

struct Pool {
    blocks: BTreeMap<usize, Block>,
    /// The allocation that fails: 1 is the next one, and 0 none.
    failing: u64,
}

struct Block {
    size: usize,
    tag: u32,
    /// How to free it, if it is not the quarantine's.
    ordinary: Option<Layout>,
}

fn pool<T>(then: impl FnOnce(&mut Pool) -> T) -> T {
    then(&mut POOL.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The four characters of a tag.
fn text(tag: u32) -> String {
    String::from_utf8_lossy(&tag.to_le_bytes()).into_owned()
}

#[unsafe(export_name = "nmr_kernel_ExAllocatePool2")]
extern "efiapi" fn allocate(flags: u64, size: usize, tag: u32) -> *mut c_void {
    let fails = pool(|pool| {
        let fails = pool.failing == 1;
        pool.failing = pool.failing.saturating_sub(1);
        fails
    });
    let pageable = flags & FLAG_PAGED != 0;
    if pageable {
        may_block();
    }
    let Ok(layout) = Layout::from_size_align(size.max(1), 16) else {
        return ptr::null_mut();
    };
    if fails {
        return ptr::null_mut();
    }
    let mut block = quarantine::allocate(quarantine::Request {
        size: layout.size(),
        alignment: layout.align(),
        fill: FRESH,
        pageable,
    });
    let ordinary = block.is_null().then_some(layout);
    if ordinary.is_some() {
        // SAFETY: the layout is not empty.
        block = unsafe { alloc::alloc(layout) }.cast();
    }
    if block.is_null() {
        return block;
    }
    if flags & FLAG_UNINITIALIZED == 0 {
        // SAFETY: the block is new, and `size` is no more than the layout's.
        unsafe { block.cast::<u8>().write_bytes(0, size) };
    }
    let entry = Block {
        size,
        tag,
        ordinary,
    };
    pool(|pool| pool.blocks.insert(block.addr(), entry));
    block
}

/// Frees a block. A tag of 0 is any.
///
/// # Safety
///
/// * `block` is not used afterwards.
#[unsafe(export_name = "nmr_kernel_ExFreePoolWithTag")]
unsafe extern "efiapi" fn free(block: *mut c_void, tag: u32) {
    let Some(entry) = pool(|pool| pool.blocks.remove(&block.addr())) else {
        if quarantine::contains(block.addr()) {
            // The registrar reports a second free where it is one of a lent block.
            quarantine::free(block);
        }
        debug::stop(&format!(
            "BAD_POOL_CALLER: {block:p} is freed, which is no block in use"
        ));
    };
    if tag != 0 && tag != entry.tag {
        let (is, was) = (text(tag), text(entry.tag));
        debug::stop(&format!(
            "BAD_POOL_CALLER: {block:p} is freed with the tag '{is}' and was allocated with '{was}'"
        ));
    }
    match entry.ordinary {
        None => {
            quarantine::free(block);
        }
        // SAFETY: the block is one of `alloc`, of this layout, and is not used afterwards.
        Some(layout) => unsafe { alloc::dealloc(block.cast(), layout) },
    }
}

/// Writes every block in use to standard error, and counts them.
pub(super) fn leaks() -> usize {
    pool(|pool| {
        for (address, block) in &pool.blocks {
            let (size, tag) = (block.size, text(block.tag));
            debug::line(&format!(
                "{size} bytes at {address:#x} with the tag '{tag}' are not freed"
            ));
        }
        pool.blocks.len()
    })
}

#[unsafe(no_mangle)]
extern "C" fn nmr_kernel_pool_blocks() -> usize {
    pool(|pool| pool.blocks.len())
}

#[unsafe(no_mangle)]
extern "C" fn nmr_kernel_fail_allocation(n: u64) {
    pool(|pool| pool.failing = n);
}

#[unsafe(no_mangle)]
extern "C" fn nmr_kernel_will_fail_allocation() -> bool {
    pool(|pool| pool.failing != 0)
}
