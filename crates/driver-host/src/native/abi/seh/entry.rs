//! The ways of a thread into the dispatch of an exception, and back into its driver.
// UNSAFETY: assembly, and registers behind a pointer.
#![expect(unsafe_code)]

use std::arch::naked_asm;

use super::dispatch::{self, Outcome};
use crate::native::abi::fault;
use crate::native::kernel::exception::{self, Context};

/// The room for the registers of a thread below its stack pointer, with 32 bytes of home space; a multiple of 16.
pub(in crate::native::abi) const ROOM: usize = size_of::<Context>() + HOME;
pub(in crate::native::abi) const HOME: usize = 32;

/// Comes from the gate with its frame in `rbp`, when the function that the image has called has raised an exception: the
/// registers that a function keeps are those of the image.
#[unsafe(naked)]
pub(in crate::native::abi) extern "win64" fn raised() {
    naked_asm!(
        "sub rsp, {room}",
        // Every part of the context is written.
        "mov rdx, rdi",
        "mov rdi, rsp",
        "mov ecx, {words}",
        "xor eax, eax",
        "rep stosq",
        "mov rdi, rdx",
        "mov [rsp + 32 + 0x78 + 8 * 3], rbx",
        "mov [rsp + 32 + 0x78 + 8 * 6], rsi",
        "mov [rsp + 32 + 0x78 + 8 * 7], rdi",
        ".set number, 12",
        ".irp register, r12, r13, r14, r15",
        "mov [rsp + 32 + 0x78 + 8 * number], \\register",
        ".set number, number + 1",
        ".endr",
        ".set number, 6",
        ".irp register, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15",
        "movups [rsp + 32 + 0x1a0 + 16 * number], \\register",
        ".set number, number + 1",
        ".endr",
        // The frame of the image, and where it has called from.
        "mov rax, [rbp]",
        "mov [rsp + 32 + 0x78 + 8 * 5], rax",
        "lea rax, [rbp + 16]",
        "mov [rsp + 32 + 0x78 + 8 * 4], rax",
        "mov rax, [rbp + 8]",
        "mov [rsp + 32 + 0xf8], rax",
        "mov dword ptr [rsp + 32 + 0x44], 0x202",
        "lea rcx, [rsp + 32]",
        "call {dispatch}",
        "lea rcx, [rsp + 32]",
        "jmp {resume}",
        room = const ROOM,
        words = const ROOM / 8,
        dispatch = sym dispatch_raised,
        resume = sym resume,
    )
}

/// Where a thread goes on after a fault whose registers the handler of signals has put above its home space.
#[unsafe(naked)]
pub(in crate::native::abi) extern "win64" fn faulted() {
    naked_asm!(
        "lea rcx, [rsp + 32]",
        "call {dispatch}",
        "lea rcx, [rsp + 32]",
        "jmp {resume}",
        dispatch = sym dispatch_fault,
        resume = sym resume,
    )
}

/// Gives the thread the registers of the context in `rcx`. What is below its stack pointer may be overwritten.
#[unsafe(naked)]
extern "win64" fn resume() {
    naked_asm!(
        "mov rax, [rcx + 0x78 + 8 * 4]",
        "mov rdx, [rcx + 0xf8]",
        "mov [rax - 8], rdx",
        "mov rdx, [rcx + 0x78 + 8 * 1]",
        "mov [rax - 16], rdx",
        "mov rdx, [rcx + 0x78]",
        "mov [rax - 24], rdx",
        "mov edx, [rcx + 0x44]",
        "mov [rax - 32], rdx",
        ".set number, 0",
        ".irp register, xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15",
        "movups \\register, [rcx + 0x1a0 + 16 * number]",
        ".set number, number + 1",
        ".endr",
        "mov rdx, [rcx + 0x78 + 8 * 2]",
        "mov rbx, [rcx + 0x78 + 8 * 3]",
        ".set number, 5",
        ".irp register, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15",
        "mov \\register, [rcx + 0x78 + 8 * number]",
        ".set number, number + 1",
        ".endr",
        "lea rsp, [rax - 32]",
        "popfq",
        "pop rax",
        "pop rcx",
        "ret",
    )
}

/// Dispatches what a function of the kernel has raised. The host stops if the driver does not handle it.
extern "win64" fn dispatch_raised(context: *mut Context) {
    let Some(raised) = exception::take_raised() else {
        std::process::abort()
    };
    // SAFETY: `raised` passes registers that it has just saved, on the stack of this thread.
    let context = unsafe { &mut *context };
    if dispatch::dispatch(context, &raised.exception, false) == Outcome::Unhandled {
        raised.image.stop(raised.fault);
    }
}

/// Dispatches a fault of an image. It is reported as one outside of any handler if the driver does not handle it.
extern "win64" fn dispatch_fault(context: *mut Context) {
    // SAFETY: the handler of signals has put the registers there, for this thread alone.
    let context = unsafe { &mut *context };
    let handled = fault::exception()
        .is_some_and(|exception| dispatch::dispatch(context, &exception, true) == Outcome::Handled);
    if !handled {
        fault::stop();
    }
}
