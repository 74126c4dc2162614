//! The functions of a C library that compilers call, and the stack probe. They are called directly:
//! they are hot, and no report ever needs to know who called them, except when they fault. So that
//! the handler of faults can find the image then, they are written in assembly, with nothing but two
//! registers between the stack pointer and the return address.
// UNSAFETY: the tests call the assembly.
#![cfg_attr(test, expect(unsafe_code))]

use std::arch::naked_asm;

use crate::native::kernel::exception::context::{RDI, RSI};

/// Every function.
fn functions() -> [*const (); 8] {
    [
        copy as *const (),
        set as *const (),
        fill as *const (),
        zero as *const (),
        compare as *const (),
        equal as *const (),
        length as *const (),
        probe as *const (),
    ]
}

/// Longer than any function here.
const LONGEST: usize = 96;

/// How far above the stack pointer the return address of such a function can be, in words.
pub(crate) const DEPTH: usize = 3;

/// Returns `true` if an instruction may be in one of these functions.
pub(crate) fn contains(instruction: usize) -> bool {
    let distance = |function: *const ()| instruction.wrapping_sub(function.addr());
    functions()
        .into_iter()
        .any(|function| distance(function) < LONGEST)
}

/// The registers that the function at an instruction has pushed, the last first, by their numbers, where it touches the
/// memory of its caller. `None` if it is none of these functions.
pub(crate) fn pushed(instruction: usize) -> Option<&'static [usize]> {
    let begins = functions().into_iter().map(<*const ()>::addr);
    let begin = begins.filter(|&begin| begin <= instruction).max()?;
    if !contains(instruction) {
        None
    } else if begin == (copy as *const ()).addr() {
        Some(&[RDI, RSI])
    } else if begin == (set as *const ()).addr() {
        Some(&[RDI])
    } else {
        Some(&[])
    }
}

/// `void *memmove(void *to, const void *from, size_t size)`, which is also a `memcpy`.
#[unsafe(naked)]
pub(crate) extern "win64" fn copy() {
    naked_asm!(
        "push rsi",
        "push rdi",
        "mov rax, rcx",
        "mov rdi, rcx",
        "mov rsi, rdx",
        "mov rcx, r8",
        "mov r9, rdi",
        "sub r9, rsi",
        "cmp r9, rcx",
        "jb 2f",
        "rep movsb",
        "pop rdi",
        "pop rsi",
        "ret",
        // The target begins inside the source: from the end.
        "2:",
        "lea rsi, [rsi + rcx - 1]",
        "lea rdi, [rdi + rcx - 1]",
        "std",
        "rep movsb",
        "cld",
        "pop rdi",
        "pop rsi",
        "ret",
    )
}

/// `void *memset(void *to, int byte, size_t size)`.
#[unsafe(naked)]
pub(crate) extern "win64" fn set() {
    naked_asm!(
        "push rdi",
        "mov r9, rcx",
        "mov rdi, rcx",
        "mov eax, edx",
        "mov rcx, r8",
        "rep stosb",
        "mov rax, r9",
        "pop rdi",
        "ret",
    )
}

/// `void RtlFillMemory(void *to, size_t size, int byte)`.
#[unsafe(naked)]
pub(crate) extern "win64" fn fill() {
    naked_asm!("xchg rdx, r8", "jmp {set}", set = sym set)
}

/// `void RtlZeroMemory(void *to, size_t size)`.
#[unsafe(naked)]
pub(crate) extern "win64" fn zero() {
    naked_asm!("mov r8, rdx", "xor edx, edx", "jmp {set}", set = sym set)
}

/// `int memcmp(const void *a, const void *b, size_t size)`.
#[unsafe(naked)]
pub(crate) extern "win64" fn compare() {
    naked_asm!(
        "xor r9d, r9d",
        "2:",
        "cmp r9, r8",
        "je 3f",
        "movzx eax, byte ptr [rcx + r9]",
        "movzx r10d, byte ptr [rdx + r9]",
        "inc r9",
        "sub eax, r10d",
        "je 2b",
        "ret",
        "3:",
        "xor eax, eax",
        "ret",
    )
}

/// `size_t RtlCompareMemory(const void *a, const void *b, size_t size)`: how many bytes are equal.
#[unsafe(naked)]
pub(crate) extern "win64" fn equal() {
    naked_asm!(
        "xor eax, eax",
        "2:",
        "cmp rax, r8",
        "je 3f",
        "mov r10b, byte ptr [rcx + rax]",
        "cmp r10b, byte ptr [rdx + rax]",
        "jne 3f",
        "inc rax",
        "jmp 2b",
        "3:",
        "ret",
    )
}

/// `size_t strlen(const char *text)`.
#[unsafe(naked)]
pub(crate) extern "win64" fn length() {
    naked_asm!(
        "xor eax, eax",
        "2:",
        "cmp byte ptr [rcx + rax], 0",
        "je 3f",
        "inc rax",
        "jmp 2b",
        "3:",
        "ret",
    )
}

/// The stack probe: the size comes in `rax`, and every register is kept. The stack of a thread of
/// this process grows by itself, so there is nothing to touch.
#[unsafe(naked)]
pub(crate) extern "win64" fn probe() {
    naked_asm!("ret")
}

#[cfg(test)]
mod tests {
    use std::mem;

    use super::*;

    type Three = unsafe extern "win64" fn(*mut u8, usize, usize) -> usize;

    /// Calls a function.
    fn call(function: *const (), first: *mut u8, second: usize, third: usize) -> usize {
        // SAFETY: each function takes up to three words and returns at most one.
        let function = unsafe { mem::transmute::<*const (), Three>(function) };
        // SAFETY: the tests pass ranges that they own.
        unsafe { function(first, second, third) }
    }

    #[test]
    fn copies_may_overlap() {
        for (to, from) in [(0, 3), (3, 0), (2, 2), (0, 8), (8, 0)] {
            let mut bytes: Vec<u8> = (0..16).collect();
            let mut expected = bytes.clone();
            expected.copy_within(from..from + 8, to);
            let start = bytes.as_mut_ptr();
            let target = start.wrapping_add(to);
            let source = start.wrapping_add(from).expose_provenance();
            assert_eq!(call(copy as *const (), target, source, 8), target.addr());
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn memory_is_filled() {
        let mut bytes = [9; 6];
        assert_eq!(
            call(set as *const (), &raw mut bytes[1], 0x105, 4),
            (&raw const bytes[1]).addr()
        );
        assert_eq!(bytes, [9, 5, 5, 5, 5, 9]);
        call(fill as *const (), &raw mut bytes[2], 2, 7);
        assert_eq!(bytes, [9, 5, 7, 7, 5, 9]);
        call(zero as *const (), &raw mut bytes[0], 3, 1);
        assert_eq!(bytes, [0, 0, 0, 7, 5, 9]);
    }

    #[test]
    fn memory_is_compared() {
        let (mut a, b) = (*b"abcd\0", *b"abzd\0");
        let (start, other) = (a.as_mut_ptr(), b.as_ptr().expose_provenance());
        let order = |size| (call(compare as *const (), start, other, size) as u32).cast_signed();
        assert_eq!([order(5).signum(), order(2)], [-1, 0]);
        assert_eq!(call(equal as *const (), start, other, 5), 2);
        assert_eq!(call(equal as *const (), start, other, 2), 2);
        assert_eq!(call(length as *const (), start, 0, 0), 4);
    }

    #[test]
    fn the_functions_are_known_by_their_addresses() {
        for function in functions() {
            assert!(contains(function.addr() + 8));
        }
        assert!(!contains(0x1000));
    }
}
