//! However an image crashes, the report says where, in what, and on which thread; and the process
//! goes on.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;
#[path = "common/lingering.rs"]
mod lingering;

use std::time::Duration;

use common::synthetic::{DATA, Synthetic, TEXT};
use common::{host, lines, named};
use driver_host::{LoadError, Stopped};

/// Loads an image that must stop the host, and returns the report as it is printed, without the
/// number of the thread.
fn crash(image: &Synthetic) -> String {
    let host = host();
    let error = host.load(image.build(), named("bad.sys")).unwrap_err();
    let LoadError::Stopped(Stopped(report)) = error else {
        panic!("{error}")
    };
    assert_eq!(host.reports(), std::slice::from_ref(&report));
    let line = report.to_string();
    let end = format!(" (in DriverEntry, thread {})", report.thread);
    let line = line.strip_suffix(&end).unwrap_or_else(|| panic!("{line}"));
    line.to_owned()
}

/// An image that begins with these instructions.
fn code(bytes: &[u8]) -> Synthetic {
    Synthetic::default().code(bytes)
}

/// `mov rsp, value`, and these instructions.
fn with_stack(pointer: u64, bytes: &[u8]) -> Synthetic {
    code(&[0x48, 0xbc]).code(&pointer.to_le_bytes()).code(bytes)
}

const UD2: &[u8] = &[0x0f, 0x0b];
const PUSH: &[u8] = &[0x50];
/// `mov qword ptr [rsp], 0x12345678; ret`
const WILD_RETURN: &[u8] = &[0x48, 0xc7, 0x04, 0x24, 0x78, 0x56, 0x34, 0x12, 0xc3];
const CALL: &[u8] = &[0x31, 0xc0, 0xff, 0xd0];

#[test]
fn an_unusable_stack_pointer_is_placed() {
    for pointer in [0, 8, 511, 0xdead_0000, 0x8000_0000_0000_0000, u64::MAX - 7] {
        for (bytes, offset) in [(UD2, 0x100a), (PUSH, 0x100a), (CALL, 0x100c)] {
            let line = crash(&with_stack(pointer, bytes));
            let middle = " with the stack pointer outside of the thread's stack, at address 0x";
            assert!(line.contains(middle), "{pointer:#x}: {line}");
            let end = format!(", at offset {offset:#x} of the image");
            assert!(line.ends_with(&end), "{pointer:#x}: {line}");
        }
    }
}

/// `mov eax, 231; xor edi, edi; syscall`, which is `exit_group(0)`, and the same by `int 80h` (252).
#[test]
fn a_system_call_of_linux_is_placed() {
    for bytes in [
        &[0xb8, 0xe7, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05][..],
        &[0xb8, 0xfc, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80],
    ] {
        let line = crash(&code(bytes));
        assert!(
            line.contains("system call of Linux at address 0x"),
            "{line}"
        );
        assert!(line.ends_with(", at offset 0x1007 of the image"), "{line}");
    }
}

#[test]
fn a_stack_that_is_used_up_is_placed() {
    // call itself; sub rsp, 0x10000000 and mov [rsp], eax
    for (bytes, offset) in [
        (&[0xe8, 0xfb, 0xff, 0xff, 0xff][..], 0x1000),
        (
            &[0x48, 0x81, 0xec, 0, 0, 0, 0x10, 0x89, 0x04, 0x24, 0xc3],
            0x1007,
        ),
    ] {
        let line = crash(&code(bytes));
        assert!(
            line.starts_with("bad.sys: stack overflow at address 0x"),
            "{line}"
        );
        let end = format!(", at offset {offset:#x} of the image");
        assert!(line.ends_with(&end), "{line}");
    }
}

#[test]
fn a_stack_that_is_used_up_by_calls_of_an_import_is_placed() {
    // The function calls an import and then itself, so that either may be where it ends.
    let image = Synthetic::default().enter().call("KeGetCurrentIrql");
    let line = crash(&image.relative(&[0xe8], TEXT));
    assert!(line.starts_with("bad.sys: stack overflow "), "{line}");
    assert!(line.contains(", at offset 0x10"), "{line}");
}

#[test]
fn a_return_to_a_wild_address_is_placed() {
    assert_eq!(
        crash(&code(WILD_RETURN)),
        "bad.sys: access violation or privileged instruction outside of the image at address 0x12345678"
    );
    // sub rsp, 8; lea rax, [rsp]; mov [rsp], rax; ret
    let line = crash(&code(&[
        0x48, 0x83, 0xec, 0x08, 0x48, 0x8d, 0x04, 0x24, 0x48, 0x89, 0x04, 0x24, 0xc3,
    ]));
    assert!(
        line.contains("outside of the image at address 0x"),
        "{line}"
    );
}

