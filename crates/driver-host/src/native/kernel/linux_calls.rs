//! System calls of Linux in an image. No driver makes one: it would be carried out, and could end the process
//! without a word. So the threads that run images refuse them, if the system can (Linux 5.11).
//!
//! The system lets a thread name one range of addresses from which calls are allowed (syscall user dispatch); any
//! other call is the signal `SIGSYS`, which `fault` places. Images are mapped below 4 GB for that, and programs
//! and their libraries lie above, unless they were linked to lie below: then nothing is refused.
// UNSAFETY: asks the system.
#![expect(unsafe_code)]

/// Where what may make system calls begins.
const BOUNDARY: usize = 1 << 32;

const PR_SET_SYSCALL_USER_DISPATCH: libc::c_int = 59;
const PR_SYS_DISPATCH_ON: libc::c_ulong = 1;

/// From now on this thread makes no system call from an image.
pub(super) fn refuse() {
    // What asks, and what it asks with.
    let own = [
        (refuse as *const ()).addr(),
        (libc::prctl as *const ()).addr(),
    ];
    if own.into_iter().any(|address| address < BOUNDARY) {
        return;
    }
    let allowed = isize::MAX as usize - BOUNDARY;
    // SAFETY: it changes which system calls this thread may make: those of images, which may make none. A
    // system that does not have it refuses.
    unsafe {
        libc::prctl(
            PR_SET_SYSCALL_USER_DISPATCH,
            PR_SYS_DISPATCH_ON,
            BOUNDARY,
            allowed,
            0_usize,
        )
    };
}
