//! Faults that a driver may handle: in memory that a program could have, and divisions by zero.
//!
//! Windows ends with a bug check at a fault in the memory of the kernel, whatever handlers there are. Here drivers and
//! programs share one range of addresses; so what this host has given to drivers, or had given to them, counts as the kernel's,
//! and everything else below the end of the user range as a program's.
// UNSAFETY: registers that a signal has saved, and the stack below them.
#![expect(unsafe_code)]

use std::ptr;

use nmr_host::quarantine;

use super::emulate;
use super::land::{self, Details, Place};
use super::{FLAGS, RIP, RSP, UNUSUAL};
use crate::native::abi::seh::entry;
use crate::native::exports::memory;
use crate::native::kernel::buffer;
use crate::native::kernel::exception::{Context, Exception};
use crate::native::kernel::peek::USER_END;
use crate::native::kernel::ranges::{self, Found};
use crate::native::kernel::stack;

/// Codes of `SIGSEGV` that come with an address.
const WITH_ADDRESS: [i32; 2] = [1, 2];
/// `FPE_INTDIV`.
const DIVISION: i32 = 1;

/// How much below the stack pointer is left alone: room for what goes back to the driver.
const GAP: usize = 64;

/// Returns `true` if a fault is one that a handler of the driver could take, as far as a handler of signals may look.
pub(super) fn may_be_handled(details: &Details, code: i32, pointer: usize) -> bool {
    let Place::Image(address) = details.place else {
        return false;
    };
    if !matches!(ranges::find(address), Some(Found::Loaded(..))) || !stack::has_room(pointer) {
        return false;
    }
    let in_image = address == details.instruction || memory::contains(details.instruction);
    in_image
        && match details.signal {
            libc::SIGSEGV => {
                WITH_ADDRESS.contains(&code)
                    && is_users(details)
                    && !emulate::needs_processor(details.instruction)
            }
            libc::SIGFPE => code == DIVISION,
            _ => false,
        }
}

fn is_users(details: &Details) -> bool {
    let wanted = details.wanted;
    wanted < USER_END
        && wanted != details.instruction
        && details.stack.is_none()
        && !quarantine::contains(wanted)
        && ranges::find(wanted).is_none()
}

/// Saves the registers below the stack pointer, and lets the thread go on in the dispatch of the exception.
///
/// # Safety
///
/// The registers are those of this thread, whose handler of signals runs on another stack, and there is room below its stack
/// pointer.
pub(super) unsafe fn go_on_in_dispatch(registers: &mut libc::mcontext_t) {
    /// The numbers of the integer registers, in the order of a `CONTEXT`.
    const INTEGERS: [i32; 16] = [
        libc::REG_RAX,
        libc::REG_RCX,
        libc::REG_RDX,
        libc::REG_RBX,
        libc::REG_RSP,
        libc::REG_RBP,
        libc::REG_RSI,
        libc::REG_RDI,
        libc::REG_R8,
        libc::REG_R9,
        libc::REG_R10,
        libc::REG_R11,
        libc::REG_R12,
        libc::REG_R13,
        libc::REG_R14,
        libc::REG_R15,
    ];
    let mut context = Context::new();
    context.integers = INTEGERS.map(|register| registers.gregs[register as usize] as u64);
    context.instruction = registers.gregs[RIP] as u64;
    context.processor_flags = registers.gregs[FLAGS] as u32;
    // SAFETY: the system has saved them, and points to them.
    let vectors = unsafe { (*registers.fpregs)._xmm };
    context.vectors = vectors.map(|vector| {
        let [a, b, c, d] = vector.element.map(u64::from);
        [a | b << 32, c | d << 32]
    });
    let bottom = (context.stack_pointer() - GAP - entry::ROOM) & !15;
    let place = ptr::with_exposed_provenance_mut::<Context>(bottom + entry::HOME);
    // SAFETY: it is on the stack of the thread, below what it uses, and aligned like the stack.
    unsafe { place.write(context) };
    registers.gregs[RSP] = bottom as i64;
    registers.gregs[FLAGS] &= !UNUSUAL;
    registers.gregs[RIP] = (entry::faulted as *const ()).expose_provenance() as i64;
}

/// What a driver gets for the fault that the thread has run into. `None` if it was a touch of what is the kernel's.
pub(in crate::native::abi) fn exception() -> Option<Exception> {
    let details = land::details()?;
    if details.signal == libc::SIGFPE {
        return Some(Exception::new(Exception::INTEGER_DIVIDE_BY_ZERO));
    }
    let kernels = nmr_host::is_poison(details.wanted) || buffer::was_at(details.wanted).is_some();
    (!kernels).then(|| Exception::access(details.writes, details.wanted))
}

/// Reports the fault, which no handler has taken, and stops the host.
pub(in crate::native::abi) fn stop() -> ! {
    land::land()
}
