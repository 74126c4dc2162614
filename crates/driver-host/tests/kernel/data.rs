//! Memory, strings, lists, and what drivers print.

use super::SUCCESS;
use super::common::host;
use super::common::inside;
use super::common::inside::Memory;
use super::common::inside::Unicode;
use super::common::printed;
use super::driver;
use super::reports;

#[test]
fn strings() {
    let names = [
        "RtlInitUnicodeString",
        "RtlCopyUnicodeString",
        "RtlEqualUnicodeString",
        "RtlAppendUnicodeStringToString",
        "RtlAppendUnicodeToString",
        "RtlCompareUnicodeString",
        "RtlPrefixUnicodeString",
    ];
    driver(&names, |kernel| {
        let (counted, source) = (Memory::fresh(2), Memory::wide("net"));
        let at = counted.address();
        kernel.call("RtlInitUnicodeString", &[at, source.address()]);
        assert_eq!(counted.number(0), 6 | 8 << 16);
        assert_eq!(counted.word(1), source.address() as u64);

        let target = Unicode::with_room("", 12);
        kernel.call("RtlCopyUnicodeString", &[target.address(), at]);
        assert_eq!(target.text(), "net");
        let more = Unicode::new("io.");
        let append = "RtlAppendUnicodeStringToString";
        kernel.call(append, &[target.address(), more.address()]);
        let last = Memory::wide("sys");
        kernel.call(
            "RtlAppendUnicodeToString",
            &[target.address(), last.address()],
        );
        assert_eq!(target.text(), "netio.sys");

        let same = |one: &str, other: &str| {
            let strings = [Unicode::new(one), Unicode::new(other)];
            let [one, other] = strings.each_ref().map(Unicode::address);
            (
                kernel.byte("RtlEqualUnicodeString", &[one, other, 1]),
                kernel
                    .number("RtlCompareUnicodeString", &[one, other, 1])
                    .cast_signed(),
                kernel.byte("RtlPrefixUnicodeString", &[one, other, 1]),
            )
        };
        assert_eq!(same("net", "NET"), (1, 0, 1));
        assert_eq!(same("net", "NETIO"), (0, -2, 1));
        assert_eq!(same("neu", "net"), (0, 1, 0));
    });
}

#[test]
fn numbers_and_identifiers() {
    let names = [
        "RtlUnicodeStringToInteger",
        "RtlIntegerToUnicodeString",
        "RtlStringFromGUID",
        "RtlGUIDFromString",
        "RtlFreeUnicodeString",
        "RtlEqualUnicodeString",
    ];
    driver(&names, |kernel| {
        let (text, number) = (Unicode::new("0x1f"), Memory::fresh(1));
        let arguments = [text.address(), 0, number.address()];
        assert_eq!(
            kernel.number("RtlUnicodeStringToInteger", &arguments),
            SUCCESS
        );
        assert_eq!(number.number(0), 0x1f);
        let text = Unicode::with_room("", 4);
        let arguments = [31, 16, text.address()];
        assert_eq!(
            kernel.number("RtlIntegerToUnicodeString", &arguments),
            SUCCESS
        );
        assert_eq!(text.text(), "1F");

        let text = Unicode::new("{00112233-4455-6677-8899-AABBCCDDEEFF}");
        let (id, made) = (Memory::fresh(2), Memory::new(&[0, 0]));
        let arguments = [text.address(), id.address()];
        assert_eq!(kernel.number("RtlGUIDFromString", &arguments), SUCCESS);
        assert_eq!(id.word(0), 0x6677_4455_0011_2233);
        let arguments = [id.address(), made.address()];
        assert_eq!(kernel.number("RtlStringFromGUID", &arguments), SUCCESS);
        let equal = [text.address(), made.address(), 0];
        assert_eq!(kernel.byte("RtlEqualUnicodeString", &equal), 1);
        kernel.call("RtlFreeUnicodeString", &[made.address()]);
        assert_eq!((made.number(0), made.word(1)), (0, 0));
    });
}

#[test]
fn pool() {
    const TAG: usize = 0x7473_6554;
    let names = [
        "ExAllocatePool2",
        "ExAllocatePoolWithTag",
        "ExFreePool",
        "ExFreePoolWithTag",
    ];
    driver(&names, |kernel| {
        let first = kernel.call("ExAllocatePool2", &[0x40, 32, TAG]);
        let second = kernel.call("ExAllocatePoolWithTag", &[0x200, 32, TAG]);
        assert!(first != 0 && second != 0 && first != second);
        // What is not freed is reported.
        kernel.call("ExFreePool", &[first]);
        kernel.call("ExFreePoolWithTag", &[second, TAG]);
    });
}

