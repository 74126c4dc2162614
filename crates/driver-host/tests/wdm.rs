//! Drivers without a framework: the driver of `cross/wdm`, its devices and its requests, and its mistakes.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{fixture, host, lines, printed};
use driver_host::{Fault, Handle, Host, Image, LoadOptions, RequestError, Scenario, Trial};
use nmr_sys::NTSTATUS;

/// The codes of `cross/wdm/wdm.h`.
const BUFFERED: u32 = code(0x800, 0);
const IN_DIRECT: u32 = code(0x801, 1);
const OUT_DIRECT: u32 = code(0x802, 2);
const NEITHER: u32 = code(0x803, 3);
const WAIT: u32 = code(0x804, 0);
const WAKE: u32 = code(0x805, 0);
const QUEUE: u32 = code(0x807, 0);
const TAKE: u32 = code(0x808, 0);
const CONTEXT: u32 = code(0x809, 0);
const METHOD: u32 = code(0x80a, 0);
const MDLS: u32 = code(0x806, 3);
const TWICE: u32 = code(0x810, 0);
const FORGET: u32 = code(0x811, 0);
const LIMITED: u32 = code(0x820, 0);
const MIDDLE: u32 = code(0x81f, 0);
const FORGET_DIRECT: u32 = code(0x81e, 2);
const UNMARKED: u32 = code(0x812, 0);
const LOST: u32 = code(0x813, 0);
const TOUCH: u32 = code(0x814, 0);
const LEAVE: u32 = code(0x815, 0);
const DIFFERENT: u32 = code(0x816, 0);
const MORE: u32 = code(0x817, 0);
const HOLD_LOCK: u32 = code(0x818, 0);
const CANCELABLE: u32 = code(0x819, 0);
const LOCKED: u32 = code(0x81a, 3);
const DELETE: u32 = code(0x81b, 0);
const PROBE: u32 = code(0x81c, 0);
const ALIGNMENT: u32 = code(0x81d, 0);

const BUFFER_TOO_SMALL: NTSTATUS = 0xC000_0023_u32.cast_signed();
const CANCELLED: NTSTATUS = 0xC000_0120_u32.cast_signed();
const DEVICE_BUSY: NTSTATUS = 0x8000_0011_u32.cast_signed();
const NO_MORE_ENTRIES: NTSTATUS = 0x8000_001A_u32.cast_signed();

const fn code(function: u32, method: u32) -> u32 {
    0x22 << 16 | function << 2 | method
}

fn load(host: &Host) -> Image {
    host.load(fixture("wdm"), LoadOptions::default()).unwrap()
}

fn open(host: &Host) -> Handle {
    host.find_device(r"\\.\nmrwdm").unwrap().open().unwrap()
}

/// Unloads the driver, and expects that it leaves nothing.
fn nothing_left(host: &Host, image: Image) {
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(unloaded.unmapped);
    assert_eq!(host.pool_in_use(), 0);
    assert!(host.find_device(r"\\.\NmrWdm").is_none());
}

/// Sends a request to a driver of its own, and returns the answer and what was reported before the unload.
fn mistake(code: u32) -> (Result<NTSTATUS, RequestError>, Vec<String>) {
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    let answer = handle.control(code, &[], 8).map(|(status, _)| status);
    let reports = lines(&host.take_reports());
    if host.stopped().is_none() {
        drop(handle);
        let _again = image.unload();
    }
    (answer, reports)
}

