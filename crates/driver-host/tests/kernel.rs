//! The functions of the kernel, by family, as a driver calls them. `cargo xtask plant-faults kernel` makes each of
//! them do nothing, which a test here must notice.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use common::inside::{self, Imports, Memory, Unicode};
use common::synthetic::Synthetic;
use common::{host, lines, named, printed};
use driver_host::{Host, LoadError};

const SUCCESS: u32 = 0;
const TIMEOUT: u32 = 0x102;

/// Runs a driver that calls functions of the kernel. Returns the reports.
fn reports(
    host: &Host,
    names: &[&'static str],
    mut body: impl FnMut(&Imports<'_>) + Send,
) -> Vec<String> {
    inside::run(host, "ntoskrnl.exe", names, &mut body)
}

/// The same for a driver that makes no mistake.
fn driver(names: &[&'static str], body: impl FnMut(&Imports<'_>) + Send) {
    assert_eq!(reports(&host(), names, body), [""; 0]);
}

#[test]
fn events() {
    let names = [
        "KeInitializeEvent",
        "KeSetEvent",
        "KeClearEvent",
        "KeResetEvent",
        "KeReadStateEvent",
        "KeWaitForSingleObject",
        "KeDelayExecutionThread",
        "KeQueryUnbiasedInterruptTime",
    ];
    driver(&names, |kernel| {
        const SYNCHRONIZATION: usize = 1;
        let (event, now) = (Memory::fresh(3), Memory::new(&[0]));
        let at = event.address();
        let wait = || kernel.number("KeWaitForSingleObject", &[at, 0, 0, 0, now.address()]);
        let state = || kernel.number("KeReadStateEvent", &[at]);
        kernel.call("KeInitializeEvent", &[at, SYNCHRONIZATION, 1]);
        assert_eq!((state(), wait(), state()), (1, SUCCESS, 0));
        assert_eq!(wait(), TIMEOUT);
        assert_eq!(kernel.number("KeSetEvent", &[at, 0, 0]), 0);
        assert_eq!(kernel.number("KeSetEvent", &[at, 0, 0]), 1);
        assert_eq!((kernel.number("KeResetEvent", &[at]), state()), (1, 0));
        kernel.call("KeSetEvent", &[at, 0, 0]);
        assert_eq!(state(), 1);
        kernel.call("KeClearEvent", &[at]);
        assert_eq!(state(), 0);

        let time = || kernel.call("KeQueryUnbiasedInterruptTime", &[]);
        let millisecond = Memory::new(&[(-10_000_i64).cast_unsigned()]);
        let before = time();
        kernel.call("KeDelayExecutionThread", &[0, 0, millisecond.address()]);
        assert!(time() >= before + 10_000);
    });
}

#[test]
fn fast_mutexes() {
    let names = [
        "ExAcquireFastMutex",
        "ExTryToAcquireFastMutex",
        "ExReleaseFastMutex",
        "ExAcquireFastMutexUnsafe",
        "ExReleaseFastMutexUnsafe",
        "KeEnterCriticalRegion",
        "KeLeaveCriticalRegion",
        "KeGetCurrentIrql",
    ];
    let found = reports(&host(), &names, |kernel| {
        // The count of a free one is 1.
        let mutex = Memory::new(&[1, 0, 0, 0, 0, 0, 0]);
        let at = mutex.address();
        let state = || (mutex.number(0), kernel.byte("KeGetCurrentIrql", &[]));
        kernel.call("ExAcquireFastMutex", &[at]);
        assert_eq!(state(), (0, 1));
        kernel.call("ExReleaseFastMutex", &[at]);
        assert_eq!(state(), (1, 0));
        assert_eq!(kernel.byte("ExTryToAcquireFastMutex", &[at]), 1);
        assert_eq!(state(), (0, 1));
        kernel.call("ExReleaseFastMutex", &[at]);

        kernel.call("KeEnterCriticalRegion", &[]);
        kernel.call("ExAcquireFastMutexUnsafe", &[at]);
        assert_eq!(state(), (0, 0));
        kernel.call("ExReleaseFastMutexUnsafe", &[at]);
        assert_eq!(state(), (1, 0));
        kernel.call("KeLeaveCriticalRegion", &[]);
        // The only mistake.
        kernel.call("ExAcquireFastMutexUnsafe", &[at]);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("outside of a critical region"),
        "{found:?}"
    );
}

#[test]
fn levels() {
    let names = [
        "KeGetCurrentIrql",
        "KfRaiseIrql",
        "KfLowerIrql",
        "KeRaiseIrql",
        "KeRaiseIrqlToDpcLevel",
        "KeLowerIrql",
    ];
    driver(&names, |kernel| {
        let level = || kernel.byte("KeGetCurrentIrql", &[]);
        assert_eq!((kernel.byte("KfRaiseIrql", &[1]), level()), (0, 1));
        assert_eq!((kernel.byte("KeRaiseIrqlToDpcLevel", &[]), level()), (1, 2));
        let before = Memory::fresh(1);
        kernel.call("KeRaiseIrql", &[5, before.address()]);
        assert_eq!((before.bytes()[0], level()), (2, 5));
        kernel.call("KeLowerIrql", &[2]);
        assert_eq!(level(), 2);
        kernel.call("KfLowerIrql", &[0]);
        assert_eq!(level(), 0);
    });
}

#[test]
fn mutexes() {
    let names = [
        "KeInitializeMutex",
        "KeReleaseMutex",
        "KeReadStateMutex",
        "KeWaitForMutexObject",
    ];
    driver(&names, |kernel| {
        let (mutex, now) = (Memory::fresh(7), Memory::new(&[0]));
        let at = mutex.address();
        let wait = || kernel.number("KeWaitForMutexObject", &[at, 0, 0, 0, now.address()]);
        let state = || kernel.number("KeReadStateMutex", &[at]).cast_signed();
        let release = || kernel.number("KeReleaseMutex", &[at, 0]).cast_signed();
        kernel.call("KeInitializeMutex", &[at, 0]);
        assert_eq!((state(), wait(), state()), (1, SUCCESS, 0));
        assert_eq!((wait(), state()), (SUCCESS, -1));
        assert_eq!((release(), release(), state()), (-1, 0, 1));
    });
}

#[test]
fn push_locks() {
    let names = [
        "ExInitializePushLock",
        "ExAcquirePushLockExclusiveEx",
        "ExReleasePushLockExclusiveEx",
        "ExAcquirePushLockSharedEx",
        "ExReleasePushLockSharedEx",
    ];
    driver(&names, |kernel| {
        let lock = Memory::fresh(1);
        let state = |name, expected| {
            kernel.call(name, &[lock.address(), 0]);
            assert_eq!(lock.word(0).cast_signed(), expected, "{name}");
        };
        state("ExInitializePushLock", 0);
        state("ExAcquirePushLockExclusiveEx", -1);
        state("ExReleasePushLockExclusiveEx", 0);
        state("ExAcquirePushLockSharedEx", 1);
        state("ExAcquirePushLockSharedEx", 2);
        state("ExReleasePushLockSharedEx", 1);
        state("ExReleasePushLockSharedEx", 0);
    });
}

#[test]
fn resources() {
    let names = [
        "ExInitializeResourceLite",
        "ExAcquireResourceExclusiveLite",
        "ExAcquireResourceSharedLite",
        "ExReleaseResourceLite",
        "ExIsResourceAcquiredExclusiveLite",
        "ExDeleteResourceLite",
    ];
    let found = reports(&host(), &names, |kernel| {
        let resource = Memory::new(&[7; 13]);
        let at = resource.address();
        let state = || resource.word(2).cast_signed();
        let mine = || kernel.byte("ExIsResourceAcquiredExclusiveLite", &[at]);
        assert_eq!(kernel.number("ExInitializeResourceLite", &[at]), SUCCESS);
        assert_eq!((state(), mine()), (0, 0));
        assert_eq!(kernel.byte("ExAcquireResourceExclusiveLite", &[at, 0]), 1);
        assert_eq!((state(), mine()), (-1, 1));
        kernel.call("ExReleaseResourceLite", &[at]);
        assert_eq!((state(), mine()), (0, 0));
        assert_eq!(kernel.byte("ExAcquireResourceSharedLite", &[at, 0]), 1);
        assert_eq!((state(), mine()), (1, 0));
        // The only mistake.
        kernel.call("ExDeleteResourceLite", &[at]);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("a thread holds the resource"),
        "{found:?}"
    );
}

#[test]
fn rundown_protection() {
    let names = [
        "ExInitializeRundownProtection",
        "ExReInitializeRundownProtection",
        "ExAcquireRundownProtection",
        "ExReleaseRundownProtection",
        "ExWaitForRundownProtectionRelease",
        "ExRundownCompleted",
    ];
    driver(&names, |kernel| {
        let reference = Memory::new(&[7]);
        let at = reference.address();
        let acquire = || kernel.byte("ExAcquireRundownProtection", &[at]);
        kernel.call("ExInitializeRundownProtection", &[at]);
        assert_eq!((acquire(), reference.word(0)), (1, 2));
        kernel.call("ExReleaseRundownProtection", &[at]);
        assert_eq!(reference.word(0), 0);
        kernel.call("ExWaitForRundownProtectionRelease", &[at]);
        assert_eq!((acquire(), reference.word(0)), (0, 1));
        kernel.call("ExReInitializeRundownProtection", &[at]);
        assert_eq!(reference.word(0), 0);
        kernel.call("ExRundownCompleted", &[at]);
        assert_eq!((acquire(), reference.word(0)), (0, 1));
    });
}

#[test]
fn spin_locks() {
    let names = [
        "KeInitializeSpinLock",
        "KeAcquireSpinLockRaiseToDpc",
        "KeReleaseSpinLock",
        "KeAcquireSpinLockAtDpcLevel",
        "KeReleaseSpinLockFromDpcLevel",
        "KeAcquireInStackQueuedSpinLock",
        "KeReleaseInStackQueuedSpinLock",
        "KeGetCurrentIrql",
    ];
    driver(&names, |kernel| {
        let (lock, handle) = (Memory::fresh(1), Memory::fresh(3));
        let (at, queued) = (lock.address(), handle.address());
        let state = || (lock.word(0) != 0, kernel.byte("KeGetCurrentIrql", &[]));
        kernel.call("KeInitializeSpinLock", &[at]);
        assert_eq!(state(), (false, 0));
        assert_eq!(kernel.byte("KeAcquireSpinLockRaiseToDpc", &[at]), 0);
        assert_eq!(state(), (true, 2));
        kernel.call("KeReleaseSpinLockFromDpcLevel", &[at]);
        assert_eq!(state(), (false, 2));
        kernel.call("KeAcquireSpinLockAtDpcLevel", &[at]);
        assert_eq!(state(), (true, 2));
        kernel.call("KeReleaseSpinLock", &[at, 0]);
        assert_eq!(state(), (false, 0));
        kernel.call("KeAcquireInStackQueuedSpinLock", &[at, queued]);
        assert_eq!(state(), (true, 2));
        kernel.call("KeReleaseInStackQueuedSpinLock", &[queued]);
        assert_eq!(state(), (false, 0));
    });
}

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
fn clocks_and_the_version() {
    let names = [
        "KeQueryPerformanceCounter",
        "KeQuerySystemTimePrecise",
        "KeQueryTimeIncrement",
        "RtlGetVersion",
    ];
    driver(&names, |kernel| {
        // The year 2020, in steps of 100 nanoseconds since 1601.
        const PAST: u64 = 132_223_104_000_000_000;
        let (frequency, time) = (Memory::fresh(1), Memory::new(&[0]));
        kernel.call("KeQueryPerformanceCounter", &[frequency.address()]);
        assert_eq!(frequency.word(0), 10_000_000);
        kernel.call("KeQuerySystemTimePrecise", &[time.address()]);
        assert!(time.word(0) > PAST);
        assert_eq!(kernel.number("KeQueryTimeIncrement", &[]), 156_250);
        let mut words = [0; 36];
        words[0] = 0x114;
        let version = Memory::new(&words);
        assert_eq!(
            kernel.number("RtlGetVersion", &[version.address()]),
            SUCCESS
        );
        assert_eq!((version.number(4), version.number(12)), (10, 22_000));
    });
}

#[test]
fn processors_and_threads() {
    let names = ["KeGetCurrentProcessorNumberEx", "PsGetCurrentThreadId"];
    driver(&names, |kernel| {
        let number = Memory::fresh(1);
        let index = kernel.number("KeGetCurrentProcessorNumberEx", &[number.address()]);
        let [group, _, processor, reserved] = number.number(0).to_le_bytes();
        assert_eq!(u32::from(group) * 64 + u32::from(processor), index);
        assert_eq!(reserved, 0);
        assert_ne!(kernel.call("PsGetCurrentThreadId", &[]), 0);
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
fn bug_checks() {
    for name in ["KeBugCheck", "KeBugCheckEx"] {
        // mov ecx, 0xe2
        let image = Synthetic::default().enter().code(&[0xb9, 0xe2, 0, 0, 0]);
        let host = host();
        let loaded = host.load(image.call(name).leave(0).build(), named("test.sys"));
        assert!(matches!(loaded, Err(LoadError::Stopped(_))), "{name}");
        let found = lines(&host.reports());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("MANUALLY_INITIATED_CRASH"), "{found:?}");
    }
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

/// The state of a timer or of a DPC's routine shows when the driver is gone, which waits for both.
#[test]
fn timers() {
    let names = [
        "KeInitializeTimer",
        "KeInitializeTimerEx",
        "KeSetTimer",
        "KeSetTimerEx",
        "KeCancelTimer",
        "KeReadStateTimer",
        "KeWaitForSingleObject",
    ];
    driver(&names, |kernel| {
        let hour = 0_usize.wrapping_sub(36_000_000_000);
        let soon = 0_usize.wrapping_sub(1);
        for (initialize, kind) in [("KeInitializeTimer", 0_u8), ("KeInitializeTimerEx", 1)] {
            let timer = Memory::fresh(8);
            let at = timer.address();
            let state = || kernel.byte("KeReadStateTimer", &[at]);
            let cancel = || kernel.byte("KeCancelTimer", &[at]);
            kernel.call(initialize, &[at, kind.into()]);
            assert_eq!((timer.bytes()[0], state()), (8 + kind, 0));
            assert_eq!(kernel.byte("KeSetTimer", &[at, hour, 0]), 0);
            assert_eq!(kernel.byte("KeSetTimerEx", &[at, hour, 0, 0]), 1);
            assert_eq!(kernel.byte("KeSetTimer", &[at, hour, 0]), 1);
            assert_eq!((cancel(), cancel()), (1, 0));
            kernel.call("KeSetTimer", &[at, soon, 0]);
            assert_eq!(
                kernel.number("KeWaitForSingleObject", &[at, 0, 0, 0, 0]),
                SUCCESS
            );
            assert_eq!(state(), 1 - kind);
        }
    });
}

/// What the routines of drivers got.
static CALLS: Mutex<Vec<[usize; 3]>> = Mutex::new(Vec::new());

/// A routine that takes its time, so that a wait for it that does not wait shows.
extern "win64" fn routine(first: usize, second: usize, third: usize) {
    thread::sleep(Duration::from_millis(20));
    CALLS.lock().unwrap().push([first, second, third]);
}

/// How often a routine got these first arguments.
fn calls(arguments: &[usize]) -> usize {
    let calls = CALLS.lock().unwrap();
    calls
        .iter()
        .filter(|call| call.starts_with(arguments))
        .count()
}

fn routine_address() -> usize {
    (routine as *const ()).expose_provenance()
}

#[test]
fn deferred_procedure_calls() {
    let names = ["KeInitializeDpc", "KeInsertQueueDpc", "KeFlushQueuedDpcs"];
    driver(&names, |kernel| {
        let dpc = Memory::fresh(8);
        let at = dpc.address();
        kernel.call("KeInitializeDpc", &[at, routine_address(), 41]);
        assert_eq!(kernel.byte("KeInsertQueueDpc", &[at, 42, 43]), 1);
        kernel.call("KeFlushQueuedDpcs", &[]);
        assert_eq!(calls(&[at, 41, 42]), 1);
    });
}

/// The unload waits for items that run.
#[test]
fn work_items() {
    let names = [
        "IoAllocateWorkItem",
        "IoQueueWorkItem",
        "IoFreeWorkItem",
        "ExQueueWorkItem",
    ];
    let device = Memory::fresh(1);
    let item = Memory::new(&[0, 0, routine_address() as u64, device.address() as u64]);
    driver(&names, |kernel| {
        let own = kernel.call("IoAllocateWorkItem", &[device.address()]);
        assert_ne!(own, 0);
        kernel.call(
            "IoQueueWorkItem",
            &[own, routine_address(), 1, item.address()],
        );
        kernel.call("ExQueueWorkItem", &[item.address(), 1]);
        kernel.call("IoFreeWorkItem", &[own]);
    });
    assert_eq!(calls(&[device.address(), item.address()]), 1);
    assert_eq!(calls(&[device.address(), 0]), 1);
}

#[test]
fn the_registry() {
    const DWORD: usize = 4;
    let host = host();
    let names = [
        "ZwCreateKey",
        "ZwOpenKey",
        "ZwSetValueKey",
        "ZwQueryValueKey",
        "ZwClose",
        "RtlQueryRegistryValues",
    ];
    let found = reports(&host, &names, |kernel| {
        let path = r"\Registry\Machine\SOFTWARE\Nmr";
        let (key, name) = (Unicode::new(path), Unicode::new("Limit"));
        let attributes = Memory::new(&[0x30, 0, key.address() as u64, 0, 0, 0]);
        let (handle, disposition) = (Memory::fresh(1), Memory::fresh(1));
        let create = [
            handle.address(),
            0,
            attributes.address(),
            0,
            0,
            0,
            disposition.address(),
        ];
        assert_eq!(kernel.number("ZwCreateKey", &create), SUCCESS);
        assert_eq!(disposition.number(0), 1);
        let (created, value) = (handle.pointer(0), Memory::new(&[70]));
        let set = [created, name.address(), 0, DWORD, value.address(), 4];
        assert_eq!(kernel.number("ZwSetValueKey", &set), SUCCESS);
        assert_eq!(kernel.number("ZwClose", &[created]), SUCCESS);

        assert_eq!(kernel.number("ZwOpenKey", &create[..3]), SUCCESS);
        let opened = handle.pointer(0);
        assert_ne!(opened, created);
        let (output, needed) = (Memory::fresh(2), Memory::fresh(1));
        let query = [
            opened,
            name.address(),
            2,
            output.address(),
            16,
            needed.address(),
        ];
        assert_eq!(kernel.number("ZwQueryValueKey", &query), SUCCESS);
        assert_eq!(
            (needed.number(0), output.number(8), output.number(12)),
            (16, 4, 70)
        );
        assert_eq!(kernel.number("ZwClose", &[opened]), SUCCESS);

        // RTL_QUERY_REGISTRY_DIRECT and _TYPECHECK, for a number.
        let (path, name, entry) = (Memory::wide(path), Memory::wide("Limit"), Memory::new(&[0]));
        let [name, at] = [&name, &entry].map(|memory| memory.address() as u64);
        let mut table = [0; 14];
        table[..5].copy_from_slice(&[0, 0x120, name, at, 4 << 24]);
        let table = Memory::new(&table);
        let arguments = [0, path.address(), table.address(), 0, 0];
        assert_eq!(kernel.number("RtlQueryRegistryValues", &arguments), SUCCESS);
        assert_eq!(entry.number(0), 70);
        // A handle that is closed is none, which is the only mistake.
        kernel.call("ZwClose", &[opened]);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("is not an open handle"), "{found:?}");
}

#[test]
fn event_tracing() {
    let host = host();
    let names = [
        "EtwRegister",
        "EtwUnregister",
        "EtwSetInformation",
        "EtwEventEnabled",
        "EtwProviderEnabled",
        "EtwWrite",
        "EtwWriteTransfer",
        "EtwActivityIdControl",
    ];
    let found = reports(&host, &names, |kernel| {
        const SET: usize = 2;
        const CREATE_SET: usize = 5;
        let (id, handle) = (Memory::new(&[7, 8]), Memory::new(&[0]));
        let arguments = [id.address(), 0, 0, handle.address()];
        assert_eq!(kernel.number("EtwRegister", &arguments), SUCCESS);
        let own = handle.pointer(0);
        // The traits: their size, and the name of the provider.
        let traits = Memory::new(&[u64::from_le_bytes(*b"\x08\0Names\0")]);
        let arguments = [own, 2, traits.address(), 8];
        assert_eq!(kernel.number("EtwSetInformation", &arguments), SUCCESS);
        let descriptor = Memory::new(&[0, 0]);
        let at = descriptor.address();
        assert_eq!(kernel.byte("EtwEventEnabled", &[own, at]), 1);
        assert_eq!(kernel.byte("EtwProviderEnabled", &[own, 0, 0]), 1);
        assert_eq!(kernel.number("EtwWrite", &[own, at, 0, 0, 0]), SUCCESS);
        let arguments = [own, at, 0, 0, 0, 0];
        assert_eq!(kernel.number("EtwWriteTransfer", &arguments), SUCCESS);
        // What the thread works for comes back when it works for something else.
        let activity = Memory::new(&[5, 6]);
        let control = |code| kernel.number("EtwActivityIdControl", &[code, activity.address()]);
        assert_eq!(control(SET), SUCCESS);
        let activity = Memory::fresh(2);
        let arguments = [CREATE_SET, activity.address()];
        assert_eq!(kernel.number("EtwActivityIdControl", &arguments), SUCCESS);
        assert_eq!((activity.word(0), activity.word(1)), (5, 6));
        assert_eq!(kernel.number("EtwUnregister", &[own]), SUCCESS);
    });
    assert_eq!(found, [""; 0]);
    let events = host.take_events();
    let providers: Vec<_> = events
        .iter()
        .map(|event| event.provider.as_deref())
        .collect();
    assert_eq!(providers, [Some("Names"); 2]);
}

#[test]
fn the_address_of_a_routine() {
    let names = ["MmGetSystemRoutineAddress", "KeGetCurrentIrql"];
    driver(&names, |kernel| {
        let find = |name| {
            let name = Unicode::new(name);
            kernel.call("MmGetSystemRoutineAddress", &[name.address()])
        };
        let [raise, lower] = ["KeRaiseIrqlToDpcLevel", "KfLowerIrql"].map(find);
        assert!(raise != 0 && lower != 0);
        assert_eq!(find("ZwMakeCoffee"), 0);
        inside::call(raise, &[]);
        assert_eq!(kernel.byte("KeGetCurrentIrql", &[]), 2);
        inside::call(lower, &[0]);
    });
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
fn system_threads() {
    let names = [
        "PsCreateSystemThread",
        "ObReferenceObjectByHandle",
        "ObfReferenceObject",
        "ObfDereferenceObject",
        "KeWaitForSingleObject",
        "ZwClose",
    ];
    driver(&names, |kernel| {
        let (handle, id) = (Memory::new(&[0]), Memory::new(&[0, 0]));
        let arguments = [
            handle.address(),
            0,
            0,
            0,
            id.address(),
            routine_address(),
            handle.address(),
        ];
        assert_eq!(kernel.number("PsCreateSystemThread", &arguments), SUCCESS);
        let own = handle.pointer(0);
        assert!(own != 0 && id.word(1) != 0);
        let object = Memory::new(&[0]);
        let arguments = [own, 0, 0, 0, object.address(), 0];
        assert_eq!(
            kernel.number("ObReferenceObjectByHandle", &arguments),
            SUCCESS
        );
        let thread = object.pointer(0);
        assert_ne!(thread, 0);
        let more = kernel.call("ObfReferenceObject", &[thread]);
        assert_eq!(kernel.call("ObfDereferenceObject", &[thread]), more - 1);
        assert_eq!(
            kernel.number("KeWaitForSingleObject", &[thread, 0, 0, 0, 0]),
            SUCCESS
        );
        assert_eq!(calls(&[handle.address()]), 1);
        kernel.call("ObfDereferenceObject", &[thread]);
        kernel.number("ZwClose", &[own]);
    });
}

#[test]
fn the_cancel_spin_lock() {
    let names = [
        "IoAcquireCancelSpinLock",
        "IoReleaseCancelSpinLock",
        "KeGetCurrentIrql",
    ];
    driver(&names, |kernel| {
        let (level, before) = (|| kernel.byte("KeGetCurrentIrql", &[]), Memory::fresh(1));
        kernel.call("IoAcquireCancelSpinLock", &[before.address()]);
        assert_eq!((level(), before.bytes()[0]), (2, 0));
        kernel.call("IoReleaseCancelSpinLock", &[0]);
        assert_eq!(level(), 0);
    });
}

#[test]
fn semaphores_and_waits_for_several_objects() {
    let names = [
        "KeInitializeSemaphore",
        "KeReleaseSemaphore",
        "KeReadStateSemaphore",
        "KeWaitForMultipleObjects",
    ];
    driver(&names, |kernel| {
        const WAIT_ANY: usize = 1;
        let semaphores = [(); 2].map(|()| Memory::fresh(4));
        let [first, second] = semaphores.each_ref().map(Memory::address);
        let state = |at| kernel.number("KeReadStateSemaphore", &[at]);
        let release = || kernel.number("KeReleaseSemaphore", &[second, 0, 1, 0]);
        for at in [first, second] {
            kernel.call("KeInitializeSemaphore", &[at, 0, 3]);
        }
        assert_eq!((release(), release()), (0, 1));
        assert_eq!([first, second].map(state), [0, 2]);
        let (objects, now) = (
            Memory::new(&[first as u64, second as u64]),
            Memory::new(&[0]),
        );
        let arguments = [2, objects.address(), WAIT_ANY, 0, 0, 0, now.address(), 0];
        let wait = || kernel.number("KeWaitForMultipleObjects", &arguments);
        assert_eq!([wait(), wait(), wait()], [1, 1, TIMEOUT]);
    });
}
