//! Faults: an image that reads where nothing is, runs what the processor refuses, has no stack any
//! more, or is run after it was unloaded; and a function of this crate that an image has given a bad
//! pointer. The handler finds out which image it was, and lets the thread go on in a function that
//! reports and stops: there, unlike in a handler, everything is allowed.
// UNSAFETY: signal handlers and the registers that they get.
#![expect(unsafe_code)]

mod emulate;
mod exception;
mod fast_fail;
mod land;

use std::arch::{asm, naked_asm};
use std::ffi::{c_int, c_void};
use std::mem;
use std::sync::OnceLock;

use nmr_host::quarantine;

use crate::native::exports::memory;
use crate::native::kernel::call;
use crate::native::kernel::frames::{self, Innermost};
use crate::native::kernel::peek::peek;
use crate::native::kernel::ranges::{self, Found};
use crate::native::kernel::stack::{self, Trouble};
use land::{Details, Place};

/// The signals of a processor's faults, the one of Rust's checks in a function of this crate, and the one of a system
/// call that is refused.
const SIGNALS: [c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGSYS,
];

/// The size of the instruction `syscall`, and of `int 80h`.
const SYSCALL: usize = 2;

/// What the handlers were that a fault goes on to if no image is to blame.
static BEFORE: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();

/// Installs the handlers, once.
pub(crate) fn install() {
    // Faults of images are for this handler, so it has to be asked first.
    quarantine::install_handler();
    emulate::prepare();
    BEFORE.get_or_init(|| SIGNALS.map(install_one));
}

fn install_one(signal: c_int) -> libc::sigaction {
    // SAFETY: a zeroed action is valid: the default, no flags, an empty mask.
    let empty: libc::sigaction = unsafe { mem::zeroed() };
    let (mut action, mut before) = (empty, empty);
    action.sa_sigaction = (begin as *const ()).expose_provenance();
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: the handler keeps to what a handler may do, and passes on what is not its own.
    unsafe { libc::sigaction(signal, &raw const action, &raw mut before) };
    before
}

const RIP: usize = libc::REG_RIP as usize;
const RSP: usize = libc::REG_RSP as usize;
const RCX: usize = libc::REG_RCX as usize;
const FLAGS: usize = libc::REG_EFL as usize;
const ERROR: usize = libc::REG_ERR as usize;
/// In the error code of a page fault: it was a write.
const WRITE: i64 = 2;
/// Direction, alignment check and trap: off in compiled code.
const UNUSUAL: i64 = 0x400 | 0x4_0000 | 0x100;

/// The handler. The system leaves the check of alignment on, with which compiled code faults.
#[unsafe(naked)]
extern "C" fn begin(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    naked_asm!(
        "pushfq",
        "and dword ptr [rsp], 0xfffbffff",
        "popfq",
        "jmp {handle}",
        handle = sym handle,
    )
}

pub(super) use exception::{exception, stop};
pub(super) use fast_fail::refused_target;

/// Stops a thread that has called a function of this crate from an image, with a stack on which that
/// cannot run.
pub(crate) fn stop_call(
    trouble: Trouble,
    image: usize,
    return_address: usize,
    pointer: usize,
) -> ! {
    let place = match ranges::find(return_address) {
        Some(Found::Loaded(..)) => Place::Image(return_address),
        _ => Place::Outside { image },
    };
    land::leave(Details {
        signal: 0,
        place,
        instruction: return_address,
        wanted: pointer,
        stack: Some(trouble),
        counter: 0,
        writes: false,
    });
    let top = stack::for_report(pointer) - size_of::<usize>();
    // SAFETY: nothing of the old stack is used any more, and the function does not return.
    unsafe { asm!("mov rsp, {}", "jmp {}", in(reg) top, sym land::land, options(noreturn)) }
}

