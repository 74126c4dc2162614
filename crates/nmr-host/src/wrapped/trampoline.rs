//! The trampoline: the way of every watched call. It notes the call, puts a return address of its own
//! into the place of the caller's, and jumps to the real function, which finds every register and
//! the whole stack as the caller left them. The function returns to the second half of the trampoline,
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
use crate::layout::Convention;
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
/// Saves what either convention passes arguments in, as [`Registers`]: the integer registers, the vector
/// registers that `enter` does not preserve, their count in `al`, the static chain in `r10`.
#[unsafe(naked)]
extern "win64" fn entrance() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 192",
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
        "mov [rbp - 152], rdi",
        "mov [rbp - 160], rsi",
        "mov rcx, r11",
        "lea rdx, [rbp + 8]",
        "lea r8, [rbp - 160]",
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
        "mov rdi, [rbp - 152]",
        "mov rsi, [rbp - 160]",
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

/// The registers that `entrance` saves, as they lie on its stack.
#[repr(C)]
struct Registers {
    rsi: usize,
    rdi: usize,
    vectors: [[u64; 2]; 6],
    r10: usize,
    r9: usize,
    r8: usize,
    rdx: usize,
    rcx: usize,
    rax: usize,
}

impl Registers {
    /// An integer argument, if it is in a register.
    fn argument(&mut self, convention: Convention, number: usize) -> Option<&mut usize> {
        let Self {
            rsi,
            rdi,
            r9,
            r8,
            rdx,
            rcx,
            ..
        } = self;
        match (convention, number) {
            (Convention::Windows, 0) | (Convention::Native, 3) => Some(rcx),
            (Convention::Windows, 1) | (Convention::Native, 2) => Some(rdx),
            (Convention::Windows, 2) => Some(r8),
            (Convention::Windows, 3) => Some(r9),
            (Convention::Native, 0) => Some(rdi),
            (Convention::Native, 1) => Some(rsi),
            _ => None,
        }
    }
}

/// Puts stubs into the place of the callbacks among the arguments.
fn wrap_callbacks(slot: &Slot, registers: &mut Registers) {
    for &(argument, function) in &slot.callbacks {
        let argument = registers.argument(slot.convention, argument);
        if let Some(argument) = argument.filter(|argument| **argument != 0) {
            *argument = slot.watch.callback(slot, function, *argument);
        }
    }
}

/// A call begins. Returns the function. A thread that is ending, and has lost its frames already,
/// calls unseen, and so does one for whose frame there is no memory.
///
/// # Safety
///
/// * `slot` is that of a stub that was handed out.
/// * `return_address` is where the caller's return address is.
/// * `registers` are those that `entrance` has saved and is going to restore.
unsafe extern "win64" fn enter(
    slot: *const Slot,
    return_address: *mut usize,
    registers: *mut Registers,
) -> usize {
    // SAFETY: the slot must be there: it stays as long as the registrar that handed it out.
    let slot = unsafe { &*slot };
    if !slot.callbacks.is_empty() {
        // SAFETY: the registers lie on the stack of `entrance`, which does not touch them meanwhile.
        wrap_callbacks(slot, unsafe { &mut *registers });
    }
    // SAFETY: the place is valid; the caller guarantees it.
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
        // SAFETY: the place is valid, which the caller guarantees; `exit` goes back to where it led.
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
