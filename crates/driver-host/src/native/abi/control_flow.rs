//! Control Flow Guard: the functions through which code that is compiled with `/guard:cf` checks the target of a call.

use std::arch::naked_asm;
use std::sync::Arc;

use super::fault;
use crate::native::kernel::ranges::{self, Found};

/// The address of the function that checks the target in `rcx` and returns.
pub(crate) fn check_address() -> usize {
    (check as *const ()).expose_provenance()
}

/// The address of the function that checks the target in `rax` and jumps to it.
pub(crate) fn dispatch_address() -> usize {
    (dispatch as *const ()).expose_provenance()
}

/// Both keep every register that has arguments. `verify` may change the others.
#[unsafe(naked)]
extern "win64" fn check() {
    naked_asm!(
        "push rax",
        "mov rax, rcx",
        "call {keeping}",
        "pop rax",
        "ret",
        keeping = sym verify_keeping_arguments,
    )
}

#[unsafe(naked)]
extern "win64" fn dispatch() {
    naked_asm!(
        "push rax",
        "call {keeping}",
        "pop rax",
        "jmp rax",
        keeping = sym verify_keeping_arguments,
    )
}

/// Checks the target in `rax` for a caller that has pushed a word above its return address.
///
/// The frame, from the bottom: 32 bytes of home space, six floating-point registers, six others.
#[unsafe(naked)]
extern "win64" fn verify_keeping_arguments() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "and rsp, -16",
        "sub rsp, 176",
        "mov [rsp + 128], rcx",
        "mov [rsp + 136], rdx",
        "mov [rsp + 144], r8",
        "mov [rsp + 152], r9",
        "mov [rsp + 160], r10",
        "mov [rsp + 168], r11",
        "movaps [rsp + 32], xmm0",
        "movaps [rsp + 48], xmm1",
        "movaps [rsp + 64], xmm2",
        "movaps [rsp + 80], xmm3",
        "movaps [rsp + 96], xmm4",
        "movaps [rsp + 112], xmm5",
        "mov rcx, rax",
        // The saved frame, the return address, what the caller has pushed, and its own return address.
        "mov rdx, [rbp + 24]",
        "call {verify}",
        "mov rcx, [rsp + 128]",
        "mov rdx, [rsp + 136]",
        "mov r8, [rsp + 144]",
        "mov r9, [rsp + 152]",
        "mov r10, [rsp + 160]",
        "mov r11, [rsp + 168]",
        "movaps xmm0, [rsp + 32]",
        "movaps xmm1, [rsp + 48]",
        "movaps xmm2, [rsp + 64]",
        "movaps xmm3, [rsp + 80]",
        "movaps xmm4, [rsp + 96]",
        "movaps xmm5, [rsp + 112]",
        "leave",
        "ret",
        verify = sym verify,
    )
}

/// Stops the host if a target is in an image that has a table of targets, and not in the table.
extern "win64" fn verify(target: usize, return_address: usize) {
    let Some(Found::Loaded(image, offset)) = ranges::find(target) else {
        return;
    };
    if image.is_call_target(offset) {
        return;
    }
    // A jump at the end of a function that this crate has called leaves no trace of the caller.
    let (caller, place) = match ranges::find(return_address) {
        Some(Found::Loaded(caller, place)) => (caller, Some(place)),
        _ => (Arc::clone(&image), None),
    };
    caller.stop(fault::refused_target(&image.name, offset, place))
}
