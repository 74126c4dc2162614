//! Pool. A block is aligned to 16 bytes and deliberately to no more (to a page, from a page on), lies
//! between guards, belongs to the driver that allocated it, and is overwritten when it is freed. In
//! special pool it is a block of nmr-host's quarantine instead.
// UNSAFETY: it hands out memory.
#![expect(unsafe_code)]

use std::alloc::{self, Layout};
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nmr_host::quarantine::{self, Request};

use super::loaded::Loaded;
use crate::pe::PAGE;

/// The pool of a host.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    blocks: HashMap<usize, Block>,
    /// How many allocations there were.
    count: u64,
    /// Whether blocks come from the quarantine.
    special: bool,
}

#[derive(Debug)]
pub(crate) struct Block {
    memory: Memory,
    pub(crate) size: usize,
    pub(crate) tag: u32,
    pub(crate) number: u64,
    pub(crate) paged: bool,
    pub(crate) owner: Arc<Loaded>,
}

/// Where a block is from.
#[derive(Clone, Copy, Debug)]
enum Memory {
    /// Memory of its own, with guards.
    Guarded(NonNull<u8>, Layout),
    /// The quarantine.
    Special,
}

// SAFETY: a block is plain memory.
unsafe impl Send for Memory {}

/// A block that an image left behind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Left {
    pub(crate) number: u64,
    pub(crate) tag: u32,
    pub(crate) size: usize,
}

/// How much is in front of a block and behind it.
const GUARD: usize = 16;
const GUARD_BYTE: u8 = 0xa5;
/// What memory holds that was not asked to be zero.
pub(crate) const FRESH_BYTE: u8 = 0xcd;
/// What memory holds that was freed.
const DEAD_BYTE: u8 = 0xdd;

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn in_use(&self) -> usize {
        self.lock().blocks.values().map(|block| block.size).sum()
    }

    /// From now on, blocks come from the quarantine.
    pub(crate) fn use_quarantine(&self) {
        self.lock().special = true;
    }

    /// Allocates a block for a driver, or returns null.
    pub(crate) fn allocate(&self, image: &Arc<Loaded>, wanted: Wanted, tag: u32) -> *mut c_void {
        let mut state = self.lock();
        state.count += 1;
        let number = state.count;
        let place = if state.special {
            special(wanted)
        } else {
            guarded(wanted)
        };
        let Some((start, memory)) = place else {
            return ptr::null_mut();
        };
        let owner = Arc::clone(image);
        state.blocks.insert(
            start.expose_provenance(),
            Block {
                memory,
                size: wanted.size,
                tag,
                number,
                paged: wanted.paged,
                owner,
            },
        );
        start
    }

    /// Frees a block. Returns it, and whether its guards are intact.
    pub(crate) fn free(&self, start: usize) -> Option<(Block, bool)> {
        let block = self.lock().blocks.remove(&start)?;
        let intact = match block.memory {
            Memory::Guarded(..) => block.release(start),
            Memory::Special => quarantine::free(ptr::with_exposed_provenance_mut(start)),
        };
        Some((block, intact))
    }

    /// How many bytes there are from an address to the end of its block, if it is in one.
    pub(crate) fn behind(&self, address: usize) -> Option<usize> {
        let state = self.lock();
        let inside = |(start, block): (&usize, &Block)| {
            let offset = address.checked_sub(*start)?;
            block.size.checked_sub(offset).filter(|&size| size > 0)
        };
        state.blocks.iter().find_map(inside)
    }

    /// Returns `true` if an address is in a block of paged pool.
    pub(crate) fn is_paged(&self, address: usize) -> bool {
        let state = self.lock();
        let inside = |(start, block): (&usize, &Block)| {
            let offset = address.checked_sub(*start);
            block.paged && offset.is_some_and(|offset| offset < block.size)
        };
        state.blocks.iter().any(inside)
    }

    /// The addresses of what an image has not freed.
    pub(crate) fn of(&self, image: &Arc<Loaded>) -> Vec<usize> {
        let state = self.lock();
        let own = state
            .blocks
            .iter()
            .filter(|(_, block)| Arc::ptr_eq(&block.owner, image));
        own.map(|(&start, _)| start).collect()
    }

    /// Takes away and frees what an image left behind.
    pub(crate) fn take_left(&self, image: &Arc<Loaded>) -> Vec<Left> {
        let mut state = self.lock();
        let owned = |block: &Block| Arc::ptr_eq(&block.owner, image);
        let left: Vec<_> = state.blocks.extract_if(|_, block| owned(block)).collect();
        drop(state);
        let mut left: Vec<_> = left
            .into_iter()
            .map(|(start, block)| {
                block.release(start);
                Left {
                    number: block.number,
                    tag: block.tag,
                    size: block.size,
                }
            })
            .collect();
        left.sort_unstable();
        left
    }
}

