//! Stacks. A thread that runs images has a stack for signals, so that a handler has room even when the
//! thread has none, and knows where its own stack is. A thread that faults with an unusable stack goes
//! on on a new one.
// UNSAFETY: maps stacks, and asks the system about the thread.
#![expect(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;

/// The sizes of the two stacks, each above a closed page. The larger one takes the code that reports.
const FOR_SIGNALS: usize = 0x1_0000;
const FOR_REPORTS: usize = 0x4_0000;
const GUARD: usize = 0x1000;

/// The room that the code that reports needs on a stack.
const ROOM: usize = 0x1_0000;

thread_local! {
    /// The lowest and the highest address of the thread's own stack, if they are known.
    static OWN: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// The stack for signals of a thread. Dropping it, on that thread, gives the thread back what it had
/// before.
pub(crate) struct SignalStack {
    memory: Option<(*mut c_void, libc::stack_t)>,
}

impl SignalStack {
    /// Gives this thread its stack for signals, and finds out where its own stack is. Without memory
    /// for it, the thread has what Rust has given it.
    pub(crate) fn new() -> Self {
        OWN.set(own_stack());
        let memory = map(FOR_SIGNALS).map(|memory| {
            let stack = libc::stack_t {
                ss_sp: memory.wrapping_byte_add(GUARD),
                ss_flags: 0,
                ss_size: FOR_SIGNALS,
            };
            (memory, set_signal_stack(stack))
        });
        Self { memory }
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        if let Some((memory, before)) = self.memory {
            set_signal_stack(before);
            // SAFETY: it was mapped with this size, and no signal uses it any more.
            unsafe { libc::munmap(memory, GUARD + FOR_SIGNALS) };
        }
    }
}

/// Sets the stack for signals of this thread. Returns what it was.
fn set_signal_stack(stack: libc::stack_t) -> libc::stack_t {
    let mut before = libc::stack_t {
        ss_sp: ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    // SAFETY: the memory is the thread's, until it has another stack.
    unsafe { libc::sigaltstack(&raw const stack, &raw mut before) };
    before
}

/// Maps a stack above a closed page. Returns where the page begins. A handler of signals may ask.
fn map(size: usize) -> Option<*mut c_void> {
    let (none, both) = (libc::PROT_NONE, libc::PROT_READ | libc::PROT_WRITE);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    // SAFETY: a new mapping disturbs nothing.
    let start = unsafe { libc::mmap(ptr::null_mut(), GUARD + size, none, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: it is a part of the mapping.
    let opened = unsafe { libc::mprotect(start.wrapping_byte_add(GUARD), size, both) };
    (opened == 0).then_some(start)
}

/// Where the stack of this thread is.
fn own_stack() -> Option<(usize, usize)> {
    let mut about = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: it has no condition.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: it writes what it knows about a thread that lives.
    if unsafe { libc::pthread_getattr_np(this, about.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut start, mut size) = (ptr::null_mut(), 0);
    // SAFETY: the call above has succeeded.
    let got = unsafe { libc::pthread_attr_getstack(about.as_ptr(), &raw mut start, &raw mut size) };
    // SAFETY: as above; it is not used afterwards.
    unsafe { libc::pthread_attr_destroy(about.as_mut_ptr()) };
    (got == 0).then(|| (start.addr(), start.addr() + size))
}

/// What is wrong with a stack pointer, or with an access beside the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// The thread has no stack left.
    Overflow,
    /// The stack pointer is not in the thread's stack.
    Elsewhere,
}

/// How far below its stack a thread is still said to have overflowed it.
const BELOW: usize = 0x4000_0000;

/// Looks at the stack pointer of this thread when an access faulted. A handler of signals may ask.
pub(crate) fn trouble(pointer: usize, wanted: usize) -> Option<Trouble> {
    let (low, high) = OWN.get()?;
    let below: Range<usize> = low.saturating_sub(BELOW)..low + GUARD;
    if below.contains(&pointer) && below.contains(&wanted) {
        return Some(Trouble::Overflow);
    }
    (!(low..high).contains(&pointer)).then_some(Trouble::Elsewhere)
}

/// Looks at the stack pointer of this thread when an image calls a function of this crate, which needs
/// room, and must not find out in the middle of an allocation that there is none.
pub(crate) fn trouble_of_call(pointer: usize) -> Option<Trouble> {
    let (low, high) = OWN.get()?;
    if !(low..high).contains(&pointer) {
        Some(Trouble::Elsewhere)
    } else if pointer - low < ROOM {
        Some(Trouble::Overflow)
    } else {
        None
    }
}

/// Returns `true` if code that reports can run on the stack of this thread. A handler of signals may ask.
pub(crate) fn has_room(pointer: usize) -> bool {
    OWN.get().is_some() && trouble_of_call(pointer).is_none()
}

/// Where a thread that faulted goes on: below its stack pointer, if that is in its stack and there is
/// room, or on a new stack, which is never given back, as the thread never returns. A handler of signals
/// may ask.
pub(crate) fn for_report(pointer: usize) -> usize {
    // What an image may have below its stack pointer.
    const RED_ZONE: usize = 512;
    let usable = OWN.get().is_some_and(|(low, high)| {
        pointer < high && pointer >= low && pointer - low >= ROOM + RED_ZONE
    });
    let end = |memory: *mut c_void| memory.addr() + GUARD + FOR_REPORTS;
    let top = if usable {
        pointer - RED_ZONE
    } else {
        // Without memory there is nothing to lose.
        map(FOR_REPORTS).map_or(pointer, end)
    };
    top & !15
}
