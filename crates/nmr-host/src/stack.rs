//! The stack of the calling thread, on which nothing may lie that the NMR keeps (V-13, V-33).
#![cfg_attr(
    all(target_os = "linux", not(miri), not(shuttle)),
    // UNSAFETY: asks the thread library for the bounds.
    expect(unsafe_code)
)]

use std::ops::Range;

/// Returns `true` if an address is on the stack of this thread. Always false where this crate does not know
/// how to ask: anywhere but on Linux.
pub(crate) fn holds(address: usize) -> bool {
    bounds().contains(&address)
}

#[cfg(all(target_os = "linux", not(miri), not(shuttle)))]
fn bounds() -> Range<usize> {
    thread_local! {
        // For the first thread the system has to read a file.
        static BOUNDS: Range<usize> = ask().unwrap_or_default();
    }
    BOUNDS.with(Clone::clone)
}

/// Threads of Miri and of shuttle have no stack that the thread library knows.
#[cfg(not(all(target_os = "linux", not(miri), not(shuttle))))]
fn bounds() -> Range<usize> {
    0..0
}

#[cfg(all(target_os = "linux", not(miri), not(shuttle)))]
fn ask() -> Option<Range<usize>> {
    use std::mem::MaybeUninit;
    use std::ptr;

    let mut attributes = MaybeUninit::uninit();
    // SAFETY: it needs nothing.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: it needs a thread that runs, which this one does, and a place for attributes.
    if unsafe { libc::pthread_getattr_np(thread, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut start, mut size) = (ptr::null_mut(), 0);
    // SAFETY: it needs attributes, which the call above has written, and two places.
    let failed =
        unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut size) };
    // SAFETY: it needs attributes that are not used any more.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    (failed == 0).then(|| start.addr()..start.addr() + size)
}

#[cfg(all(test, target_os = "linux", not(miri), not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn locals_are_on_the_stack_of_their_own_thread_only() {
        static BYTE: u8 = 0;
        let local = 0_u8;
        let address = (&raw const local).addr();
        assert!(holds(address));
        std::thread::scope(|scope| {
            let elsewhere = scope.spawn(|| holds(address)).join();
            assert!(!elsewhere.expect("it does not panic"));
        });
        let boxed = Box::new(0_u8);
        assert!(!holds((&raw const *boxed).addr()));
        assert!(!holds((&raw const BYTE).addr()));
    }
}
