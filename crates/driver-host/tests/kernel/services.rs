//! Timers, threads and work, the registry, tracing, and the rest.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use driver_host::LoadError;

use super::SUCCESS;
use super::common::host;
use super::common::inside;
use super::common::inside::Memory;
use super::common::inside::Unicode;
use super::common::lines;
use super::common::named;
use super::common::synthetic::Synthetic;
use super::driver;
use super::reports;

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
    let names = [
        "KeGetCurrentProcessorNumberEx",
        "PsGetCurrentThreadId",
        "PsGetCurrentProcessId",
        "KeGetCurrentThread",
        "KeSetPriorityThread",
    ];
    driver(&names, |kernel| {
        let number = Memory::fresh(1);
        let index = kernel.number("KeGetCurrentProcessorNumberEx", &[number.address()]);
        let [group, _, processor, reserved] = number.number(0).to_le_bytes();
        assert_eq!(u32::from(group) * 64 + u32::from(processor), index);
        assert_eq!(reserved, 0);
        for name in &names[1..4] {
            assert_ne!(kernel.call(name, &[]), 0, "{name}");
        }
        let thread = kernel.call("KeGetCurrentThread", &[]);
        let set = |priority| kernel.number("KeSetPriorityThread", &[thread, priority]);
        assert_eq!([set(16), set(9)], [8, 16]);
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
