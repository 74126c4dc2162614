//! The gate: the way of every call from an image into this crate. It remembers on the thread which
//! image calls which function, so that the function can ask, and that the image is known to be in
//! use until the call returns.
//!
//! It keeps the Microsoft convention on both sides and passes up to [`STACK_ARGUMENTS`](crate::native::crossing::STACK_ARGUMENTS) arguments
//! beyond the four in registers.
// UNSAFETY: assembly, and slots that come in as addresses.
#![expect(unsafe_code)]

use std::arch::naked_asm;
use std::sync::{Arc, Weak};

use super::{fault, seh};
use crate::native::kernel::call::Call;
use crate::native::kernel::exception;
use crate::native::kernel::frames;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::stack;

/// A function as one image sees it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The image that calls.
    pub(crate) image: Weak<Loaded>,
    /// The library.
    pub(crate) library: Arc<str>,
    /// The function.
    pub(crate) function: Arc<str>,
    /// The address of the function in this crate.
    pub(crate) target: usize,
}

/// The direction flag, which is off between functions: compiled code copies forwards.
const DIRECTION: u64 = 0x400;

/// The address that thunks jump to.
pub(crate) fn address() -> usize {
    (gate as *const ()).expose_provenance()
}

/// Comes from a thunk, with the slot in `r11`.
///
/// The frame, from the bottom: 32 bytes of home space and twelve stack arguments for the callee,
/// then four integer and four floating-point argument registers (and later the result). The bottom is
/// aligned whatever the image's stack is.
#[unsafe(naked)]
extern "win64" fn gate() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "and rsp, -16",
        "sub rsp, 224",
        "mov [rbp - 8], rcx",
        "mov [rbp - 16], rdx",
        "mov [rbp - 24], r8",
        "mov [rbp - 32], r9",
        "movups [rbp - 48], xmm0",
        "movups [rbp - 64], xmm1",
        "movups [rbp - 80], xmm2",
        "movups [rbp - 96], xmm3",
        "pushfq",
        "pop r8",
        "cld",
        "mov rcx, r11",
        "mov rdx, [rbp + 8]",
        "mov r9, rbp",
        "call {enter}",
        "mov rcx, [rbp - 8]",
        "mov rdx, [rbp - 16]",
        "mov r8, [rbp - 24]",
        "mov r9, [rbp - 32]",
        "movups xmm0, [rbp - 48]",
        "movups xmm1, [rbp - 64]",
        "movups xmm2, [rbp - 80]",
        "movups xmm3, [rbp - 96]",
        ".set argument, 0",
        ".rept 12",
        "mov r10, [rbp + 48 + argument]",
        "mov [rsp + 32 + argument], r10",
        ".set argument, argument + 8",
        ".endr",
        "call rax",
        "mov [rbp - 8], rax",
        "movups [rbp - 32], xmm0",
        "pushfq",
        "pop rcx",
        "cld",
        "call {leave}",
        "test al, al",
        "jnz {raised}",
        "mov rax, [rbp - 8]",
        "movups xmm0, [rbp - 32]",
        // An image that relies on what a call does not keep gets no addresses of this process.
        "xor ecx, ecx",
        "xor edx, edx",
        "xor r8d, r8d",
        "xor r9d, r9d",
        "xor r10d, r10d",
        "xor r11d, r11d",
        "leave",
        "ret",
        enter = sym enter,
        leave = sym leave,
        raised = sym seh::entry::raised,
    )
}

/// A call begins. Returns the function.
extern "win64" fn enter(
    slot: *const Slot,
    return_address: usize,
    flags: u64,
    frame: usize,
) -> usize {
    if let Some(trouble) = stack::trouble_of_call(frame) {
        // SAFETY: as below.
        let image = unsafe { &*slot }.image.as_ptr();
        // SAFETY: as below; the address is all that is wanted.
        fault::stop_call(trouble, unsafe { &*image }.address(), return_address, frame);
    }
    // SAFETY: thunks pass their own slot, and live as long as it; a thread that comes from a thunk
    // is in an image that is loaded.
    let slot = unsafe { &*slot };
    let image = slot.image.upgrade().expect("an image lives while it runs");
    let offset = image.offset(return_address);
    let visit = offset.map(|_| image.inside.enter(&slot.function));
    let call = Call {
        image,
        library: Arc::clone(&slot.library),
        function: Arc::clone(&slot.function),
        offset,
        visit,
    };
    if flags & DIRECTION != 0 {
        call.misused("called with the direction flag set");
    }
    if !frame.is_multiple_of(16) {
        call.misused("called with a stack that is not aligned to 16 bytes");
    }
    frames::call(call);
    slot.target
}

/// The call ends. Returns `true` if the function has raised an exception.
extern "win64" fn leave(flags: u64) -> bool {
    let Some(call) = frames::end_call() else {
        return false;
    };
    if flags & DIRECTION != 0 {
        call.misused("a callback returned with the direction flag set");
    }
    if let Some(visit) = call.visit {
        call.image.inside.leave(visit);
    }
    exception::is_raised()
}
