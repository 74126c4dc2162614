//! Queries to Linux about the memory of this process.
// UNSAFETY: asks the system and its dynamic linker, in C.
#![expect(unsafe_code)]

mod fault;
mod pages;

use std::ffi::c_void;
use std::io;
use std::slice;

pub(super) use fault::{install, start, stop};
pub(super) use pages::Range;

use super::probe::Seen;

/// Reads memory of this process without the risk of a fault.
pub(crate) fn read(address: usize, size: usize) -> Seen {
    let mut bytes = vec![0; size];
    match copy(address, &mut bytes) {
        Ok(count) if count == size => Seen::Bytes(bytes),
        Ok(_) => Seen::Nothing,
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Seen::Nothing,
        Err(_) => Seen::Unknown,
    }
}

/// Copies memory of this process, as much of it as there is. Returns how many bytes.
pub(crate) fn copy(address: usize, bytes: &mut [u8]) -> io::Result<usize> {
    let to = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    let from = libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(address),
        iov_len: bytes.len(),
    };
    // SAFETY: it needs a number that names this process alone.
    let process = unsafe { libc::getpid() };
    // SAFETY: the first range is a vector of this size; the system checks the second and answers
    // with an error if it cannot be read.
    let count = unsafe { libc::process_vm_readv(process, &raw const to, 1, &raw const from, 1, 0) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Returns `true` if a native module has code at an address.
pub(super) fn is_native(address: usize) -> bool {
    let mut search = Search {
        address,
        found: false,
    };
    // SAFETY: it calls `look` for each module, with the search, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

struct Search {
    address: usize,
    found: bool,
}

/// Looks at the segments of one native module.
unsafe extern "C" fn look(
    module: *mut libc::dl_phdr_info,
    _size: usize,
    search: *mut c_void,
) -> libc::c_int {
    // SAFETY: the dynamic linker passes a description of a module that stays during the call.
    let module = unsafe { &*module };
    // SAFETY: `is_native` passes its search, which has no other user meanwhile.
    let search = unsafe { &mut *search.cast::<Search>() };
    // SAFETY: the description has the address and the number of the module's program headers.
    let headers =
        unsafe { slice::from_raw_parts(module.dlpi_phdr, usize::from(module.dlpi_phnum)) };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "addresses of this process, in the linker's own type"
    )]
    let covers = |header: &libc::Elf64_Phdr| {
        let start = (module.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
        let executable = header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0;
        executable && search.address.wrapping_sub(start) < header.p_memsz as usize
    };
    search.found = headers.iter().any(covers);
    libc::c_int::from(search.found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_nothing() {
        let here = Box::new(*b"here");
        let address = (&raw const *here).expose_provenance();
        assert_eq!(read(address, 4), Seen::Bytes(b"here".to_vec()));
        assert_eq!(read(0, 1), Seen::Nothing);
        assert_eq!(read(16, 4), Seen::Nothing);
        assert_eq!(read(usize::MAX - 7, 4), Seen::Nothing);
    }

    static DATA: u32 = 1;

    #[test]
    fn functions_are_code_and_data_is_not() {
        assert!(is_native((look as *const ()).addr()));
        assert!(!is_native((&raw const DATA).addr()));
        let heap = Box::new(1);
        assert!(!is_native((&raw const *heap).addr()));
    }
}
