//! The gate: the way of every watched call. It notes the call, puts a return address of its own
//! into the place of the caller's, and jumps to the real function, which finds every register and
//! the whole stack as the caller left them. The function returns to the second half of the gate,
//! which notes the return and goes back to the caller with the result.
//!
//! So it works for any number of arguments, in the convention of Microsoft and in that of System V.
//! Not kept are the upper halves of vector registers, which no kernel code passes.
// UNSAFETY: assembly, return addresses, and slots that come in as addresses.
#![expect(unsafe_code)]

use std::arch::naked_asm;
use std::cell::RefCell;

use nmr_machine::Role;

use super::table::Slot;
use super::watch::Watch;
use crate::sync::{Arc, thread_local};

/// A watched call that has not returned.
struct Frame {
    /// Where the caller goes on.
    return_address: usize,
    watch: Arc<Watch>,
    caller: Role,
    function: usize,
}

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// The address that stubs jump to.
pub(crate) fn address() -> usize {
    (entrance as *const ()).expose_provenance()
}

/// Comes from a stub, with the slot in `r11`.
///
/// Saves what either convention passes arguments in, other than what `enter` preserves itself: the
/// integer registers, the count of vector registers in `al`, the static chain in `r10`.
#[unsafe(naked)]
extern "win64" fn entrance() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 176",
        "mov [rbp - 8], rax",
        "mov [rbp - 16], rcx",
        "mov [rbp - 24], rdx",
        "mov [rbp - 32], r8",
        "mov [rbp - 40], r9",
        "mov [rbp - 48], r10",
        "movups [rbp - 64], xmm0",
        "movups [rbp - 80], xmm1",
        "movups [rbp - 96], xmm2",
        "movups [rbp - 112], xmm3",
        "movups [rbp - 128], xmm4",
        "movups [rbp - 144], xmm5",
        "mov rcx, r11",
        "lea rdx, [rbp + 8]",
        "call {enter}",
        "mov r11, rax",
        "mov rax, [rbp - 8]",
        "mov rcx, [rbp - 16]",
        "mov rdx, [rbp - 24]",
        "mov r8, [rbp - 32]",
        "mov r9, [rbp - 40]",
        "mov r10, [rbp - 48]",
        "movups xmm0, [rbp - 64]",
        "movups xmm1, [rbp - 80]",
        "movups xmm2, [rbp - 96]",
        "movups xmm3, [rbp - 112]",
        "movups xmm4, [rbp - 128]",
        "movups xmm5, [rbp - 144]",
        "leave",
        "jmp r11",
        enter = sym enter,
    )
}

/// Comes from the return of a function, with the stack as the caller expects it. Saves what either
/// convention returns results in.
#[unsafe(naked)]
extern "win64" fn exit() {
    naked_asm!(
        "sub rsp, 80",
        "mov [rsp + 32], rax",
        "mov [rsp + 40], rdx",
        "movups [rsp + 48], xmm0",
        "movups [rsp + 64], xmm1",
        "call {leave}",
        "mov r11, rax",
        "mov rax, [rsp + 32]",
        "mov rdx, [rsp + 40]",
        "movups xmm0, [rsp + 48]",
        "movups xmm1, [rsp + 64]",
        "add rsp, 80",
        "jmp r11",
        leave = sym leave,
    )
}

/// A call begins. Returns the function. A thread that is ending, and has lost its frames already,
/// calls unseen, and so does one for whose frame there is no memory.
///
/// # Safety
///
/// * `slot` is that of a stub that was handed out.
/// * `return_address` is where the caller's return address is.
unsafe extern "win64" fn enter(slot: *const Slot, return_address: *mut usize) -> usize {
    // SAFETY: the slot must be there: it stays as long as the registrar that handed it out.
    let slot = unsafe { &*slot };
    // SAFETY: the caller vouches for the place.
    let caller = unsafe { return_address.read() };
    let frame = Frame {
        return_address: caller,
        watch: Arc::clone(&slot.watch),
        caller: slot.caller,
        function: slot.function,
    };
    let note = |frames: &mut Vec<Frame>| {
        let room = frames.try_reserve(1).is_ok();
        if room {
            frames.push(frame);
        }
        room
    };
    let noted = FRAMES.try_with(|frames| note(&mut frames.borrow_mut()));
    if noted == Ok(true) {
        slot.watch.call_begins(slot.caller, slot.function);
        let exit = (exit as *const ()).expose_provenance();
        // SAFETY: the caller vouches for the place; `exit` goes back to where it led.
        unsafe { return_address.write(exit) };
    }
    slot.target
}

/// The call ends. Returns where the caller goes on.
#[expect(
    clippy::expect_used,
    reason = "only `enter` lets a call return here, after it has noted the frame"
)]
extern "win64" fn leave() -> usize {
    let frame = FRAMES.with(|frames| frames.borrow_mut().pop());
    let frame = frame.expect("only a call that was noted returns here");
    frame.watch.call_ends(frame.caller, frame.function);
    frame.return_address
}
