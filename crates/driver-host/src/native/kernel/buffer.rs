//! Memory that a driver gets for a time: the buffers of requests, and [structures](super::structure) of the
//! kernel. Each buffer has pages of its own, ends where they end, and cannot be touched once it was dropped.
// UNSAFETY: it maps memory that the driver reads and writes.
#![expect(unsafe_code)]

use std::collections::VecDeque;
use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::{Mutex, PoisonError};

use crate::pe::PAGE;

/// What lies around a buffer, in its pages.
const GUARD_BYTE: u8 = 0xa5;
/// What a buffer holds behind its input: Windows promises nothing there.
pub(crate) const FRESH_BYTE: u8 = 0xcd;
/// The alignment of pool.
const ALIGN: usize = 16;
/// How many dropped buffers are kept out of reach.
const GRAVES: usize = 128;

/// A buffer.
///
/// # Invariants
///
/// * The pages from `pages` on, `size` bytes, are mapped for reading and writing until it is
///   dropped, and behind them is a page that is not.
/// * The buffer is the `length` bytes at `offset` in them.
#[derive(Debug)]
pub(crate) struct Buffer {
    pages: NonNull<u8>,
    size: usize,
    offset: usize,
    length: usize,
    /// What a touch of the closed pages is called.
    touch: &'static str,
}

// SAFETY: it is an address range with one owner; the driver's threads share it as in the
// kernel.
unsafe impl Send for Buffer {}

/// The pages of a buffer that was dropped.
struct Buried {
    start: usize,
    size: usize,
    touch: &'static str,
}

/// The pages of dropped buffers, the oldest first.
static BURIED: Mutex<VecDeque<Buried>> = Mutex::new(VecDeque::new());

impl Buffer {
    /// Maps the buffer of a request, which begins with the input and is as long as the longer of the two.
    pub(crate) fn new(input: &[u8], output: usize) -> io::Result<Self> {
        let touch = "touched the buffer of a request after completing it";
        let length = input.len().max(output);
        let mut buffer = Self::map(length, FRESH_BYTE, touch)?;
        let start = buffer.offset;
        buffer.bytes()[start..start + input.len()].copy_from_slice(input);
        Ok(buffer)
    }

    /// Maps a buffer of zeros, and says what a touch of it is called once it was dropped.
    pub(crate) fn zeroed(length: usize, touch: &'static str) -> io::Result<Self> {
        Self::map(length, 0, touch)
    }

    fn map(length: usize, fill: u8, touch: &'static str) -> io::Result<Self> {
        let page = PAGE as usize;
        let size = length
            .max(1)
            .checked_next_multiple_of(page)
            .filter(|size| size.checked_add(page).is_some())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping disturbs nothing.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), size + page, libc::PROT_NONE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let pages = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the range is a part of the new mapping.
        if unsafe { libc::mprotect(start, size, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            let error = io::Error::last_os_error();
            // SAFETY: the mapping has not been shared yet.
            unsafe { libc::munmap(start, size + page) };
            return Err(error);
        }
        let mut buffer = Self {
            pages,
            size,
            offset: size - length.next_multiple_of(ALIGN),
            length,
            touch,
        };
        let (offset, length) = (buffer.offset, buffer.length);
        let bytes = buffer.bytes();
        bytes.fill(GUARD_BYTE);
        bytes[offset..offset + length].fill(fill);
        Ok(buffer)
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The address that the driver gets.
    pub(crate) fn address(&self) -> *mut c_void {
        self.pages.as_ptr().wrapping_add(self.offset).cast()
    }

    /// The pages.
    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: they are mapped by the invariant, and borrowed by the result; the driver is not
        // to touch them now.
        unsafe { slice::from_raw_parts_mut(self.pages.as_ptr(), self.size) }
    }

    /// Takes the buffer away. Returns its first bytes, as many as asked for or as there are, and
    /// whether nothing was written around it.
    pub(crate) fn take(mut self, length: usize) -> (Vec<u8>, bool) {
        let range = self.offset..self.offset + self.length;
        let bytes = self.bytes();
        let (before, after) = (&bytes[..range.start], &bytes[range.end..]);
        let intact = before.iter().chain(after).all(|&byte| byte == GUARD_BYTE);
        let content = &bytes[range];
        (content[..length.min(content.len())].to_vec(), intact)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let (start, size) = (self.pages.as_ptr(), self.size + PAGE as usize);
        // SAFETY: the range is the mapping of this buffer, whose last use this is.
        unsafe { libc::mprotect(start.cast(), self.size, libc::PROT_NONE) };
        let mut buried = BURIED.lock().unwrap_or_else(PoisonError::into_inner);
        buried.push_back(Buried {
            start: start.expose_provenance(),
            size,
            touch: self.touch,
        });
        if buried.len() > GRAVES
            && let Some(Buried { start, size, .. }) = buried.pop_front()
        {
            // SAFETY: the mapping belongs to this module, and its buffer is gone.
            unsafe { libc::munmap(ptr::with_exposed_provenance_mut(start), size) };
        }
    }
}

/// What a touch of an address is called, if there was a buffer.
pub(crate) fn was_at(address: usize) -> Option<&'static str> {
    let buried = BURIED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ranges = buried.iter();
    let found = ranges.find(|own| (own.start..own.start + own.size).contains(&address));
    found.map(|own| own.touch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_begins_with_its_input_and_ends_where_its_pages_end() {
        for (input, output) in [(0, 1), (5, 3), (3, 5), (16, 0), (4096, 1), (1, 5000)] {
            let buffer = Buffer::new(&vec![7; input], output).unwrap();
            let address = buffer.address().addr();
            let end = address + input.max(output).next_multiple_of(ALIGN);
            assert_eq!((address % ALIGN, end % PAGE as usize), (0, 0));
            let (bytes, intact) = buffer.take(usize::MAX);
            let mut expected = vec![7; input];
            expected.resize(input.max(output), FRESH_BYTE);
            assert_eq!((bytes, intact), (expected, true));
            assert!(was_at(address).is_some());
        }
    }

    #[test]
    fn a_write_around_a_buffer_is_seen() {
        for place in [-1, 20] {
            let buffer = Buffer::new(&[1; 20], 20).unwrap();
            let beside = buffer.address().cast::<u8>().wrapping_offset(place);
            // SAFETY: the byte is in the pages of the buffer.
            unsafe { beside.write(0) };
            assert_eq!(buffer.take(2), (vec![1, 1], false));
        }
    }

    #[test]
    fn a_buffer_larger_than_memory_is_refused() {
        assert!(Buffer::new(&[], usize::MAX - 10).is_err());
    }
}