#[test]
fn memory() {
    let names = [
        "RtlCompareMemory",
        "RtlCopyMemory",
        "RtlFillMemory",
        "RtlMoveMemory",
        "RtlZeroMemory",
        "memcmp",
        "memcpy",
        "memmove",
        "memset",
        "strlen",
    ];
    driver(&names, |kernel| {
        let (source, target) = (
            Memory::new(&[u64::from_le_bytes(*b"abcdefg\0")]),
            Memory::new(&[0]),
        );
        let (from, to) = (source.address(), target.address());
        for copy in ["RtlCopyMemory", "RtlMoveMemory", "memcpy", "memmove"] {
            kernel.call("RtlZeroMemory", &[to, 8]);
            assert_eq!(target.word(0), 0);
            kernel.call(copy, &[to, from, 8]);
            assert_eq!(target.bytes(), b"abcdefg\0");
        }
        assert_eq!(kernel.call("strlen", &[to]), 7);
        kernel.call("RtlFillMemory", &[to, 2, 0x78]);
        kernel.call("memset", &[to + 3, 0x79, 1]);
        assert_eq!(target.bytes(), b"xxcyefg\0");
        assert_eq!(kernel.call("RtlCompareMemory", &[to + 4, from + 4, 4]), 4);
        assert!(kernel.number("memcmp", &[from, to, 8]).cast_signed() < 0);
    });
}

#[test]
fn prints() {
    let host = host();
    let names = ["DbgPrint", "DbgPrintEx"];
    let found = reports(&host, &names, |kernel| {
        let [format, text] = [*b"%d %s\n\0\0", *b"bindings"].map(u64::from_le_bytes);
        let format = Memory::new(&[format, 0]);
        let text = Memory::new(&[text, 0]);
        kernel.call("DbgPrint", &[format.address(), 2, text.address()]);
        kernel.call("DbgPrintEx", &[77, 0, format.address(), 3, text.address()]);
    });
    assert_eq!(found, [""; 0]);
    assert_eq!(printed(&host), "2 bindings\n3 bindings\n");
}

#[test]
fn interlocked_lists() {
    let names = [
        "ExInterlockedInsertHeadList",
        "ExInterlockedInsertTailList",
        "ExInterlockedRemoveHeadList",
        "ExInterlockedPushEntryList",
        "ExInterlockedPopEntryList",
    ];
    driver(&names, |kernel| {
        let (lock, head) = (Memory::new(&[0]), Memory::new(&[0, 0]));
        let (lock, at) = (lock.address(), head.address());
        inside::store_word(at, at);
        inside::store_word(at + 8, at);
        let entries = [(); 2].map(|()| Memory::fresh(2));
        let [first, second] = entries.each_ref().map(Memory::address);
        let insert = |name, entry| kernel.call(name, &[at, entry, lock]);
        assert_eq!(insert("ExInterlockedInsertTailList", second), 0);
        assert_eq!(insert("ExInterlockedInsertHeadList", first), second);
        let remove = || kernel.call("ExInterlockedRemoveHeadList", &[at, lock]);
        assert_eq!([remove(), remove(), remove()], [first, second, 0]);
        insert("ExInterlockedInsertHeadList", first);
        insert("ExInterlockedInsertTailList", second);
        assert_eq!([remove(), remove(), remove()], [first, second, 0]);

        let single = Memory::new(&[0]);
        let push = |entry| {
            let arguments = [single.address(), entry, lock];
            kernel.call("ExInterlockedPushEntryList", &arguments)
        };
        assert_eq!([push(first), push(second)], [0, first]);
        let pop = || kernel.call("ExInterlockedPopEntryList", &[single.address(), lock]);
        assert_eq!([pop(), pop(), pop()], [second, first, 0]);
    });
}

/// Heads and entries of these lists are aligned to 16 bytes.
#[test]
fn sequenced_lists() {
    let names = [
        "InitializeSListHead",
        "ExpInterlockedPushEntrySList",
        "ExpInterlockedPopEntrySList",
        "ExpInterlockedFlushSList",
        "ExQueryDepthSList",
    ];
    driver(&names, |kernel| {
        let memory = Memory::fresh(8);
        let head = memory.address().next_multiple_of(16);
        let [first, second] = [head + 16, head + 32];
        kernel.call("InitializeSListHead", &[head]);
        let depth = || kernel.number("ExQueryDepthSList", &[head]) & 0xffff;
        let push = |entry| kernel.call("ExpInterlockedPushEntrySList", &[head, entry]);
        let pop = || kernel.call("ExpInterlockedPopEntrySList", &[head]);
        assert_eq!(
            (depth(), push(first), push(second), depth()),
            (0, 0, first, 2)
        );
        assert_eq!((pop(), depth()), (second, 1));
        push(second);
        assert_eq!(kernel.call("ExpInterlockedFlushSList", &[head]), second);
        assert_eq!((depth(), pop()), (0, 0));
    });
}

