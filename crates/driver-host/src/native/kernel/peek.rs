//! Reads memory that may not be there.
// UNSAFETY: asks the system to read.
#![expect(unsafe_code)]

use std::ptr;

use crate::pe::PAGE;

/// Reads some bytes through the system, which fails where nothing is. A handler of signals may ask.
pub(crate) fn peek<const SIZE: usize>(address: usize) -> Option<[u8; SIZE]> {
    let mut bytes = [0; SIZE];
    let to = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: SIZE,
    };
    let from = libc::iovec {
        iov_base: ptr::with_exposed_provenance_mut(address),
        iov_len: SIZE,
    };
    // SAFETY: it has no condition.
    let process = unsafe { libc::getpid() };
    // SAFETY: it writes the bytes, and reads nothing that is not there.
    let read = unsafe { libc::process_vm_readv(process, &raw const to, 1, &raw const from, 1, 0) };
    (usize::try_from(read) == Ok(SIZE)).then_some(bytes)
}

/// `MmUserProbeAddress`: where the addresses of programs end.
pub(crate) const USER_END: usize = 0x7fff_ffff_0000;

/// The first address of a range at which a page of it cannot be read.
pub(crate) fn first_gap(start: usize, end: usize) -> Option<usize> {
    let page = PAGE as usize;
    let pages = (start / page..end.div_ceil(page)).map(|number| (number * page).max(start));
    let mut inside = pages.take_while(|&place| place < end);
    inside.find(|&place| peek::<1>(place).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_read() {
        let word = 7_usize;
        let address = (&raw const word).expose_provenance();
        assert_eq!(peek(address), Some(word.to_ne_bytes()));
        assert_eq!(peek::<2>(8), None);
        assert_eq!(peek::<8>(usize::MAX - 3), None);
    }
}
