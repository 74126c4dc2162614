//! Exceptions that no handler takes, and the language handler of C as a compiler's tables call it. What handlers do is
//! tested with the driver of `cross/seh`.

use driver_host::LoadError;

use super::common::inside::{self, Imports, Memory};
use super::common::{host, lines};

#[test]
fn raised_exceptions_stop_the_host() {
    const KERNEL: usize = 0xffff_8000_0000_1000;
    const NOWHERE: usize = 0x2_0000;
    /// `POOL_FLAG_NON_PAGED` and `POOL_FLAG_RAISE_ON_FAILURE`.
    const RAISING: usize = 0x40 | 0x20;
    let cases: [(&str, &[usize], &str); 6] = [
        (
            "ExAllocatePool2",
            &[RAISING, usize::MAX / 2, 0x4c4d_524e],
            "STATUS_INSUFFICIENT_RESOURCES",
        ),
        ("ExRaiseStatus", &[0xc000_009a], "0xc000009a"),
        ("ExRaiseAccessViolation", &[], "STATUS_ACCESS_VIOLATION"),
        (
            "ExRaiseDatatypeMisalignment",
            &[],
            "STATUS_DATATYPE_MISALIGNMENT",
        ),
        (
            "ProbeForRead",
            &[KERNEL, 16, 1],
            "STATUS_ACCESS_VIOLATION for a buffer of the kernel at address 0xffff800000001000",
        ),
        (
            "ProbeForWrite",
            &[NOWHERE, 16, 1],
            "STATUS_ACCESS_VIOLATION at address 0x20000",
        ),
    ];
    for (name, arguments, text) in cases {
        let host = host();
        let body = &mut |imports: &Imports<'_>| {
            imports.call(name, arguments);
        };
        let loaded = inside::try_load(&host, "ntoskrnl.exe", &[name], body);
        assert!(matches!(loaded, Err(LoadError::Stopped(_))), "{name}");
        let expected = format!("test.sys: {name} raised {text}");
        assert_eq!(lines(&host.reports()), [expected]);
    }
}

#[test]
fn language_handlers() {
    const NAME: &str = "__C_specific_handler";
    const CONTINUE_SEARCH: u32 = 1;
    let host = host();
    let found = inside::run(&host, "ntoskrnl.exe", &[NAME], &mut |imports| {
        // One `__try` from 0x10 to 0x20, whose handler takes everything and is at 0x30.
        let scopes = Memory::new(&[1 | 0x10 << 32, 0x20 | 1 << 32, 0x30]);
        let (image, frame) = (0x10_0000_usize, 0x7000);
        let record = Memory::new(&[0xc000_0005; 19]);
        let record_flags = Memory::new(&[0; 19]);
        let context = Memory::new(&[0; 154]);
        for (instruction, record) in [(0x14, &record_flags), (0x24, &record)] {
            let dispatcher = Memory::new(&[
                image as u64 + instruction,
                image as u64,
                0,
                frame as u64,
                0,
                context.address() as u64,
                0,
                scopes.address() as u64,
                0,
                0,
            ]);
            let arguments = [
                record.address(),
                frame,
                context.address(),
                dispatcher.address(),
            ];
            assert_eq!(imports.number(NAME, &arguments), CONTINUE_SEARCH);
        }
    });
    assert_eq!(found, [""; 0]);
}
