//! The loader with real images, most of which do something wrong: each is named in the report, and
//! the process survives.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;
#[path = "common/lingering.rs"]
mod lingering;

use std::path::Path;
use std::time::Duration;

use common::{fixture, host, lines, named, printed};
use driver_host::facts::Facts;
use driver_host::{Fault, Host, LoadError, LoadOptions, Plan, Point, RegistryValue, hygiene};
use nmr_host::Policy;

/// Loads a fixture that must stop its host, and returns the report.
fn stopped(name: &str) -> String {
    let host = host();
    let error = host
        .load(fixture(name), LoadOptions::default())
        .unwrap_err();
    assert!(matches!(error, LoadError::Stopped(_)), "{error}");
    assert_eq!(
        host.stopped().map(|stopped| stopped.0),
        host.reports().first().cloned()
    );
    lines(&host.reports()).join("\n")
}

/// Loads and unloads a fixture, and returns the reports.
fn left(name: &str) -> Vec<String> {
    let host = host();
    let unloaded = host
        .load(fixture(name), LoadOptions::default())
        .unwrap()
        .unload();
    assert!(unloaded.unmapped);
    assert_eq!(host.pool_in_use(), 0);
    lines(&unloaded.reports)
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_sample_without_network_modules_comes_and_goes() {
    let host = host();
    let image = host
        .load(fixture("sample"), LoadOptions::default())
        .unwrap();
    image.add_device().unwrap();
    image.add_device().unwrap();
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(unloaded.unmapped);
    let path = r"\Registry\Machine\System\CurrentControlSet\Services\sample";
    assert_eq!(printed(&host), format!("hello from {path}\ngoodbye\n"));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn every_service_of_the_kernel_works() {
    let host = host();
    let unloaded = host
        .load(fixture("services"), LoadOptions::default())
        .unwrap()
        .unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert_eq!(
        printed(&host),
        "-1|text|0000beef|-9223372036854775808\n\
         events: right\nrundown: right\nlocks: right\nprocessors: right\nmutexes: right\nfast mutexes: right\n\
         ab|\\Registry\\Machine\\System\\CurrentControlSet\\Services\\services|ab\n\
         strings: right\npool: right\n"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_timers_of_the_framework_work() {
    let host = host();
    let image = host
        .load(fixture("timers"), LoadOptions::default())
        .unwrap();
    image.add_device().unwrap();
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(
        unloaded.unmapped,
        "a timer that is started ends with its device"
    );
    assert_eq!(
        printed(&host),
        "periodic: right\npassive: right\npassive and periodic: right\norphan: right\nlong: right\n"
    );
    assert_eq!(
        lines(&host.reports()),
        [
            "timers.sys: WdfTimerCreate: a timer at PASSIVE_LEVEL has no period; answered 0xc00000bb",
            "timers.sys: WdfTimerCreate: it needs a parent; answered 0xc0200212",
        ]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_control_device_is_opened_by_its_link_and_its_queue_stops_and_drains() {
    const STOP: u32 = 0x0022_2004;
    const DRAIN: u32 = 0x0022_2008;
    const OTHER: u32 = 0x0022_200c;
    const INVALID_DEVICE_STATE: i32 = 0xC000_0184_u32.cast_signed();
    let host = host();
    let image = host
        .load(fixture("control"), LoadOptions::default())
        .unwrap();
    assert_eq!(
        printed(&host),
        "odd string: right\ndevice object: right\nsame name: right\nno name: right\nlinks: right\n\
         stop: right\ndrain: right\npurge: right\ninitialized: right\n"
    );
    assert_eq!(
        lines(&host.take_reports()),
        [
            "control.sys: WdfControlDeviceInitAllocate: a string has an odd length; answered 0xc000000d",
            "control.sys: WdfControlDeviceInitSetShutdownNotification: the flags 0x8 are invalid",
            "control.sys: WdfFdoInitSetFilter: the WDFDEVICE_INIT is not one of a functional device",
            "control.sys: WdfDeviceCreate: there is a device \\Device\\NmrControl already; answered 0xc0000035",
            "control.sys: WdfDeviceCreateSymbolicLink: the device has no name: call \
             WdfDeviceInitAssignName; answered 0xc0000184",
            "control.sys: WdfDeviceCreateSymbolicLink: the name is empty; answered 0xc0000010",
            "control.sys: WdfDeviceCreateSymbolicLink: the device has a symbolic link already; \
             answered 0xc0000010",
        ]
    );
    let _ = host.take_prints();
    let handle = host.find_device(r"\\.\nmrcontrol").unwrap().open().unwrap();
    let mut ask = |code| handle.control(code, &[], 0).unwrap().0;
    assert_eq!([OTHER, STOP, OTHER, DRAIN].map(&mut ask), [0; 4]);
    assert_eq!(ask(OTHER), INVALID_DEVICE_STATE);
    assert_eq!(printed(&host), "stopped: 13\ndrained: 14\n");
    let _ = host.take_prints();
    drop(handle);
    let unloaded = image.unload();
    assert_eq!(printed(&host), "goodbye after 5\n");
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(unloaded.unmapped);
    assert!(host.find_device(r"\Device\NmrControl").is_none());
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_waits_in_a_manual_queue_until_the_driver_takes_it() {
    const FORWARD: u32 = 0x0022_2010;
    const TAKE: u32 = 0x0022_2014;
    const NO_MORE_ENTRIES: i32 = 0x8000_001A_u32.cast_signed();
    let host = host();
    let image = host
        .load(fixture("control"), LoadOptions::default())
        .unwrap();
    let handle = host.find_device(r"\\.\NmrControl").unwrap().open().unwrap();
    let ask = |code| handle.control(code, &[], 0).unwrap().0;
    assert_eq!(ask(TAKE), NO_MORE_ENTRIES);
    std::thread::scope(|scope| {
        let forwarded = scope.spawn(|| ask(FORWARD));
        while ask(TAKE) == NO_MORE_ENTRIES {
            std::thread::yield_now();
        }
        assert_eq!(forwarded.join().unwrap(), 0x103_0001);
    });
    drop(handle);
    assert_eq!(lines(&image.unload().reports), [""; 0]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_small_objects_of_the_framework_work() {
    let host = host();
    let key = r"\Registry\Machine\System\CurrentControlSet\Services\families\Parameters";
    for (name, value) in [
        ("Limit", RegistryValue::dword(7)),
        ("Name", RegistryValue::string("EXNPI")),
        ("Peers", RegistryValue::strings(&["a.sys", "b.sys"])),
    ] {
        host.set_registry_value(key, name, value);
    }
    let image = host
        .load(fixture("families"), LoadOptions::default())
        .unwrap();
    image.add_device().unwrap();
    assert_eq!(
        printed(&host),
        "strings: right\ncollections: right\nmemory: right\npreallocated: right\ncopies: right\n\
         parents: right\nDPCs: right\nnumber: right\ntext: right\nkeys: right\nvalues: right\n\
         assigned: right\nmemory of a value: right\nremoved: right\nkey of the device: right\n\
         multiple strings: right\nclosed: right\n"
    );
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert_eq!(host.pool_in_use(), 0);
    let reports = lines(&host.reports());
    let parents = "its parent is no device, and below none; answered 0xc0000010";
    for create in ["WdfWorkItemCreate", "WdfTimerCreate", "WdfDpcCreate"] {
        let expected = format!("families.sys: {create}: {parents}");
        assert!(reports.contains(&expected), "{reports:#?}");
    }
    let items = reports
        .iter()
        .filter(|line| line.contains("WdfCollectionRemove"));
    assert_eq!(items.count(), 2, "{reports:#?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_drivers_use_of_the_executive_works() {
    let host = host();
    let key = r"\Registry\Machine\System\CurrentControlSet\Services\executive\Parameters";
    host.set_registry_value(key, "Limit", RegistryValue::dword(7));
    host.set_registry_value(key, "Name", RegistryValue::string("EXNPI"));
    let image = host
        .load(fixture("executive"), LoadOptions::default())
        .unwrap();
    assert_eq!(image.missing_imports(), [""; 0]);
    let printed = printed(&host);
    let wrong = printed.lines().filter(|line| !line.ends_with(": right"));
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
    assert_eq!(printed.lines().count(), 18, "{printed}");
    assert_eq!(
        host.registry_value(key, "missing"),
        Some(RegistryValue::dword(9))
    );
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert_eq!(
        lines(&host.reports())[..2],
        [
            "executive.sys: RtlGetVersion: the size of the structure is 0x8",
            "executive.sys: IoAllocateWorkItem: the device object is null",
        ]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn mutexes_are_used_as_windows_allows() {
    let host = host();
    host.load(fixture("mutexes"), LoadOptions::default())
        .unwrap_err();
    let reports = lines(&host.reports());
    assert_eq!(
        reports[..7],
        [
            "mutexes.sys: ExReleaseFastMutexUnsafe: called outside of a critical region and below \
             APC_LEVEL",
            "mutexes.sys: ExReleaseFastMutexUnsafe: the thread does not own the mutex",
            "mutexes.sys: KeLeaveCriticalRegion: the thread is in no critical region",
            "mutexes.sys: ExAcquireFastMutex: called at DISPATCH_LEVEL",
            "mutexes.sys: ExReleaseFastMutex: called at DISPATCH_LEVEL",
            "mutexes.sys: KeWaitForSingleObject: waited at DISPATCH_LEVEL",
            &reports[6],
        ]
    );
    let expected = "mutexes.sys: the thread does not own the mutex that it releases at address 0x";
    assert!(reports[6].starts_with(expected), "{reports:#?}");
    assert_eq!(reports.len(), 7);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_objects_of_the_framework_work() {
    let host = host();
    let image = host
        .load(fixture("objects"), LoadOptions::default())
        .unwrap();
    image.add_device().unwrap();
    let unloaded = image.unload();
    assert_eq!(
        lines(&unloaded.reports),
        [""; 0],
        "the refusals belong to DriverEntry"
    );
    assert_eq!(
        lines(&host.reports()),
        [
            "objects.sys: WdfDriverCreate: ExecutionLevel is not 1 to 3: the initializer sets 1; \
             answered 0xc0200209",
            "objects.sys: WdfDriverCreate: the Size of its configuration is 0x8, not 0x20; \
             answered 0xc0000004",
            "objects.sys: WdfWorkItemCreate: needs attributes with a parent; answered 0xc0200212",
        ]
    );
    assert_eq!(
        printed(&host),
        "attributes: right\nsize: right\ncontext: right\nowner: right\n\
         cleanup of object 3\ncleanup of object 2\ndestroy 3\ndestroy 2\n\
         spin lock: right\nwait lock: right\n\
         cleanup of object 4\ndeleted\ndestroy 4\n\
         work item: right\npower from 5\npower to 5\ngoodbye\ncleanup of driver 1\ndestroy 1\n"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_79_a_forgotten_registration_is_named() {
    let host = host();
    let unloaded = host
        .load(fixture("forget"), LoadOptions::default())
        .unwrap()
        .unload();
    assert_eq!(
        lines(&unloaded.reports),
        ["forget.sys: unloaded with a registration left: \
          provider {0f2e4b6a-91d3-4c58-a7b2-33e85fd01c47}; deregister it and wait before unload"]
    );
    let rules = host.registrar().finish();
    assert_eq!(
        rules
            .iter()
            .map(|report| report.rule.to_string())
            .collect::<Vec<_>>(),
        ["V-79", "V-73"]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn leaked_pool_is_named() {
    assert_eq!(
        left("leak"),
        ["leak.sys: unloaded with 40 bytes of pool left, tag 'Leak', allocation 1"]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_write_behind_a_block_is_named() {
    assert_eq!(
        left("overrun"),
        [""; 0],
        "it was reported when the block was freed, before the unload"
    );
    let host = host();
    drop(
        host.load(fixture("overrun"), LoadOptions::default())
            .unwrap(),
    );
    assert_eq!(
        lines(&host.reports()),
        ["overrun.sys: pool: wrote outside of the 20 bytes of allocation 1, tag 'Over'"]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_panic_is_reported_with_its_place() {
    let report = stopped("panic");
    assert!(report.starts_with("panic.sys: panic at "), "{report}");
    assert!(report.ends_with("src/panic.rs:7:5"), "{report}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn an_unimplemented_import_names_itself() {
    let report = stopped("missing");
    let expected = "missing.sys: called PsLookupProcessByProcessId of ntoskrnl.exe, \
                    which this host does not have, at offset ";
    assert!(report.starts_with(expected), "{report}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_wild_read_is_reported() {
    let report = stopped("wild");
    let expected = "wild.sys: access violation or privileged instruction at address 0xdead0000, \
                    at offset ";
    assert!(report.starts_with(expected), "{report}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_failure_of_the_entry_point_is_returned_and_leaves_nothing() {
    let host = host();
    let error = host
        .load(fixture("refuse"), LoadOptions::default())
        .unwrap_err();
    let LoadError::Entry { status, reports } = error else {
        panic!("{error}")
    };
    assert_eq!(status, nmr_sys::STATUS_DEVICE_NOT_READY);
    assert_eq!((lines(&reports), host.pool_in_use()), (vec![], 0));
    assert_eq!(host.registrar().finish(), []);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn an_unload_routine_that_hangs_is_reported() {
    let host = Host::with_patience(Policy::default(), Some(Duration::from_millis(200)));
    let unloaded = host
        .load(fixture("hang"), LoadOptions::default())
        .unwrap()
        .unload();
    assert_eq!(
        lines(&unloaded.reports),
        ["hang.sys: the unload routine does not return"]
    );
    assert!(!unloaded.unmapped);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_truncated_or_corrupted_image_is_refused() {
    let host = host();
    let bytes = std::fs::read(fixture("services")).unwrap();
    for end in (0..bytes.len()).step_by(64) {
        let error = host
            .load(bytes[..end].to_vec(), named("cut.sys"))
            .unwrap_err();
        assert!(matches!(error, LoadError::Malformed(_)), "{end}: {error}");
    }
    let header = usize::from(bytes[0x3c]);
    let mut corrupted = bytes;
    corrupted[header..header + 4].fill(0xff);
    let error = host.load(corrupted, named("odd.sys")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("refused: this is no PE32+ image"),
        "{error}"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn every_fixture_passes_the_hygiene_list() {
    let directory = fixture("sample");
    for file in std::fs::read_dir(directory.parent().unwrap()).unwrap() {
        let path = file.unwrap().path();
        let points = hygiene::check(&Facts::read(&std::fs::read(&path).unwrap()).unwrap());
        assert!(hygiene::passes(&points), "{}: {points:#?}", path.display());
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn code_that_is_called_after_the_unload_is_reported() {
    let host = host();
    let image = host
        .load(fixture("forget"), LoadOptions::default())
        .unwrap();
    assert!(image.unload().unmapped);
    // The registrar still has the provider's callbacks, which are gone.
    let attach = || {
        lingering::attach();
    };
    let stopped = host.run(attach).unwrap_err();
    assert!(matches!(stopped.0.fault, Fault::Late { .. }), "{stopped}");
    assert_eq!(&*stopped.0.image, "forget.sys");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_thread_inside_is_reported_and_keeps_the_image() {
    let host = host();
    let image = host
        .load(fixture("forget"), LoadOptions::default())
        .unwrap();
    let answer = std::thread::scope(|scope| {
        let call = scope.spawn(|| host.run(|| lingering::attach().linger(Duration::from_secs(2))));
        while printed(&host).is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // From the print to the wait it is only a few instructions.
        std::thread::sleep(Duration::from_millis(100));
        let unloaded = image.unload();
        assert!(!unloaded.unmapped);
        let inside = |fault: &Fault| match fault {
            Fault::ThreadInside(visit) => visit.what == "KeWaitForSingleObject",
            _ => false,
        };
        assert!(
            unloaded.reports.iter().any(|report| inside(&report.fault)),
            "{unloaded:?}"
        );
        call.join().unwrap()
    });
    assert_eq!(
        answer,
        Ok(0x102),
        "the call came back into the image, which was still there"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn each_step_of_the_framework_can_fail() {
    let load = |n| {
        let host = host();
        host.refuse(Plan::Ordinal(n, 0));
        let image = host.load(Path::new(&fixture("sample")), LoadOptions::default());
        (host, image)
    };
    let refused = |host: &Host| {
        let refused = |point: &Point| point.refused.is_some();
        let points = host.points().into_iter().filter(refused);
        points.map(|point| point.site.function).collect::<Vec<_>>()
    };
    for (n, function) in [(1, "WdfVersionBind"), (2, "WdfDriverCreate")] {
        let (host, image) = load(n);
        let LoadError::Entry { status, reports } = image.unwrap_err() else {
            panic!("{function} is in the entry point")
        };
        assert_eq!(status, nmr_sys::STATUS_INSUFFICIENT_RESOURCES);
        assert_eq!(
            (lines(&reports), refused(&host)),
            (vec![], vec![function.to_owned()])
        );
    }
    let (host, image) = load(3);
    let image = image.unwrap();
    assert_eq!(refused(&host), [""; 0], "the device comes later");
    assert!(image.add_device().is_err());
    assert_eq!(refused(&host), ["WdfDeviceCreate"]);
    image.add_device().unwrap();
    assert_eq!(lines(&image.unload().reports), [""; 0]);
    assert_eq!(lines(&host.reports()), [""; 0]);
}
