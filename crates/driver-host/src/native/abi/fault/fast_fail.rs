//! Fast fails: `int 29h`, with the reason in `ecx`. Windows ends in bug check 0x139.

use crate::native::kernel::peek::peek;
use crate::native::kernel::report::Fault;

const INSTRUCTION: [u8; 2] = [0xcd, 0x29];
const KERNEL_SECURITY_CHECK_FAILURE: u32 = 0x139;

/// Returns `true` if the instruction is at an address.
pub(super) fn is_at(address: usize) -> bool {
    peek(address) == Some(INSTRUCTION)
}

/// The bug check that it leads to.
pub(super) fn bug_check(code: u64, offset: u64) -> Fault {
    // The instruction takes 32 bits.
    with_text(code & 0xffff_ffff, "", Some(offset))
}

/// The bug check for a call of an address that is no target of calls.
pub(in crate::native::abi) fn refused_target(
    callee: &str,
    target: u64,
    offset: Option<u64>,
) -> Fault {
    const GUARD_ICALL_CHECK_FAILURE: u64 = 10;
    let text = format!(": {callee}+{target:#x} is no function that may be called by its address");
    with_text(GUARD_ICALL_CHECK_FAILURE, &text, offset)
}

fn with_text(code: u64, text: &str, offset: Option<u64>) -> Fault {
    Fault::BugCheck {
        code: KERNEL_SECURITY_CHECK_FAILURE,
        parameters: [code, 0, 0, 0],
        meaning: format!(
            "KERNEL_SECURITY_CHECK_FAILURE: fast fail with the code {code}, {}{text}",
            meaning(code)
        )
        .into(),
        offset,
    }
}

/// The codes of `winnt.h` that compilers and the kernel's inline functions use.
fn meaning(code: u64) -> &'static str {
    match code {
        0 => "FAST_FAIL_LEGACY_GS_VIOLATION",
        1 => "FAST_FAIL_VTGUARD_CHECK_FAILURE",
        2 => "FAST_FAIL_STACK_COOKIE_CHECK_FAILURE",
        3 => "FAST_FAIL_CORRUPT_LIST_ENTRY",
        4 => "FAST_FAIL_INCORRECT_STACK",
        5 => "FAST_FAIL_INVALID_ARG",
        6 => "FAST_FAIL_GS_COOKIE_INIT",
        7 => "FAST_FAIL_FATAL_APP_EXIT",
        8 => "FAST_FAIL_RANGE_CHECK_FAILURE",
        9 => "FAST_FAIL_UNSAFE_REGISTRY_ACCESS",
        10 => "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE",
        11 => "FAST_FAIL_GUARD_WRITE_CHECK_FAILURE",
        14 => "FAST_FAIL_INVALID_REFERENCE_COUNT",
        _ => "which has no name here",
    }
}