#[test]
fn memory_descriptor_lists() {
    const MAPPED: usize = 1;
    const LOCKED: usize = 2;
    const NON_PAGED: usize = 4;
    let names = [
        "IoAllocateMdl",
        "IoFreeMdl",
        "MmBuildMdlForNonPagedPool",
        "MmProbeAndLockPages",
        "MmUnlockPages",
        "MmMapLockedPagesSpecifyCache",
        "MmUnmapLockedPages",
    ];
    driver(&names, |kernel| {
        let buffer = Memory::new(&[7; 8]);
        let at = buffer.address();
        let new = || {
            let mdl = kernel.call("IoAllocateMdl", &[at, 64, 0, 0, 0]);
            assert_ne!(mdl, 0);
            // The flags are at 10.
            let flags = move || inside::word_at(mdl + 8) >> 16 & (MAPPED | LOCKED | NON_PAGED);
            (mdl, flags)
        };
        let (mdl, flags) = new();
        kernel.call("MmBuildMdlForNonPagedPool", &[mdl]);
        assert_eq!(flags(), NON_PAGED);
        // What is not freed is reported.
        kernel.call("IoFreeMdl", &[mdl]);
        let (mdl, flags) = new();
        kernel.call("MmProbeAndLockPages", &[mdl, 0, 1]);
        assert_eq!(flags(), LOCKED);
        let mapped = kernel.call("MmMapLockedPagesSpecifyCache", &[mdl, 0, 1, 0, 0, 0]);
        assert_eq!((mapped, flags()), (at, LOCKED | MAPPED));
        kernel.call("MmUnmapLockedPages", &[mapped, mdl]);
        assert_eq!(flags(), LOCKED);
        kernel.call("MmUnlockPages", &[mdl]);
        assert_eq!(flags(), 0);
        kernel.call("IoFreeMdl", &[mdl]);
    });
}

#[test]
fn formats() {
    const NAMES: [&str; 2] = ["_vsnprintf", "_vsnwprintf"];
    let found = inside::run(&host(), "ntoskrnl.exe", &NAMES, &mut |imports| {
        let narrow = Memory::new(&[u64::from_le_bytes(*b"%u-%u\0\0\0")]);
        let wide = Memory::wide("%u-%u");
        let list = Memory::new(&[12, 345]);
        for (room, expected, text) in [
            (16, 6, "12-345\0?"),
            (6, 6, "12-345??"),
            (4, -1, "12-3????"),
        ] {
            let buffer = Memory::new(&[u64::from_le_bytes(*b"????????"); 2]);
            let arguments = [buffer.address(), room, narrow.address(), list.address()];
            let length = imports.number("_vsnprintf", &arguments).cast_signed();
            assert_eq!((length, &buffer.bytes()[..8]), (expected, text.as_bytes()));
            let buffer = Memory::new(&[0x003f_003f_003f_003f; 4]);
            let arguments = [buffer.address(), room, wide.address(), list.address()];
            let length = imports.number("_vsnwprintf", &arguments).cast_signed();
            let units: Vec<u8> = buffer.bytes().into_iter().step_by(2).take(8).collect();
            assert_eq!((length, &units[..]), (expected, text.as_bytes()));
        }
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn strings_of_bytes_and_random_numbers() {
    const NAMES: [&str; 4] = [
        "strcmp",
        "strncpy_s",
        "RtlRandomEx",
        "IoGetDeviceInterfaces",
    ];
    const TRUNCATE: usize = usize::MAX;
    let names = [&NAMES[..], &["ExFreePool"]].concat();
    let found = inside::run(&host(), "ntoskrnl.exe", &names, &mut |imports| {
        let text = |bytes: &[u8; 8]| Memory::new(&[u64::from_le_bytes(*bytes)]);
        let (first, second) = (text(b"abcd\0\0\0\0"), text(b"abce\0\0\0\0"));
        let compare = |a: &Memory, b: &Memory| {
            imports
                .number("strcmp", &[a.address(), b.address()])
                .cast_signed()
        };
        assert_eq!(
            [compare(&first, &second), compare(&second, &first)],
            [-1, 1]
        );
        assert_eq!(compare(&first, &first), 0);

        // Room, count, the result, and what is in the buffer.
        for (room, count, result, expected) in [
            (8, 8, 0, *b"abcd\0???"),
            (8, 2, 0, *b"ab\0?????"),
            (4, 8, 34, *b"\0???????"),
            (3, TRUNCATE, 80, *b"ab\0?????"),
        ] {
            let buffer = text(b"????????");
            let arguments = [buffer.address(), room, first.address(), count];
            assert_eq!(imports.number("strncpy_s", &arguments), result);
            assert_eq!(buffer.bytes(), expected);
        }

        let seed = Memory::new(&[7]);
        let random = || imports.number("RtlRandomEx", &[seed.address()]);
        let numbers = [random(), random()];
        assert!(numbers[0] != numbers[1] && numbers.iter().all(|&number| number < 0x7fff_ffff));
        seed.set(0, 7);
        assert_eq!([random(), random()], numbers);

        let (class, list) = (Memory::new(&[1, 2]), Memory::new(&[0]));
        let arguments = [class.address(), 0, 0, list.address()];
        assert_eq!(imports.number("IoGetDeviceInterfaces", &arguments), 0);
        // There is no interface: the list ends at once.
        assert_eq!(inside::number_at::<u32>(list.pointer(0)), 0);
        imports.call("ExFreePool", &[list.pointer(0)]);
    });
    assert_eq!(found, [""; 0]);
}