#[test]
fn running_off_the_end_is_placed() {
    // The jump goes behind the last page of the image.
    let image = Synthetic::default().relative(&[0xe9], 0x5000);
    let line = crash(&image);
    assert!(
        line.starts_with("bad.sys: ran off its end at address 0x"),
        "{line}"
    );
    assert!(line.ends_with(", at offset 0x5000 of the image"), "{line}");
    // From the code into the constants, which cannot be executed.
    let line = crash(&code(&[0x90; 0x1000]));
    assert!(line.ends_with(", at offset 0x2000 of the image"), "{line}");
}

#[test]
fn a_fast_fail_has_its_code() {
    // mov ecx, 3; int 29h
    assert_eq!(
        crash(&code(&[0xb9, 3, 0, 0, 0, 0xcd, 0x29])),
        "bad.sys: bug check 0x00000139 (0x3, 0x0, 0x0, 0x0): KERNEL_SECURITY_CHECK_FAILURE: fast fail \
         with the code 3, FAST_FAIL_CORRUPT_LIST_ENTRY, at offset 0x1005 of the image"
    );
    let unnamed = crash(&code(&[0xb9, 0xff, 0, 0, 0, 0xcd, 0x29]));
    assert!(
        unnamed.contains("code 255, which has no name here"),
        "{unnamed}"
    );
}

#[test]
fn single_steps_and_checks_of_alignment_are_placed() {
    // pushfq; or dword ptr [rsp], 0x100; popfq; nop
    let line = crash(&code(&[
        0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90, 0x90,
    ]));
    assert!(line.starts_with("bad.sys: trap at address 0x"), "{line}");
    // The same with 0x40000; mov [rsp + 1], eax
    let line = crash(&code(&[
        0x9c, 0x81, 0x0c, 0x24, 0, 0, 4, 0, 0x9d, 0x89, 0x44, 0x24, 1,
    ]));
    assert!(
        line.starts_with("bad.sys: bus error at address 0x"),
        "{line}"
    );
}

/// Loads and unloads an image that goes on, and returns the reports.
fn goes_on(image: &Synthetic) -> Vec<String> {
    let host = host();
    let image = host.load(image.build(), named("odd.sys")).unwrap();
    assert!(image.unload().unmapped);
    lines(&host.reports())
}

#[test]
fn what_a_function_has_to_keep_is_put_right_and_reported() {
    // std; the same before a call; xor of every register that is kept; ldmxcsr of zero
    let set = &[0xfd][..];
    let clear = [
        0x31, 0xdb, 0x31, 0xed, 0x31, 0xf6, 0x31, 0xff, 0x4d, 0x31, 0xe4, 0x4d, 0x31, 0xed, 0x4d,
        0x31, 0xf6, 0x4d, 0x31, 0xff,
    ];
    let float = [0xc7, 0x44, 0x24, 8, 0, 0, 0, 0, 0x0f, 0xae, 0x54, 0x24, 8];
    for (bytes, expected) in [
        (
            set,
            "odd.sys: DriverEntry: returned with the direction flag set",
        ),
        (
            &clear,
            "odd.sys: DriverEntry: returned with registers changed that a function has to keep",
        ),
        (
            &float,
            "odd.sys: DriverEntry: returned with the control of floating-point arithmetic changed",
        ),
    ] {
        let image = Synthetic::default()
            .unloadable()
            .enter()
            .code(bytes)
            .leave(0);
        assert_eq!(goes_on(&image), [expected]);
    }
    let image = Synthetic::default().unloadable().enter().code(set);
    assert_eq!(
        goes_on(&image.call("KeGetCurrentIrql").leave(0)),
        ["odd.sys: KeGetCurrentIrql: called with the direction flag set"]
    );
}

#[test]
fn a_crash_in_the_unload_routine_is_placed() {
    // The routine is ud2, or nowhere.
    let illegal = code(&[0xeb, 0x02, 0x0f, 0x0b])
        .relative(&[0x48, 0x8d, 0x05], TEXT + 2)
        .code(&[0x48, 0x89, 0x41, 0x68]);
    let nowhere = code(&[0x48, 0xc7, 0x41, 0x68, 0x34, 0x12, 0, 0]);
    for (image, what) in [
        (illegal, "illegal instruction at address 0x"),
        (
            nowhere,
            "access violation or privileged instruction outside of the image at address 0x1234 ",
        ),
    ] {
        let host = host();
        let image = host.load(image.enter().leave(0).build(), named("bad.sys"));
        let unloaded = image.unwrap().unload();
        assert!(!unloaded.unmapped);
        let line = unloaded.reports[0].to_string();
        assert!(line.starts_with(&format!("bad.sys: {what}")), "{line}");
        assert!(line.contains(" (in the unload routine, thread "), "{line}");
    }
}

