//! `MDL`: the pages of a buffer. Every page is resident here, and a buffer that is mapped is where it was.
// UNSAFETY: MDLs are in the pool of drivers.
#![expect(unsafe_code)]

use std::ptr;
use std::sync::Arc;

use super::loaded::Loaded;
use super::pool::Wanted;
use crate::pe::PAGE;

/// `MDL`, which the numbers of its pages follow.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mdl {
    pub(crate) next: *mut Self,
    size: i16,
    pub(crate) flags: i16,
    _processor: [u16; 2],
    process: usize,
    pub(crate) mapped: usize,
    start: usize,
    count: u32,
    offset: u32,
}

const _: () = assert!(size_of::<Mdl>() == 0x30);

/// `MdlFlags`.
pub(crate) const MAPPED: i16 = 0x01;
pub(crate) const LOCKED: i16 = 0x02;
pub(crate) const NON_PAGED: i16 = 0x04;
pub(crate) const WRITE: i16 = 0x80;

const TAG: u32 = u32::from_le_bytes(*b"Mdl ");

impl Mdl {
    /// The buffer that it describes: where it begins, and how many bytes it has.
    pub(crate) fn buffer(&self) -> (usize, usize) {
        (self.start + self.offset as usize, self.count as usize)
    }
}

/// Makes an MDL in the pool of a driver, which has the address of the buffer. One of non-paged memory is mapped where it
/// is. Returns null without memory.
pub(crate) fn allocate(image: &Arc<Loaded>, buffer: usize, length: usize, flags: i16) -> *mut Mdl {
    let page = PAGE as usize;
    let offset = buffer % page;
    let pages = (offset + length).div_ceil(page);
    let size = size_of::<Mdl>() + pages * size_of::<usize>();
    let wanted = Wanted {
        size,
        fill: 0,
        paged: false,
    };
    let mdl = image.system.pool.allocate(image, wanted, TAG).cast::<Mdl>();
    if !mdl.is_null() {
        let value = Mdl {
            next: ptr::null_mut(),
            size: i16::try_from(size).unwrap_or(i16::MAX),
            flags,
            _processor: [0; 2],
            process: 0,
            mapped: if flags & NON_PAGED != 0 { buffer } else { 0 },
            start: buffer - offset,
            count: length as u32,
            offset: offset as u32,
        };
        // SAFETY: the block is new, and large enough for an MDL.
        unsafe { mdl.write(value) };
    }
    mdl
}

/// Frees the MDLs of a request that is completed, as the I/O manager does. Returns `false` if one of them is no
/// block of pool.
pub(crate) fn free_chain(image: &Loaded, first: usize) -> bool {
    let (pool, mut address) = (&image.system.pool, first);
    while address != 0 {
        if pool
            .behind(address)
            .is_none_or(|size| size < size_of::<Mdl>())
        {
            return false;
        }
        let mdl = ptr::with_exposed_provenance::<Mdl>(address);
        // SAFETY: it is in a block of pool that is not freed, and as long as an MDL.
        let next = unsafe { mdl.read() }.next;
        if pool.free(address).is_none() {
            return false;
        }
        address = next.addr();
    }
    true
}
