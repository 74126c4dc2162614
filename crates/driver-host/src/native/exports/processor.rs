//! Processors and threads: `KeGetCurrentProcessorNumberEx`, `PsGetCurrentThreadId`.
// UNSAFETY: it has an output, and asks the system.
#![expect(unsafe_code)]

/// How many processors a group has here. Windows makes groups of at most so many.
const GROUP: u32 = 64;

/// `PROCESSOR_NUMBER`.
#[repr(C)]
pub(crate) struct ProcessorNumber {
    group: u16,
    number: u8,
    reserved: u8,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "there are not so many processors"
)]
pub(crate) unsafe extern "win64" fn current(output: *mut ProcessorNumber) -> u32 {
    // SAFETY: it has no requirements.
    let index = unsafe { libc::sched_getcpu() };
    let index = u32::try_from(index).unwrap_or_default();
    if !output.is_null() {
        let number = ProcessorNumber {
            group: (index / GROUP) as u16,
            number: (index % GROUP) as u8,
            reserved: 0,
        };
        // SAFETY: the output is valid; the driver guarantees it.
        unsafe { output.write(number) };
    }
    index
}

/// The number that the system has for the thread, which is not zero.
pub(crate) extern "win64" fn current_thread() -> usize {
    // SAFETY: it has no requirements.
    let thread = unsafe { libc::gettid() };
    usize::try_from(thread).unwrap_or_default()
}

/// The number that the system has for the process, as a handle.
pub(crate) extern "win64" fn current_process() -> usize {
    std::process::id() as usize
}
