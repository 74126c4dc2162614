//! The memory of an image: mapped below 4 GB if there is room (see `linux_calls`), filled, relocated, and then protected so
//! that nothing is writable and executable at once.
// UNSAFETY: mapping and protecting memory.
#![expect(unsafe_code)]

use std::collections::VecDeque;
use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::{Mutex, PoisonError};

use crate::pe::{Access, Image, PAGE, Section};

/// Mapped memory. Dropping it leaves the addresses reserved for a while: see [`bury`].
#[derive(Debug)]
pub(crate) struct Memory {
    start: NonNull<u8>,
    size: usize,
}

// SAFETY: it is an address range with one owner.
unsafe impl Send for Memory {}
// SAFETY: as above; what is behind it is only written through `&mut`.
unsafe impl Sync for Memory {}

impl Memory {
    /// Maps zeroed memory that can be written.
    pub(crate) fn new(size: usize) -> io::Result<Self> {
        let size = size.next_multiple_of(PAGE as usize);
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        let anywhere = |flags| {
            // SAFETY: a new mapping disturbs nothing.
            unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) }
        };
        let mut start = anywhere(flags | libc::MAP_32BIT);
        if start == libc::MAP_FAILED {
            start = anywhere(flags);
        }
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, size })
    }

    pub(crate) fn address(&self) -> usize {
        self.start.as_ptr().addr()
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The bytes, while they can still be written.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the range is mapped for writing until `protect`, and borrowed by the result.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.size) }
    }

    /// Changes what may be done with a part.
    pub(crate) fn protect(&mut self, offset: usize, size: usize, access: Access) -> io::Result<()> {
        let protection = match access {
            Access::Read => libc::PROT_READ,
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
            Access::Execute => libc::PROT_READ | libc::PROT_EXEC,
            Access::WriteExecute => libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC,
        };
        self.set_protection(offset, size, protection)
    }

    /// Closes a part: a touch faults.
    fn close(&mut self, offset: usize, size: usize) -> io::Result<()> {
        self.set_protection(offset, size, libc::PROT_NONE)
    }

    fn set_protection(&mut self, offset: usize, size: usize, protection: i32) -> io::Result<()> {
        let size = size.min(self.size.saturating_sub(offset));
        let start = self.start.as_ptr().wrapping_add(offset);
        // SAFETY: the range is a part of this mapping, and `&mut` excludes other accesses.
        let result = unsafe { libc::mprotect(start.cast::<c_void>(), size, protection) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        bury(self.start, self.size);
    }
}

/// How many addresses of unmapped memory are kept reserved, so that nothing else appears there.
const GRAVES: usize = 512;

static BURIED: Mutex<VecDeque<(usize, usize)>> = Mutex::new(VecDeque::new());

/// Takes the memory away and keeps its addresses: a late access faults. The oldest
/// addresses are given back when there are many.
fn bury(start: NonNull<u8>, size: usize) {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
    // SAFETY: the range belongs to a `Memory` that is being dropped.
    unsafe { libc::mmap(start.as_ptr().cast(), size, libc::PROT_NONE, flags, -1, 0) };
    let mut buried = BURIED.lock().unwrap_or_else(PoisonError::into_inner);
    buried.push_back((start.as_ptr().expose_provenance(), size));
    if buried.len() > GRAVES
        && let Some((start, size)) = buried.pop_front()
    {
        // SAFETY: the range is reserved by this module and not in use.
        unsafe { libc::munmap(ptr::with_exposed_provenance_mut(start), size) };
    }
}

/// How much is kept closed behind an image, in bytes, so that code that runs off its end faults there.
pub(crate) const BEHIND: usize = PAGE as usize;

/// Maps an image: copies its sections, moves it, and sets its cookie. Imports are still to be
/// filled in.
pub(crate) fn map(image: &Image, bytes: &[u8]) -> io::Result<Memory> {
    let mut memory = Memory::new(image.size as usize + BEHIND)?;
    let delta = (memory.address() as u64).wrapping_sub(image.base);
    let target = memory.bytes();
    copy(target, 0, bytes, 0, image.headers);
    for Section {
        offset,
        file_offset,
        file_size,
        ..
    } in &image.sections
    {
        copy(target, *offset, bytes, *file_offset, *file_size);
    }
    for &offset in &image.relocations {
        let moved = read_u64(target, offset).wrapping_add(delta);
        write_u64(target, offset, moved);
    }
    if let Some(offset) = image.load_config.cookie {
        write_u64(target, offset, cookie(delta));
    }
    Ok(memory)
}

/// Protects a mapped image, now that everything is filled in.
pub(crate) fn protect(memory: &mut Memory, image: &Image) -> io::Result<()> {
    let end = memory.size() - BEHIND;
    memory.protect(0, end, Access::Read)?;
    memory.close(end, BEHIND)?;
    for section in image.sections.iter().filter(|section| section.size != 0) {
        let size = section.end() - u64::from(section.offset);
        memory.protect(section.offset as usize, size as usize, section.access)?;
    }
    Ok(())
}

/// Copies as much as both sides have: `pe` has checked that it is all.
fn copy(target: &mut [u8], offset: u32, source: &[u8], from: u32, size: u32) {
    let source = source.get(from as usize..).unwrap_or_default();
    let target = target.get_mut(offset as usize..).unwrap_or_default();
    let size = (size as usize).min(source.len()).min(target.len());
    target[..size].copy_from_slice(&source[..size]);
}

fn read_u64(bytes: &[u8], offset: u32) -> u64 {
    let field = bytes
        .get(offset as usize..)
        .and_then(|rest| rest.first_chunk());
    field.map_or(0, |&field| u64::from_le_bytes(field))
}

/// Writes eight bytes of an image that is being put together.
pub(crate) fn write_u64(bytes: &mut [u8], offset: u32, value: u64) {
    let field = bytes
        .get_mut(offset as usize..)
        .and_then(|rest| rest.first_chunk_mut());
    if let Some(field) = field {
        *field = value.to_le_bytes();
    }
}

/// A cookie that differs from load to load. Its upper 16 bits are zero, as Windows has it, and it
/// is not the value that the linker puts there, which `/GS` takes for "not set".
fn cookie(seed: u64) -> u64 {
    const UNSET: u64 = 0x2b99_2ddf_a232;
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) & 0xffff_ffff_ffff;
    if mixed == UNSET || mixed == 0 {
        UNSET + 1
    } else {
        mixed
    }
}
