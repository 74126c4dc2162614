//! A range of pages that can be opened and closed.
// UNSAFETY: reserves, opens and closes pages.
#![expect(unsafe_code)]

use std::ptr::{self, NonNull};
use std::slice;

/// How many addresses are reserved.
const SIZE: usize = 1 << 32;

/// Reserved pages, all closed at first.
#[derive(Debug)]
pub(in super::super) struct Range {
    start: NonNull<u8>,
    page: usize,
}

// SAFETY: it is an address range with one owner.
unsafe impl Send for Range {}

impl Range {
    pub(in super::super) fn new() -> Option<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping disturbs nothing.
        let start = unsafe { libc::mmap(ptr::null_mut(), SIZE, libc::PROT_NONE, flags, -1, 0) };
        // SAFETY: it has no condition.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
        let start = NonNull::new(start.cast::<u8>()).filter(|_| start != libc::MAP_FAILED)?;
        start.as_ptr().expose_provenance();
        Some(Self { start, page })
    }

    pub(in super::super) fn addresses(&self) -> std::ops::Range<usize> {
        let start = self.start.addr().get();
        start..start + SIZE
    }

    pub(in super::super) fn page(&self) -> usize {
        self.page
    }

    pub(in super::super) fn count(&self) -> usize {
        SIZE / self.page
    }

    /// Lets pages be read and written. The system refuses when there are too many islands of
    /// open pages.
    pub(in super::super) fn open(&mut self, first: usize, count: usize) -> bool {
        let start = self.start.as_ptr().wrapping_add(first * self.page).cast();
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: these pages are of this range, which this value owns.
        unsafe { libc::mprotect(start, count * self.page, access) == 0 }
    }

    /// Closes pages and gives their memory back.
    pub(in super::super) fn close(&mut self, first: usize, count: usize) {
        let start = self.start.as_ptr().wrapping_add(first * self.page).cast();
        let size = count * self.page;
        // SAFETY: these pages are of this range, and their block is freed.
        unsafe { libc::madvise(start, size, libc::MADV_DONTNEED) };
        // SAFETY: as above.
        unsafe { libc::mprotect(start, size, libc::PROT_NONE) };
    }

    /// The bytes of open pages that no module has, or that it is giving up.
    pub(in super::super) fn bytes(&mut self, first: usize, count: usize) -> &mut [u8] {
        let start = self.start.as_ptr().wrapping_add(first * self.page);
        // SAFETY: the pages are open, and the caller has taken them from their user.
        unsafe { slice::from_raw_parts_mut(start, count * self.page) }
    }
}