/// Between here and `land` nothing is allocated and no lock is waited for.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the system passes the registers of the thread, which nothing else touches now.
    let registers = unsafe { &mut (*context).uc_mcontext.gregs };
    // SAFETY: the system passes what it knows about the signal.
    let about = unsafe { &*info };
    let (mut instruction, pointer) = (registers[RIP] as usize, registers[RSP] as usize);
    if signal == libc::SIGSYS {
        // It comes behind the instruction that makes the call.
        instruction = instruction.wrapping_sub(SYSCALL);
    }
    if signal == libc::SIGTRAP
        && about.si_code != libc::TRAP_TRACE
        && let Some(Found::Loaded(image, _)) = ranges::find(instruction.wrapping_sub(1))
    {
        // As if a debugger said "go on".
        image.count_breakpoint();
        return;
    }
    if signal == libc::SIGSEGV
        && let Some(Found::Loaded(image, _)) = ranges::find(instruction)
        && let Some(length) = emulate::carry_out(&image, instruction, registers)
    {
        registers[RIP] += length as i64;
        return;
    }
    let wanted = match signal {
        libc::SIGABRT | libc::SIGSYS => instruction,
        // SAFETY: these signals come with an address.
        _ => unsafe { about.si_addr() }.addr(),
    };
    let Some(place) = place(signal, instruction, wanted, pointer) else {
        pass_on(signal, info, context.cast());
        return;
    };
    let details = Details {
        signal,
        place,
        instruction,
        wanted,
        stack: stack::trouble(pointer, wanted),
        counter: registers[RCX] as u64,
        writes: registers[ERROR] & WRITE != 0,
    };
    land::leave(details);
    if exception::may_be_handled(&details, about.si_code, pointer) {
        // SAFETY: as above; `registers`, which is a part of it, is not used any more.
        let saved = unsafe { &mut (*context).uc_mcontext };
        // SAFETY: the registers are those of this thread, which has room on its stack.
        unsafe { exception::go_on_in_dispatch(saved) };
        return;
    }
    registers[RSP] = (stack::for_report(pointer) - size_of::<usize>()) as i64;
    registers[FLAGS] &= !UNUSUAL;
    registers[RIP] = (land::land as *const ()).expose_provenance() as i64;
}

/// Where the image that is to blame was: where it runs, where it looks if that is an image that is
/// gone, who called an address at which nothing is, or what the thread was doing.
fn place(signal: c_int, instruction: usize, wanted: usize, pointer: usize) -> Option<Place> {
    if signal != libc::SIGABRT {
        if ranges::find(instruction).is_some() {
            return Some(Place::Image(instruction));
        }
        if matches!(ranges::find(wanted), Some(Found::Gone(..))) {
            return Some(Place::Image(wanted));
        }
        if let Some(caller) = caller(instruction, wanted, pointer) {
            return Some(Place::Image(caller));
        }
    }
    match frames::innermost() {
        // The registrar says what a touch of the memory that modules lend means to its own functions,
        // and a panic of a module that it calls is the module's.
        Innermost::Host {
            runs_modules: true, ..
        } if signal == libc::SIGABRT || quarantine::contains(wanted) => None,
        Innermost::Host { image, .. } => Some(Place::Host { image }),
        Innermost::Image(image) if signal != libc::SIGABRT => Some(Place::Outside { image }),
        // A module has gone where nothing is; whose it is shows when locks may be taken.
        Innermost::Job if signal != libc::SIGABRT && instruction == wanted => Some(Place::Module),
        Innermost::Image(_) | Innermost::Job | Innermost::Nowhere => None,
    }
}

/// An address in the image that has called what is running.
fn caller(instruction: usize, wanted: usize, pointer: usize) -> Option<usize> {
    // In the functions for memory, the return address is near; at an address where nothing is, it is
    // on top. On the way into a function of this crate, with no stack left, it is above a few frames.
    const FRAMES: usize = 512;
    let depth = if memory::contains(instruction) {
        memory::DEPTH
    } else if instruction == wanted {
        1
    } else if stack::trouble(pointer, wanted) == Some(Trouble::Overflow) {
        FRAMES
    } else {
        0
    };
    (0..depth).find_map(|place| {
        let word = pointer.checked_add(place * size_of::<usize>())?;
        let caller = usize::from_ne_bytes(peek(word)?);
        ranges::find(caller).map(|_| caller)
    })
}

/// A handler.
type Action = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// A fault outside of images: says whether an image is waiting for the function that faulted, and
/// does what would have been done without this handler.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if let Some(call) = call::try_caller() {
        say(&[
            "driver-host: a fault in ",
            &call.function,
            ", called by ",
            &call.image.name,
            "\n",
        ]);
    }
    let place = SIGNALS.iter().position(|&own| own == signal);
    let before = place.and_then(|place| Some(&BEFORE.get()?[place]));
    let Some(before) = before.filter(|before| before.sa_sigaction > libc::SIG_IGN) else {
        // SAFETY: the default action needs nothing. The instruction faults again and ends the
        // process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        return;
    };
    // SAFETY: it was installed as a handler, and those of one argument ignore the others.
    let handler = unsafe { mem::transmute::<usize, Action>(before.sa_sigaction) };
    // SAFETY: the arguments are those of the signal.
    unsafe { handler(signal, info, context) };
}

/// Ends the process with a signal, as if there were no handler.
fn end(signal: c_int) -> ! {
    // SAFETY: the default action needs nothing.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // SAFETY: it has no condition.
    unsafe { libc::raise(signal) };
    std::process::abort()
}

fn say(parts: &[&str]) {
    for part in parts {
        // SAFETY: it writes readable bytes.
        unsafe { libc::write(libc::STDERR_FILENO, part.as_ptr().cast(), part.len()) };
    }
}
