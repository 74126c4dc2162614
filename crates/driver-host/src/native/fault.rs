//! Faults: an image that reads where nothing is, runs what the processor refuses, or is run after
//! it was unloaded. The handler finds out which image it was, and lets the thread go on in a
//! function that reports and stops, as if the image had called it: there, unlike in a handler,
//! everything is allowed.
// UNSAFETY: signal handlers and the registers that they get.
#![expect(unsafe_code)]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::OnceLock;

use nmr_host::quarantine::{self, Touched};
use nmr_host::{Role, Rule};

use super::exports::memory;
use super::gate;
use super::ranges::{self, Found};
use super::report::Fault;
use super::system::System;
use super::wdf::buffer;

const SIGNALS: [c_int; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
];

/// What the handlers were that a fault goes on to if no image is to blame.
static BEFORE: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();

/// Installs the handlers, once.
pub(crate) fn install() {
    // Faults of images are for this handler, so it has to be asked first.
    quarantine::install_handler();
    BEFORE.get_or_init(|| SIGNALS.map(install_one));
}

fn install_one(signal: c_int) -> libc::sigaction {
    // SAFETY: a zeroed action is valid: the default, no flags, an empty mask.
    let empty: libc::sigaction = unsafe { mem::zeroed() };
    let (mut action, mut before) = (empty, empty);
    action.sa_sigaction = (handle as *const ()).expose_provenance();
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: the handler keeps to what a handler may do, and passes on what is not its own.
    unsafe { libc::sigaction(signal, &raw const action, &raw mut before) };
    before
}

/// A fault that the handler has found the image of.
#[derive(Clone, Copy, Debug)]
struct Details {
    signal: c_int,
    /// An address that tells which image it is.
    image: usize,
    /// What the instruction wanted.
    wanted: usize,
}

thread_local! {
    static DETAILS: Cell<Option<Details>> = const { Cell::new(None) };
}

const RIP: usize = libc::REG_RIP as usize;
const RSP: usize = libc::REG_RSP as usize;
const FLAGS: usize = libc::REG_EFL as usize;
const DIRECTION: i64 = 0x400;

/// The handler. Between here and `land` nothing is allocated and no lock is waited for.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the system passes the registers of the thread, which nobody else touches now.
    let registers = unsafe { &mut (*context).uc_mcontext.gregs };
    let (instruction, stack) = (registers[RIP] as usize, registers[RSP] as usize);
    // SAFETY: the system passes what it knows about the signal.
    let about = unsafe { &*info };
    // SAFETY: these signals come with an address.
    let wanted = unsafe { about.si_addr() }.addr();
    if signal == libc::SIGTRAP
        && let Some(Found::Loaded(image, _)) = ranges::find(instruction.wrapping_sub(1))
    {
        // As if a debugger said "go on".
        image.count_breakpoint();
        return;
    }
    let Some(image) = culprit(instruction, wanted, stack) else {
        pass_on(signal, info, context.cast());
        return;
    };
    DETAILS.set(Some(Details {
        signal,
        image,
        wanted,
    }));
    // Room for what the image may have below its stack pointer, and the alignment of a call.
    let stack = (stack - 512) & !15;
    registers[RSP] = (stack - 8) as i64;
    // Compiled code relies on it that strings are copied forwards.
    registers[FLAGS] &= !DIRECTION;
    registers[RIP] = (land as *const ()).expose_provenance() as i64;
}

/// An address in the image that is to blame: where it runs, where it looks if that is an image that
/// is gone, or who called an address at which nothing is.
fn culprit(instruction: usize, wanted: usize, stack: usize) -> Option<usize> {
    if ranges::find(instruction).is_some() {
        return Some(instruction);
    }
    if matches!(ranges::find(wanted), Some(Found::Gone(..))) {
        return Some(wanted);
    }
    if !stack.is_multiple_of(8) {
        return None;
    }
    // In the functions for memory, the return address is near; at an address where nothing is, it is
    // on top.
    let depth = match instruction {
        _ if memory::contains(instruction) => memory::DEPTH,
        _ => usize::from(instruction == wanted),
    };
    (0..depth).find_map(|place| {
        let word = stack + place * size_of::<usize>();
        // SAFETY: this is the stack of running code, which has called what is running.
        let caller = unsafe { ptr::with_exposed_provenance::<usize>(word).read_volatile() };
        ranges::find(caller).map(|_| caller)
    })
}

/// Where a thread that faulted goes on, on its own stack.
extern "C" fn land() -> ! {
    let details = DETAILS.take().expect("the handler says what happened");
    match ranges::find(details.image) {
        Some(Found::Loaded(image, offset)) if quarantine::contains(details.wanted) => {
            image.stop(special_pool(details.wanted, offset))
        }
        Some(Found::Loaded(image, offset)) => {
            if nmr_host::is_poison(details.wanted) {
                let client = image.registrations.only(Role::Client);
                let registrar = &image.system.registrar;
                registrar.accuse(Rule::V38, client, "a fault");
            }
            let what = if buffer::was_at(details.wanted) {
                "touched the buffer of a request after completing it"
            } else {
                describe(details.signal)
            };
            let address = details.wanted as u64;
            image.stop(Fault::Exception {
                what,
                offset: Some(offset),
                address,
            })
        }
        Some(Found::Gone(name, system, offset)) => late(&name, system.upgrade().as_deref(), offset),
        None => std::process::abort(),
    }
}

/// A touch of special pool that is closed. The registrars get to report it first.
fn special_pool(wanted: usize, offset: u64) -> Fault {
    let touched = quarantine::touched(wanted);
    let (code, meaning) = match touched {
        Touched::Freed(_) => (0xcc, "PAGE_FAULT_IN_FREED_SPECIAL_POOL"),
        Touched::Behind(_) | Touched::Nothing => (0xcd, "PAGE_FAULT_BEYOND_END_OF_ALLOCATION"),
    };
    Fault::BugCheck {
        code,
        parameters: [wanted as u64, 0, offset, 0],
        meaning: format!("{meaning}: {touched}"),
        offset: Some(offset),
    }
}

/// An image is used that is gone, and its host may be as well.
fn late(name: &str, system: Option<&System>, offset: u64) -> ! {
    let fault = Fault::Late { offset };
    match system {
        Some(system) => system.stop(name, fault),
        None => panic!("{name}: {fault}, and so is its host"),
    }
}

fn describe(signal: c_int) -> &'static str {
    match signal {
        libc::SIGSEGV => "access violation or privileged instruction",
        libc::SIGBUS => "bus error",
        libc::SIGILL => "illegal instruction",
        libc::SIGFPE => "arithmetic exception",
        _ => "trap",
    }
}

/// A handler.
type Action = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// A fault outside of images: says whether an image is waiting for the function that faulted, and
/// does what would have been done without this handler.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if let Some(call) = gate::try_caller() {
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

fn say(parts: &[&str]) {
    for part in parts {
        // SAFETY: it writes readable bytes.
        unsafe { libc::write(libc::STDERR_FILENO, part.as_ptr().cast(), part.len()) };
    }
}