/// Waits until the driver has printed so many lines.
fn wait_for_lines(host: &Host, count: usize) {
    while printed(host).lines().count() < count {
        std::thread::yield_now();
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_makes_devices_and_links_and_deletes_them() {
    let host = host();
    let image = load(&host);
    assert_eq!(
        printed(&host),
        "extension: right\ndevices: right\ntaken name: right\nno link: right\n"
    );
    let _ = host.take_prints();
    assert_eq!(image.devices().len(), 1);
    for name in [r"\\.\NmrWdm", r"\DosDevices\NmrWdm", r"\Device\NmrWdm"] {
        drop(host.find_device(name).unwrap().open().unwrap());
    }
    nothing_left(&host, image);
    assert_eq!(printed(&host), "opened 3, cleaned up 3, closed 3\n");
    assert_eq!(lines(&host.reports()), [""; 0]);
    let again = load(&host);
    nothing_left(&host, again);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn each_method_brings_its_buffers() {
    let host = host();
    host.use_special_pool();
    let image = load(&host);
    let handle = open(&host);
    let reversed = (0, b"olleh".to_vec());
    for code in [BUFFERED, OUT_DIRECT, NEITHER] {
        let answer = handle.control(code, b"hello", 9).unwrap();
        assert_eq!(answer, reversed, "{code:#x}");
        let answer = handle.control(code, b"hello", 4).unwrap();
        assert_eq!(answer, (BUFFER_TOO_SMALL, vec![]), "{code:#x}");
    }
    assert_eq!(handle.control(MDLS, b"hello", 9), Ok((0, vec![])));
    let mut buffer = *b"another one";
    let answer = handle.control_in_place(OUT_DIRECT, b"hello", &mut buffer);
    assert_eq!((answer, &buffer), (Ok((0, 5)), b"olleher one"));
    let mut second = *b"the second";
    let _ = host.take_prints();
    let answer = handle.control_in_place(IN_DIRECT, b"first", &mut second);
    assert_eq!((answer, &second), (Ok((0, 0)), b"the second"));
    assert_eq!(printed(&host), "in direct: the s of 10, write 0\n");
    drop(handle);
    nothing_left(&host, image);
    assert_eq!(lines(&host.reports()), [""; 0]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn reads_and_writes_come_by_the_method_of_the_device() {
    const INVALID_PARAMETER: NTSTATUS = 0xC000_000D_u32.cast_signed();
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    // Neither, DO_BUFFERED_IO, DO_DIRECT_IO.
    for flags in [0_u8, 0x04, 0x10] {
        handle.control(METHOD, &[flags, 0, 0, 0], 0).unwrap();
        let text = format!("method {flags:03}");
        assert_eq!(handle.write(2, text.as_bytes()), Ok((0, 10)));
        assert_eq!(handle.read(2, 10), Ok((0, text.into_bytes())));
        assert_eq!(handle.write(14, b"abc"), Ok((0, 2)), "it is full");
        assert_eq!(handle.read(13, 100), Ok((0, vec![0, b'a', b'b'])));
        assert_eq!(handle.read(16, 1), Ok((INVALID_PARAMETER, vec![])));
        assert_eq!(handle.write(0, b""), Ok((INVALID_PARAMETER, 0)));
    }
    drop(handle);
    nothing_left(&host, image);
    assert_eq!(lines(&host.reports()), [""; 0]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_waits_until_it_is_woken_or_canceled() {
    comes_or_is_canceled(WAIT, WAKE);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_waits_in_a_cancel_safe_queue() {
    comes_or_is_canceled(QUEUE, TAKE);
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    assert_eq!(handle.control(CONTEXT, &[], 0).unwrap().0, 0);
    assert_eq!(handle.control(LIMITED, &[], 0).unwrap().0, DEVICE_BUSY);
    let _ = host.take_prints();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| handle.control(QUEUE, &[], 0).unwrap().0);
        wait_for_lines(&host, 1);
        nothing_left(&host, image);
        assert_eq!(waiting.join().unwrap(), CANCELLED);
    });
}

/// A request waits until another one wakes it, and a second one until it is canceled.
fn comes_or_is_canceled(wait: u32, wake: u32) {
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    let _ = host.take_prints();
    let ask = |code| handle.control(code, &[], 0).unwrap().0;
    assert_eq!(ask(wake), NO_MORE_ENTRIES);
    assert_eq!(handle.cancel(), Ok(0));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(wait));
        wait_for_lines(&host, 1);
        assert_eq!((ask(wake), waiting.join().unwrap()), (0, 0));
        let waiting = scope.spawn(|| ask(wait));
        wait_for_lines(&host, 2);
        assert_eq!(handle.cancel(), Ok(1));
        assert_eq!(waiting.join().unwrap(), CANCELLED);
    });
    drop(handle);
    nothing_left(&host, image);
    assert_eq!(lines(&host.reports()), [""; 0]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_unload_ends_the_programs_first() {
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    let _ = host.take_prints();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| handle.control(WAIT, &[], 0));
        wait_for_lines(&host, 1);
        nothing_left(&host, image);
        assert_eq!(waiting.join().unwrap().unwrap().0, CANCELLED);
    });
    assert_eq!(
        handle.control(BUFFERED, b"a", 1),
        Err(RequestError::Removed)
    );
    assert_eq!(
        printed(&host),
        "waiting\nopened 1, cleaned up 1, closed 1\n"
    );
    assert_eq!(lines(&host.reports()), [""; 0]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_that_is_pending_at_the_unload_is_named() {
    for code in [FORGET, FORGET_DIRECT] {
        let host = host();
        let image = load(&host);
        let handle = open(&host);
        std::thread::scope(|scope| {
            let forgotten = scope.spawn(|| handle.control(code, &[], 8));
            // It has no cancel routine, so canceling it does nothing.
            while handle.cancel() == Ok(0) {
                std::thread::yield_now();
            }
            let unloaded = image.unload();
            assert_eq!(
                lines(&unloaded.reports),
                [format!(
                    "wdm.sys: has not completed a request with the control code {code:#010x}"
                )]
            );
            assert!(unloaded.unmapped);
            assert_eq!(forgotten.join().unwrap().unwrap().0, CANCELLED);
        });
        assert_eq!(host.pool_in_use(), 0);
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_a_driver_leaves_is_named_with_its_place() {
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    handle.control(LEAVE, &[], 0).unwrap();
    drop(handle);
    let unloaded = image.unload();
    let reports = unloaded.reports;
    let offsets: Vec<_> = reports
        .iter()
        .filter_map(|report| match report.fault {
            Fault::DeviceLeft { offset, .. } | Fault::LinkLeft { offset, .. } => offset,
            _ => None,
        })
        .collect();
    let [device, link] = offsets[..] else {
        panic!("{reports:?}")
    };
    assert_eq!(
        lines(&reports),
        [
            format!(
                "wdm.sys: unloaded with a device left: \\Device\\NmrWdm; call IoDeleteDevice for what \
                 IoCreateDevice made, at offset {device:#x} of the image"
            ),
            format!(
                "wdm.sys: unloaded with a symbolic link left: \\DosDevices\\NmrWdm; call \
                 IoDeleteSymbolicLink for what IoCreateSymbolicLink made, at offset {link:#x} of the image"
            ),
        ]
    );
    // As on Windows, the name is taken from now on.
    let error = host.load(fixture("wdm"), LoadOptions::default());
    assert_eq!(
        error.unwrap_err().to_string(),
        "DriverEntry returned 0xc0000035"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_that_is_completed_twice_stops_the_host() {
    let (answer, reports) = mistake(TWICE);
    assert!(matches!(answer, Err(RequestError::Stopped(_))));
    let expected = "wdm.sys: bug check 0x00000044 (0x";
    assert!(reports[0].starts_with(expected), "{reports:?}");
    let expected = ": MULTIPLE_IRP_COMPLETE_REQUESTS, at offset 0x";
    assert!(reports[0].contains(expected), "{reports:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_touch_of_a_completed_request_stops_the_host() {
    let (answer, reports) = mistake(TOUCH);
    assert!(matches!(answer, Err(RequestError::Stopped(_))));
    let expected = "wdm.sys: touched a request after completing it at address 0x";
    assert!(reports[0].starts_with(expected), "{reports:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_probe_of_the_kernels_memory_stops_the_host() {
    let (answer, reports) = mistake(PROBE);
    assert!(matches!(answer, Err(RequestError::Stopped(_))));
    let expected = "wdm.sys: ProbeForRead raised STATUS_ACCESS_VIOLATION for a buffer of the kernel at \
                    address 0xffff800000001000, at offset 0x";
    assert!(reports[0].starts_with(expected), "{reports:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_probe_of_a_buffer_that_is_not_aligned_stops_the_host() {
    let (answer, reports) = mistake(ALIGNMENT);
    assert!(matches!(answer, Err(RequestError::Stopped(_))));
    let expected =
        "wdm.sys: ProbeForWrite raised STATUS_DATATYPE_MISALIGNMENT at address 0x1001, at";
    assert!(reports[0].starts_with(expected), "{reports:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_call_of_the_middle_of_a_function_stops_the_host() {
    let (answer, reports) = mistake(MIDDLE);
    assert!(matches!(answer, Err(RequestError::Stopped(_))));
    let expected = "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE: wdm.sys+0x";
    assert!(reports[0].contains(expected), "{reports:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn an_answer_that_does_not_fit_is_reported() {
    let dispatch = "wdm.sys: the dispatch routine of IRP_MJ_DEVICE_CONTROL: returned";
    let complete = "wdm.sys: IofCompleteRequest: a request with the control code";
    for (code, status, expected) in [
        (
            UNMARKED,
            0,
            format!(
                "{dispatch} STATUS_PENDING for a request with the control code 0x00222048, which it has \
                 not marked pending"
            ),
        ),
        (
            LOST,
            0,
            format!(
                "{dispatch} 0x00000000 for a request with the control code 0x0022204c, which it has not \
                 completed"
            ),
        ),
        (
            DIFFERENT,
            0,
            format!(
                "{dispatch} 0xc0000001 for a request with the control code 0x00222058, which it has \
                 completed with 0x00000000"
            ),
        ),
        (
            MORE,
            0,
            format!(
                "{complete} 0x0022205c has room for 8 bytes of output and is completed with 100"
            ),
        ),
        (
            CANCELABLE,
            0,
            format!("{complete} 0x00222064 is completed with its cancel routine set"),
        ),
        (
            LOCKED,
            0,
            "wdm.sys: IoFreeMdl: the pages of the MDL are locked: call MmUnlockPages first"
                .to_owned(),
        ),
    ] {
        assert_eq!(mistake(code), (Ok(status), vec![expected]));
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_device_that_is_deleted_twice_is_reported_and_its_file_is_closed() {
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    assert_eq!(handle.control(DELETE, &[], 0).unwrap().0, 0);
    let [report] = &lines(&host.take_reports())[..] else {
        panic!("it does one thing wrong")
    };
    let expected = "is not a device object that the driver has made and not deleted";
    assert!(report.ends_with(expected), "{report}");
    assert!(host.find_device(r"\Device\NmrWdm").is_none());
    assert_eq!(handle.control(BUFFERED, b"ab", 2).unwrap().1, b"ba");
    drop(handle);
    assert_eq!(image.devices().len(), 0);
    std::mem::forget(image);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_cancel_routine_that_keeps_the_lock_is_reported() {
    let host = host();
    let image = load(&host);
    let handle = open(&host);
    let _ = host.take_prints();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| handle.control(HOLD_LOCK, &[], 0));
        wait_for_lines(&host, 1);
        assert_eq!(handle.cancel(), Ok(1));
        assert_eq!(waiting.join().unwrap().unwrap().0, CANCELLED);
    });
    assert_eq!(
        lines(&host.reports()),
        [
            "wdm.sys: the cancel routine: returned for a request with the control code 0x00222060 \
          without IoReleaseCancelSpinLock"
        ]
    );
    drop(handle);
    nothing_left(&host, image);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn it_loses_nothing_when_something_is_refused() {
    let bytes = std::fs::read(fixture("wdm")).unwrap();
    let scenario = Scenario::new(vec![("wdm.sys".to_owned(), bytes)]);
    let dry = scenario.run(&Trial::Dry);
    assert_eq!(dry.wrong(), [""; 0]);
    let trials = dry.trials();
    // Three devices, a link, and the unload.
    assert_eq!(trials.len(), 5);
    for trial in trials {
        assert_eq!(scenario.run(&trial).lost(&dry), [""; 0], "{trial:?}");
    }
}
