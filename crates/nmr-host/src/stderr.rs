//! Lines on standard error: the one place where the registrar prints.
//!
//! The process belongs to the modules under test. So a line takes no memory, and that it cannot be
//! written, because the disk is full or a pipe has no reader, has no effect on the process.
#![cfg_attr(
    all(target_os = "linux", not(any(miri, shuttle))),
    // UNSAFETY: masks a signal, and writes in a handler of one.
    expect(unsafe_code)
)]

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

/// Prints `nmr-host: ` and a text as one line.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    write::<1024>(text, |bytes| {
        let _ = io::stderr().lock().write_all(bytes);
    });
}

/// The same for a handler of signals, which must not wait for a lock and may have a small stack.
#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
pub(crate) fn line_of_handler(text: fmt::Arguments<'_>) {
    write::<256>(text, |mut bytes| {
        while !bytes.is_empty() {
            // SAFETY: the bytes are valid for reads.
            let count =
                unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
            match usize::try_from(count) {
                Ok(count) if count > 0 => bytes = bytes.get(count..).unwrap_or_default(),
                _ => break,
            }
        }
    });
}

fn write<const SIZE: usize>(text: fmt::Arguments<'_>, out: fn(&[u8])) {
    let mut line = Line {
        bytes: [0; SIZE],
        used: 0,
        out,
    };
    // Its writes do not fail.
    let _ = writeln!(line, "nmr-host: {text}");
    line.flush();
}

/// A line that is being written, in as few pieces as fit.
struct Line<const SIZE: usize> {
    bytes: [u8; SIZE],
    used: usize,
    out: fn(&[u8]),
}

impl<const SIZE: usize> fmt::Write for Line<SIZE> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.used == self.bytes.len() {
                self.flush();
            }
            if let Some(place) = self.bytes.get_mut(self.used) {
                *place = byte;
                self.used += 1;
            }
        }
        Ok(())
    }
}

impl<const SIZE: usize> Line<SIZE> {
    fn flush(&mut self) {
        let written = self.bytes.get(..self.used).unwrap_or_default();
        without_sigpipe(|| (self.out)(written));
        self.used = 0;
    }
}

/// Runs a write that may be to a pipe without a reader: the signal for that ends C programs.
#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
fn without_sigpipe(write: impl FnOnce()) {
    use std::mem::MaybeUninit;
    use std::ptr;

    let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
    let (mut pending, mut before) = (signals, signals);
    // SAFETY: the function initializes the set.
    unsafe { libc::sigemptyset(signals.as_mut_ptr()) };
    // SAFETY: the set is initialized.
    unsafe { libc::sigaddset(signals.as_mut_ptr(), libc::SIGPIPE) };
    // SAFETY: the function initializes the set.
    unsafe { libc::sigpending(pending.as_mut_ptr()) };
    // SAFETY: `sigpending` has initialized the set.
    let was_pending = unsafe { libc::sigismember(pending.as_ptr(), libc::SIGPIPE) } == 1;
    // SAFETY: the first set is initialized, and the function initializes the second.
    let blocked =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), before.as_mut_ptr()) };
    write();
    if blocked != 0 {
        return;
    }
    let now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    if !was_pending {
        // SAFETY: the set and the time are initialized, and no information is wanted.
        unsafe { libc::sigtimedwait(signals.as_ptr(), ptr::null_mut(), &raw const now) };
    }
    // SAFETY: `pthread_sigmask` has initialized the set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
}

/// Elsewhere a write to such a pipe is an error, or ends the process as the system wants.
#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
fn without_sigpipe(write: impl FnOnce()) {
    write();
}