/// A driver that registers a provider, whose callbacks are these instructions.
fn provider(callbacks: &[u8]) -> Synthetic {
    let interface = 0x5d1f_9a3e_2c44_4b0c_8f6e_0a51_c7d2_9e10_u128;
    // The data: the characteristics, the two identifiers, and the place of the handle.
    code(&[0xeb, u8::try_from(callbacks.len()).unwrap()])
        .code(callbacks)
        .data(0, &[0, 0, 72, 0])
        .pointer(8, TEXT + 2)
        .pointer(16, TEXT + 2)
        .data(32, &[0, 0, 40, 0])
        .pointer(40, DATA + 0x60)
        .pointer(48, DATA + 0x70)
        .data(0x60, &guid(interface))
        .data(0x70, &[24, 0, 0, 0, 1, 0, 0, 0])
        .data(0x78, &guid(1))
        .data(0x90, &[0; 8])
        .library("NETIO.SYS")
        .enter()
        .relative(&[0x48, 0x8d, 0x0d], DATA)
        .code(&[0x31, 0xd2])
        .relative(&[0x4c, 0x8d, 0x05], DATA + 0x90)
        .call("NmrRegisterProvider")
        .leave(0)
}

#[test]
fn a_crash_in_a_callback_of_the_nmr_names_it() {
    for (callback, what) in [
        (UD2, "illegal instruction at address 0x"),
        (
            WILD_RETURN,
            "access violation or privileged instruction outside of the image at address 0x12345678 ",
        ),
    ] {
        let host = host();
        let image = host.load(provider(callback).build(), named("bad.sys"));
        let attach = || lingering::attach().linger(Duration::ZERO);
        let Stopped(report) = host.run(attach).unwrap_err();
        let line = report.to_string();
        assert!(line.starts_with(&format!("bad.sys: {what}")), "{line}");
        let end = format!(" (in ProviderAttachClient, thread {})", report.thread);
        assert!(line.ends_with(&end), "{line}");
        drop(image);
    }
}

/// A GUID in memory.
fn guid(value: u128) -> Vec<u8> {
    let mut bytes = value.to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes.to_vec()
}

#[test]
fn a_call_with_a_bad_stack_is_reported() {
    // sub rsp, 4 before the call, and add rsp, 4 after it
    let image = Synthetic::default()
        .unloadable()
        .enter()
        .code(&[0x48, 0x83, 0xec, 4]);
    let image = image.call("KeGetCurrentIrql").code(&[0x48, 0x83, 0xc4, 4]);
    assert_eq!(
        goes_on(&image.leave(0)),
        ["odd.sys: KeGetCurrentIrql: called with a stack that is not aligned to 16 bytes"]
    );
    // lea rsp, the data
    let image = Synthetic::default().relative(&[0x48, 0x8d, 0x25], DATA + 0xff0);
    let line = crash(&image.call("KeGetCurrentIrql"));
    // What finds out needs some stack itself; a sanitizer makes that more than is there.
    let outside = " with the stack pointer outside of the thread's stack, at address 0x";
    let outside_image =
        " with the stack pointer outside of the thread's stack, outside of the image";
    assert!(
        line.contains(outside) || line.contains(outside_image),
        "{line}"
    );
}

/// `mov rcx, value`, and the other arguments alike, up to the fifth.
fn arguments(value: u64) -> Synthetic {
    Synthetic::default()
        .enter()
        .code(&[0x48, 0xb9])
        .code(&value.to_le_bytes())
        .code(&[0x48, 0x89, 0xca, 0x49, 0x89, 0xc8, 0x49, 0x89, 0xc9])
        .code(&[0x48, 0x89, 0x4c, 0x24, 0x20])
}

#[test]
fn a_bad_pointer_in_a_call_is_placed() {
    let set = |value| crash(&arguments(value).call("KeSetEvent").leave(0));
    let place = ", at offset 0x1022 of the image";
    assert_eq!(
        set(0x1000),
        format!(
            "bad.sys: access violation or privileged instruction in KeSetEvent, which it has called at \
             address 0x1000{place}"
        )
    );
    assert_eq!(
        set(0x1003),
        format!(
            "bad.sys: KeSetEvent got an object that is not aligned to 8 bytes, at address 0x1003{place}"
        )
    );
    let line = crash(&arguments(0x1000).call("RtlInitUnicodeString").leave(0));
    assert!(
        line.contains(" in RtlInitUnicodeString, which it has called"),
        "{line}"
    );
    assert!(line.ends_with(place), "{line}");
}