impl Block {
    /// Gives the memory back without a notification. Returns whether its guards were intact.
    fn release(&self, start: usize) -> bool {
        let Memory::Guarded(memory, layout) = self.memory else {
            return quarantine::discard(ptr::with_exposed_provenance_mut(start));
        };
        // SAFETY: the block has left the list, so this is its last use, and it was this long.
        let bytes = unsafe { slice::from_raw_parts_mut(memory.as_ptr(), layout.size()) };
        let offset = start - memory.addr().get();
        let (before, after) = (&bytes[..offset], &bytes[offset + self.size..]);
        let intact = before.iter().chain(after).all(|&byte| byte == GUARD_BYTE);
        bytes.fill(DEAD_BYTE);
        // SAFETY: it was allocated with this layout, and is released once.
        unsafe { alloc::dealloc(memory.as_ptr(), layout) };
        intact
    }
}

/// What an image asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) size: usize,
    pub(crate) fill: u8,
    pub(crate) paged: bool,
}

/// A block with guards, and its memory.
fn guarded(wanted: Wanted) -> Option<(*mut c_void, Memory)> {
    let (layout, offset) = layout(wanted.size)?;
    // SAFETY: the size is not zero: it holds the guards.
    let memory = NonNull::new(unsafe { alloc::alloc(layout) })?;
    // SAFETY: the memory is new and this long.
    let bytes = unsafe { slice::from_raw_parts_mut(memory.as_ptr(), layout.size()) };
    bytes.fill(GUARD_BYTE);
    bytes[offset..offset + wanted.size].fill(wanted.fill);
    let start = memory.as_ptr().wrapping_add(offset);
    Some((start.cast(), Memory::Guarded(memory, layout)))
}

/// A block of the quarantine.
fn special(wanted: Wanted) -> Option<(*mut c_void, Memory)> {
    let large = wanted.size >= PAGE as usize;
    let start = quarantine::allocate(Request {
        size: wanted.size,
        alignment: if large { PAGE as usize } else { 16 },
        fill: wanted.fill,
        pageable: wanted.paged,
    });
    (!start.is_null()).then_some((start, Memory::Special))
}

/// The layout of a block with its guards, and where in it the block begins: 16 bytes behind an
/// address that 32 divides, so that no test comes to rely on more than 16.
fn layout(size: usize) -> Option<(Layout, usize)> {
    let (align, offset) = if size < PAGE as usize {
        (2 * GUARD, GUARD)
    } else {
        (PAGE as usize, PAGE as usize)
    };
    let whole = size.checked_add(offset)?.checked_add(GUARD)?;
    Some((Layout::from_size_align(whole, align).ok()?, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_to_16_bytes_and_large_ones_to_pages() {
        for size in [1, 16, 40, 4095] {
            let (layout, offset) = layout(size).unwrap();
            assert_eq!((layout.align(), offset % 32), (32, 16));
        }
        assert_eq!(layout(4096).unwrap().1, 4096);
        assert!(layout(usize::MAX - 8).is_none());
    }
}
