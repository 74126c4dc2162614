//! The handler of faults, and the thread that answers it.
// UNSAFETY: a signal handler.
#![expect(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::thread;

use super::super::fault::{Toucher, answer};
use super::super::quarantine;

/// A touch that waits for an answer.
struct Touch {
    address: usize,
    toucher: Toucher,
    answer: AtomicU8,
}

const WAITING: u8 = 0;
const GO_ON: u8 = 1;
const PASS_ON: u8 = 2;

/// What the handler was before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
/// Where the handler writes the address of its touch.
static BELL: AtomicI32 = AtomicI32::new(-1);

/// Installs the handler of faults, once. The quarantine does it by itself; a program that installs a
/// handler that is to be asked first calls this before.
pub(in super::super) fn install() {
    BEFORE.get_or_init(|| {
        // SAFETY: a zeroed action is valid: the default, no flags, an empty mask.
        let empty: libc::sigaction = unsafe { mem::zeroed() };
        let (mut action, mut before) = (empty, empty);
        action.sa_sigaction = (handle as *const ()).expose_provenance();
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: the handler keeps to what a handler may do, and passes on what is not its own.
        unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, &raw mut before) };
        before
    });
}

/// Installs the handler and starts the thread that answers it.
pub(in super::super) fn start() {
    let mut ends = [-1; 2];
    // SAFETY: it writes two numbers.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return;
    }
    let [from, to] = ends;
    let answering = thread::Builder::new().name("nmr-host quarantine".to_owned());
    if answering.spawn(move || answer_all(from)).is_ok() {
        BELL.store(to, Ordering::Release);
        install();
    }
}

/// Lets no touch wait for the thread any more: a child of a fork does not have it, and what it would
/// write into the pipe would get to its parent. Returns whether there was one.
pub(in super::super) fn stop() -> bool {
    BELL.swap(-1, Ordering::AcqRel) >= 0
}

/// Answers one touch after the other.
fn answer_all(from: c_int) {
    loop {
        let mut touch: *const Touch = ptr::null();
        let size = size_of_val(&touch);
        // SAFETY: it writes a pointer at most.
        let count = unsafe { libc::read(from, (&raw mut touch).cast(), size) };
        if usize::try_from(count) != Ok(size) {
            continue;
        }
        // SAFETY: the handler that has written the address waits until there is an answer.
        let touch = unsafe { &*touch };
        let goes_on = answer(touch.address, &touch.toucher);
        let word = if goes_on { GO_ON } else { PASS_ON };
        touch.answer.store(word, Ordering::Release);
    }
}

/// The handler. It allocates nothing and waits for no lock.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the system passes what it knows about the signal.
    let about = unsafe { &*info };
    // SAFETY: this signal comes with an address.
    let address = unsafe { about.si_addr() }.addr();
    if !quarantine::contains(address) || !ask(address) {
        pass_on(signal, info, context);
    }
}

/// Returns `true` if the thread can go on.
fn ask(address: usize) -> bool {
    let touch = Touch {
        address,
        toucher: Toucher::here(),
        answer: AtomicU8::new(WAITING),
    };
    let pointer = &raw const touch;
    let bell = BELL.load(Ordering::Acquire);
    // SAFETY: it reads a pointer.
    let count = unsafe { libc::write(bell, (&raw const pointer).cast(), size_of_val(&pointer)) };
    if count < 0 {
        return false;
    }
    loop {
        match touch.answer.load(Ordering::Acquire) {
            WAITING => {
                // SAFETY: it has no condition.
                unsafe { libc::sched_yield() };
            }
            word => return word == GO_ON,
        }
    }
}

/// A handler.
type Action = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Does what would have been done without this handler.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let before = BEFORE.get();
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
