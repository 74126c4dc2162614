//! `KeBugCheckEx`, which ends everything: see the crate's text.
// UNSAFETY: the file name of a panic is somewhere in the image.
#![expect(unsafe_code)]

use std::ptr;
use std::slice;

use crate::native::kernel::call;
use crate::native::kernel::report::Fault;

/// The code of the crate wdk-panic.
const PANIC: u32 = u32::from_be_bytes(*b"RPNC");

pub(crate) extern "win64" fn bug_check_ex(code: u32, a: u64, b: u64, c: u64, d: u64) {
    if code != PANIC {
        stop(code, [a, b, c, d]);
    }
    let image = call::caller().image;
    let (file, size) = (a as usize, b as usize);
    let readable = size <= 0x1000
        && image.offset(file).is_some()
        && image.offset(file.saturating_add(size)).is_some();
    let file = if readable {
        // SAFETY: the range lies in the image, which is mapped and readable. wdk-panic passes a
        // string of the image's constants.
        let bytes = unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(file), size) };
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        "an unknown place".to_owned()
    };
    image.stop(Fault::Panic {
        file,
        line: c,
        column: d,
    })
}

pub(crate) extern "win64" fn bug_check(code: u32) {
    stop(code, [0; 4]);
}

/// A bug check on behalf of the image that is calling.
pub(crate) fn stop(code: u32, parameters: [u64; 4]) -> ! {
    let call = call::caller();
    let meaning = meaning(code).into();
    call.image.stop(Fault::BugCheck {
        code,
        parameters,
        meaning,
        offset: call.offset,
    })
}

fn meaning(code: u32) -> &'static str {
    match code {
        0x0a => "IRQL_NOT_LESS_OR_EQUAL",
        0x18 => "REFERENCE_BY_POINTER",
        0x1e => "KMODE_EXCEPTION_NOT_HANDLED",
        0x44 => "MULTIPLE_IRP_COMPLETE_REQUESTS",
        0xc2 => "BAD_POOL_CALLER",
        0xc4 => "DRIVER_VERIFIER_DETECTED_VIOLATION",
        0xce => "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS",
        0xe2 => "MANUALLY_INITIATED_CRASH",
        0xf7 => "DRIVER_OVERRAN_STACK_BUFFER",
        0x10d => "WDF_VIOLATION",
        0x139 => "KERNEL_SECURITY_CHECK_FAILURE",
        _ => "the driver's own code",
    }
}
