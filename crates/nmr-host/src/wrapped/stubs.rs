//! Stubs: one small piece of code for each function that is handed out, which says whose it is and
//! goes on to the [trampoline](super::trampoline). Their code is written once and never changes: what differs
//! is in the page behind it.
// UNSAFETY: mapping and protecting memory, and code that is made of bytes.
#![expect(unsafe_code)]

use std::io;
use std::ptr::{self, NonNull};

use super::table::Slot;
use super::trampoline;

const PAGE: usize = 4096;
/// How far apart stubs are.
const STRIDE: usize = 16;
/// How many stubs a block has.
const COUNT: usize = PAGE / STRIDE;
/// Where the address of the trampoline is in a block: behind the slots.
const TRAMPOLINE: usize = PAGE + COUNT * size_of::<usize>();

/// The stubs of a registrar.
#[derive(Debug, Default)]
pub(crate) struct Stubs {
    blocks: Vec<Block>,
    /// How many stubs of the last block have a slot.
    used: usize,
}

impl Stubs {
    /// Makes a stub for a slot, which must stay where it is as long as the stub is used. `None` if
    /// the system has no memory left.
    pub(crate) fn add(&mut self, slot: &Slot) -> Option<usize> {
        if self.blocks.is_empty() || self.used == COUNT {
            self.blocks.try_reserve(1).ok()?;
            self.blocks.push(Block::new().ok()?);
            self.used = 0;
        }
        let stub = self.blocks.last_mut()?.set(self.used, slot);
        self.used += 1;
        Some(stub)
    }
}

/// A page of code, and a page with the slots and the address of the trampoline.
///
/// # Invariants
///
/// The first page is executable code, and the second can be written. Both are mapped until the
/// drop.
#[derive(Debug)]
struct Block(NonNull<u8>);

// SAFETY: it is an address range with one owner.
unsafe impl Send for Block {}

impl Block {
    fn new() -> io::Result<Self> {
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: a new mapping disturbs nothing.
        let start = unsafe { libc::mmap(ptr::null_mut(), 2 * PAGE, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let block = Self(NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?);
        for index in 0..COUNT {
            let code = stub(index);
            // SAFETY: the stub lies in the first page, which can still be written.
            unsafe { block.at::<[u8; STRIDE]>(index * STRIDE).write(code) };
        }
        // SAFETY: the word lies in the second page.
        unsafe { block.at::<usize>(TRAMPOLINE).write(trampoline::address()) };
        // SAFETY: the page belongs to this mapping, and is not shared yet.
        let result = unsafe { libc::mprotect(start, PAGE, libc::PROT_READ | libc::PROT_EXEC) };
        if result == 0 {
            // INVARIANT: the code is complete and executable.
            Ok(block)
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Gives a stub its slot, and returns the address of the stub.
    fn set(&mut self, index: usize, slot: &Slot) -> usize {
        let slot = ptr::from_ref(slot).expose_provenance();
        let word = self.at::<usize>(PAGE + index * size_of::<usize>());
        // SAFETY: the word lies in the second page, and its stub was not handed out yet.
        unsafe { word.write(slot) };
        self.at::<u8>(index * STRIDE).expose_provenance()
    }

    fn at<T>(&self, offset: usize) -> *mut T {
        self.0.as_ptr().wrapping_add(offset).cast()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the mapping is this block's, and the registrar that handed its stubs out is gone.
        unsafe { libc::munmap(self.0.as_ptr().cast(), 2 * PAGE) };
    }
}

/// `mov r11, [slot]; jmp [trampoline]`, and breakpoints. Only `r11` is neither an argument nor preserved
/// in both conventions.
#[expect(clippy::expect_used, reason = "distances within a block of two pages")]
fn stub(index: usize) -> [u8; STRIDE] {
    let mut code = [0xcc; STRIDE];
    let start = index * STRIDE;
    let distance = |from: usize, to: usize| {
        let bytes = i32::try_from(to - from).expect("a block is small");
        bytes.to_le_bytes()
    };
    code[..3].copy_from_slice(&[0x4c, 0x8b, 0x1d]);
    code[3..7].copy_from_slice(&distance(start + 7, PAGE + index * size_of::<usize>()));
    code[7..9].copy_from_slice(&[0xff, 0x25]);
    code[9..13].copy_from_slice(&distance(start + 13, TRAMPOLINE));
    code
}