/// Every function of the kernel that takes an argument.
const FUNCTIONS: [&str; 55] = [
    "DbgPrint",
    "DbgPrintEx",
    "EtwActivityIdControl",
    "EtwEventEnabled",
    "EtwProviderEnabled",
    "EtwRegister",
    "EtwSetInformation",
    "EtwUnregister",
    "EtwWrite",
    "EtwWriteTransfer",
    "ExAcquireFastMutex",
    "ExAcquireFastMutexUnsafe",
    "ExAcquireRundownProtection",
    "ExFreePool",
    "ExFreePoolWithTag",
    "ExInitializeRundownProtection",
    "ExReInitializeRundownProtection",
    "ExReleaseFastMutex",
    "ExReleaseFastMutexUnsafe",
    "ExReleaseRundownProtection",
    "ExRundownCompleted",
    "ExTryToAcquireFastMutex",
    "ExWaitForRundownProtectionRelease",
    "KeAcquireSpinLockAtDpcLevel",
    "KeAcquireSpinLockRaiseToDpc",
    "KeBugCheck",
    "KeBugCheckEx",
    "KeClearEvent",
    "KeDelayExecutionThread",
    "KeGetCurrentProcessorNumberEx",
    "KeInitializeEvent",
    "KeInitializeMutex",
    "KeInitializeSpinLock",
    "KeLowerIrql",
    "KeRaiseIrql",
    "KeReadStateEvent",
    "KeReadStateMutex",
    "KeReleaseMutex",
    "KeReleaseSpinLock",
    "KeReleaseSpinLockFromDpcLevel",
    "KeResetEvent",
    "KeSetEvent",
    "KeWaitForMutexObject",
    "KeWaitForSingleObject",
    "KfLowerIrql",
    "KfRaiseIrql",
    "RtlCopyUnicodeString",
    "RtlEqualUnicodeString",
    "RtlInitUnicodeString",
    "memcmp",
    "memcpy",
    "memset",
    "RtlCompareMemory",
    "RtlFillMemory",
    "strlen",
];

/// Every function of the NMR.
const NMR: [&str; 9] = [
    "NmrRegisterClient",
    "NmrRegisterProvider",
    "NmrDeregisterClient",
    "NmrDeregisterProvider",
    "NmrWaitForClientDeregisterComplete",
    "NmrWaitForProviderDeregisterComplete",
    "NmrClientAttachProvider",
    "NmrClientDetachProviderComplete",
    "NmrProviderDetachClientComplete",
];

/// Calls a function of a library with odd arguments. Returns how often that stopped a host.
fn call_badly(library: &'static str, function: &'static str) -> usize {
    // The last one is not at the very end, because sanitizers stop where a range wraps around.
    let values = [0, 1, 0x1000, 0xdead_0001, 1 << 63, u64::MAX - 0xfff];
    let crashes = values.into_iter().filter(|&value| {
        println!("{function}({value:#x}, …)");
        let host = host();
        let image = arguments(value).library(library).call(function);
        let loaded = host.load(image.leave(0xc000_0001).build(), named("bad.sys"));
        // The registrar may not be left with a lock taken.
        let _rules = host.registrar().finish();
        match loaded {
            Err(LoadError::Stopped(stopped)) => {
                let line = stopped.to_string();
                assert!(line.contains("at offset 0x1"), "{line}");
                true
            }
            Err(LoadError::Entry { .. }) => false,
            other => panic!("{other:?}"),
        }
    });
    crashes.count()
}

#[test]
fn no_bad_pointer_in_a_call_ends_the_process_or_keeps_a_lock() {
    let of = |library, functions: &[&'static str]| {
        let crashes = functions.iter().map(|function| {
            let crashes = call_badly(library, function);
            sets_an_event();
            crashes
        });
        crashes.sum::<usize>()
    };
    let (kernel, nmr) = (of("ntoskrnl.exe", &FUNCTIONS), of("NETIO.SYS", &NMR));
    assert!(kernel > 150 && nmr > 10, "{kernel} and {nmr} crashes");
}

/// Waits are behind one lock of the process.
fn sets_an_event() {
    let event = |image: Synthetic| image.relative(&[0x48, 0x8d, 0x0d], DATA);
    let image = Synthetic::default().unloadable().enter();
    let image = event(image)
        .code(&[0x31, 0xd2, 0x45, 0x31, 0xc0])
        .call("KeInitializeEvent");
    let image = event(image)
        .code(&[0x31, 0xd2, 0x45, 0x31, 0xc0])
        .call("KeSetEvent")
        .leave(0);
    drop(host().load(image.build(), named("event.sys")).unwrap());
}
