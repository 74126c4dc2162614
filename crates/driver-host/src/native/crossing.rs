//! The way into an image: calls a function of it with Microsoft's convention, and looks at what that
//! convention lets a function change. What it may not change is put right, so that the caller goes on.
// UNSAFETY: assembly, and functions that come in as addresses.
#![expect(unsafe_code)]

use std::arch::naked_asm;
use std::cell::Cell;
use std::ptr;

use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::report::Fault;

/// How many arguments on the stack reach a function of this crate.
pub(crate) const STACK_ARGUMENTS: usize = 12;

/// How many arguments a function can have.
const ARGUMENTS: usize = 8;

/// Calls an entry point or a callback of an image, and reports what it changed and may not.
///
/// # Safety
///
/// There is a function at the address, which can be called with these arguments. Further ones are
/// zero.
pub(crate) unsafe fn call<const COUNT: usize>(
    image: &Loaded,
    what: &str,
    function: usize,
    arguments: [usize; COUNT],
) -> usize {
    let mut all = [0; ARGUMENTS];
    all[..COUNT].copy_from_slice(&arguments);
    let mut out = Out::default();
    let result = image.enter(what, || {
        // SAFETY: the function can be called, by this contract; both pointers are to locals.
        unsafe { cross(function, all.as_ptr(), &raw mut out) }
    });
    report_changes(image, what, out.changed);
    result
}

/// What a crossing writes down.
#[repr(C)]
#[derive(Default)]
struct Out {
    /// What the function changed, one bit each.
    changed: u64,
    /// The address of the frame, while the function runs.
    frame: usize,
}

thread_local! {
    /// Where the crossing into the routine of this system thread has its [`Out`]; null on other threads.
    static THREAD: Cell<*const Out> = const { Cell::new(ptr::null()) };
}

/// Calls the routine of a system thread, which may [end](end_thread) instead of returning.
///
/// # Safety
///
/// There is a routine at the address, which can be called with this argument.
pub(crate) unsafe fn call_thread(image: &Loaded, what: &str, routine: usize, context: usize) {
    let all = [context, 0, 0, 0, 0, 0, 0, 0];
    let mut out = Out::default();
    image.enter(what, || {
        THREAD.set(&raw const out);
        // SAFETY: the routine can be called, by this contract; both pointers are to locals.
        unsafe { cross(routine, all.as_ptr(), &raw mut out) };
        THREAD.set(ptr::null());
    });
    report_changes(image, what, out.changed);
}

/// Returns `true` on a system thread of a driver.
pub(crate) fn is_thread() -> bool {
    !THREAD.get().is_null()
}

/// Ends the routine of a system thread: goes on behind its call, as if it had returned.
///
/// # Safety
///
/// [`is_thread`] is true, and no frame between the crossing and this one has anything to drop.
pub(crate) unsafe fn end_thread() -> ! {
    // SAFETY: the crossing is in progress, as this is its thread, so its `Out` is there.
    let frame = unsafe { (*THREAD.get()).frame };
    // SAFETY: it is the frame of that crossing; the frames above it may be left, by this contract.
    unsafe { return_to(frame) }
}

/// Returns from the function that the crossing with this frame has called, with the registers that it keeps.
#[unsafe(naked)]
unsafe extern "sysv64" fn return_to(frame: usize) -> ! {
    naked_asm!(
        "xor eax, eax",
        ".irp register, rbp, rbx, rsi, r12, r13, r14, r15",
        "mov \\register, rdi",
        ".endr",
        // Where the call has put its return address.
        "lea rsp, [rbp - 136]",
        "ret",
    )
}

/// What a function has changed, one bit each.
const REGISTERS: u64 = 1;
const DIRECTION: u64 = 2;
const FLOATING_POINT: u64 = 4;

fn report_changes(image: &Loaded, function: &str, changed: u64) {
    let kinds = [
        (
            REGISTERS,
            "returned with registers changed that a function has to keep",
        ),
        (DIRECTION, "returned with the direction flag set"),
        (
            FLOATING_POINT,
            "returned with the control of floating-point arithmetic changed",
        ),
    ];
    for (bit, text) in kinds {
        if changed & bit != 0 {
            image.report(Fault::Misuse {
                function: function.to_owned(),
                text: text.to_owned(),
            });
        }
    }
}

/// `cross(function, arguments, out)`: calls the function with eight arguments.
///
/// Below `rbp` are the five registers that the caller wants back, `out`, and the controls of
/// floating-point arithmetic; below those, for the callee, 32 bytes of home space and four arguments.
/// Every register that a function keeps has the value of `rbp` during the call. After it, only `rsp` is
/// trusted.
#[unsafe(naked)]
unsafe extern "sysv64" fn cross(function: usize, arguments: *const usize, out: *mut Out) -> usize {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "mov [rdx + 8], rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdx",
        "sub rsp, 80",
        "stmxcsr [rbp - 56]",
        "fnstcw [rbp - 64]",
        "mov rax, rdi",
        "mov r10, rsi",
        ".set argument, 0",
        ".rept 4",
        "mov r11, [r10 + 32 + argument]",
        "mov [rsp + 32 + argument], r11",
        ".set argument, argument + 8",
        ".endr",
        "mov rcx, [r10]",
        "mov rdx, [r10 + 8]",
        "mov r8, [r10 + 16]",
        "mov r9, [r10 + 24]",
        "mov rbx, rbp",
        "mov rsi, rbp",
        "mov rdi, rbp",
        "mov r12, rbp",
        "mov r13, rbp",
        "mov r14, rbp",
        "mov r15, rbp",
        "call rax",
        // The flags: direction, alignment check and trap are off between functions.
        "pushfq",
        "pop r8",
        "cld",
        "lea r9, [rsp + 128]",
        "xor r11d, r11d",
        ".irp register, rbp, rbx, rsi, rdi, r12, r13, r14, r15",
        "cmp \\register, r9",
        "jne 2f",
        ".endr",
        "jmp 3f",
        "2:",
        "or r11d, {registers}",
        "3:",
        "mov rbp, r9",
        "test r8d, 0x400",
        "jz 4f",
        "or r11d, {direction}",
        "4:",
        "and r8d, 0xfffbfaff",
        "push r8",
        "popfq",
        // The control bits are compared, not what was observed.
        "stmxcsr [rbp - 60]",
        "mov r8d, [rbp - 60]",
        "xor r8d, [rbp - 56]",
        "and r8d, 0xffc0",
        "fnstcw [rbp - 68]",
        "mov r9w, [rbp - 68]",
        "xor r9w, [rbp - 64]",
        "movzx r9d, r9w",
        "or r8d, r9d",
        "jz 5f",
        "or r11d, {floating_point}",
        "5:",
        "ldmxcsr [rbp - 56]",
        "fninit",
        "fldcw [rbp - 64]",
        "mov rdx, [rbp - 48]",
        "mov [rdx], r11",
        "lea rsp, [rbp - 40]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        registers = const REGISTERS,
        direction = const DIRECTION,
        floating_point = const FLOATING_POINT,
    )
}
