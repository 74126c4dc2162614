//! Requests of programs to real images: those that are handled as they should be, and each way in
//! which they are not.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{code, fixture, host, lines, printed};
use driver_host::{Fault, Handle, Host, Image, LoadOptions, RequestError};
use nmr_host::Policy;
use nmr_sys::{GUID, NTSTATUS};

const INTERFACE: GUID = GUID::from_u128(0xa3c1_7d52_6b0e_4f19_9a47_d08e_31b5_c26f);

const STATUS_BUFFER_OVERFLOW: NTSTATUS = 0x8000_0005_u32.cast_signed();
const STATUS_UNSUCCESSFUL: NTSTATUS = 0xC000_0001_u32.cast_signed();
const STATUS_INVALID_DEVICE_REQUEST: NTSTATUS = 0xC000_0010_u32.cast_signed();
const STATUS_BUFFER_TOO_SMALL: NTSTATUS = 0xC000_0023_u32.cast_signed();
const STATUS_CANCELLED: NTSTATUS = 0xC000_0120_u32.cast_signed();

// The codes of cross/fixtures/src/echo.rs.
const ECHO: u32 = code(0);
const WARN: u32 = code(1);
const FAIL: u32 = code(2);
const PEND: u32 = code(3);
const RELEASE: u32 = code(4);
const LOOK: u32 = code(5);
const MEET: u32 = code(6);
const SHORT: u32 = code(7);

/// Loads a fixture with a device.
fn load(host: &Host, name: &str) -> Image {
    let image = host.load(fixture(name), LoadOptions::default()).unwrap();
    image.add_device().unwrap();
    image
}

/// Opens the device.
fn open(image: &Image) -> Handle {
    let interfaces = image.interfaces(INTERFACE);
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0].reference(), None);
    interfaces[0].open().unwrap()
}

type Answer = Result<(NTSTATUS, Vec<u8>), RequestError>;

/// Sends one request to a fixture, unloads it, and returns the answer and all reports.
fn one(name: &str) -> (Answer, Vec<String>) {
    let host = host();
    let image = load(&host, name);
    let answer = open(&image).control(ECHO, &[7; 8], 8);
    drop(image);
    (answer, lines(&host.reports()))
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn requests_are_answered_as_the_driver_says() {
    let host = host();
    let image = load(&host, "echo");
    assert_eq!(image.interfaces(GUID::from_u128(1)).len(), 0);
    let handle = open(&image);
    let ask = |code, input: &[u8], output| handle.control(code, input, output).unwrap();
    let none = Vec::new();
    assert_eq!(ask(ECHO, b"hello", 5), (0, b"hello".to_vec()));
    assert_eq!(ask(ECHO, b"hello", 2), (0, b"he".to_vec()));
    assert_eq!(ask(ECHO, b"hello", 500), (0, b"hello".to_vec()));
    assert_eq!(ask(ECHO, b"", 5), (STATUS_BUFFER_TOO_SMALL, none.clone()));
    assert_eq!(
        ask(ECHO, b"hello", 0),
        (STATUS_BUFFER_TOO_SMALL, none.clone())
    );
    assert_eq!(ask(ECHO, b"", 0), (STATUS_BUFFER_TOO_SMALL, none.clone()));
    assert_eq!(
        ask(WARN, b"hello", 5),
        (STATUS_BUFFER_OVERFLOW, b"hello".to_vec()),
        "a warning has output"
    );
    assert_eq!(
        ask(FAIL, b"hello", 5),
        (STATUS_UNSUCCESSFUL, none.clone()),
        "an error has none, whatever the driver says"
    );
    assert_eq!(ask(SHORT, &[0; 7], 8).0, STATUS_BUFFER_TOO_SMALL);
    assert_eq!(ask(SHORT, &[0; 8], 7).0, STATUS_BUFFER_TOO_SMALL);
    assert_eq!(ask(SHORT, &[0; 8], 8), (0, none.clone()));
    assert_eq!(
        ask(code(77), b"hello", 5),
        (STATUS_INVALID_DEVICE_REQUEST, none.clone())
    );
    assert_eq!(
        ask(ECHO | 3, b"hello", 5),
        (STATUS_INVALID_DEVICE_REQUEST, none),
        "this driver knows METHOD_BUFFERED only"
    );
    assert_eq!(ask(LOOK, &[0; 3], 9), (0, vec![1]));
    let large = vec![3; 100_000];
    assert_eq!(ask(ECHO, &large, 100_000), (0, large));
    drop(handle);
    let unloaded = image.unload();
    assert!(unloaded.unmapped);
    assert_eq!(lines(&host.reports()), [""; 0]);
    assert_eq!(printed(&host), "create\ncleanup\nclose\n");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_parallel_queue_presents_requests_at_once_and_a_sequential_one_does_not() {
    for (name, patience, met) in [("echo", 60_000_u16, 2_u32), ("sequential", 20, 1)] {
        let host = host();
        let image = load(&host, name);
        let handle = open(&image);
        let ask = || handle.control(MEET, &patience.to_le_bytes(), 4).unwrap();
        let answers = thread::scope(|scope| {
            let threads = [scope.spawn(ask), scope.spawn(ask)];
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(answers.map(|(_, output)| output), [met.to_le_bytes(); 2]);
        drop(handle);
        assert_eq!(lines(&image.unload().reports), [""; 0]);
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_waits_for_another_one() {
    let host = host();
    let image = load(&host, "echo");
    let handle = open(&image);
    thread::scope(|scope| {
        let pending = scope.spawn(|| handle.control(PEND, &[], 0));
        wait_for_print(&host, "pending\n");
        assert_eq!(handle.control(ECHO, &[5], 1), Ok((0, vec![5])));
        assert_eq!(handle.control(RELEASE, &[], 0), Ok((0, vec![])));
        assert_eq!(pending.join().unwrap(), Ok((0, vec![])));
    });
    drop(handle);
    assert_eq!(lines(&image.unload().reports), [""; 0]);
}

fn wait_for_print(host: &Host, text: &str) {
    while !printed(host).contains(text) {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_that_pends_is_canceled_by_the_removal_of_the_device() {
    let host = host();
    let image = load(&host, "echo");
    let handle = open(&image);
    thread::scope(|scope| {
        let pending = scope.spawn(|| handle.control(PEND, &[], 0));
        wait_for_print(&host, "pending\n");
        let unloaded = image.unload();
        assert_eq!(lines(&unloaded.reports), [""; 0]);
        assert!(unloaded.unmapped);
        assert_eq!(pending.join().unwrap(), Ok((STATUS_CANCELLED, vec![])));
    });
    assert_eq!(handle.control(ECHO, &[1], 1), Err(RequestError::Removed));
    drop(handle);
    assert_eq!(printed(&host), "create\npending\ncleanup\nclose\n");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_program_cancels_what_the_driver_has_and_what_waits_behind_it() {
    let host = host();
    let image = load(&host, "sequential");
    let handle = open(&image);
    assert_eq!(handle.cancel(), Ok(0));
    assert_eq!(
        handle.read(0, 1),
        Ok((STATUS_INVALID_DEVICE_REQUEST, vec![]))
    );
    assert_eq!(
        handle.write(0, &[1]),
        Ok((STATUS_INVALID_DEVICE_REQUEST, 0))
    );
    thread::scope(|scope| {
        let pend = || handle.control(PEND, &[], 0);
        let pending = [scope.spawn(pend), scope.spawn(pend)];
        wait_for_print(&host, "pending\n");
        let mut canceled = 0;
        while canceled < 2 {
            canceled += handle.cancel().unwrap();
        }
        for pending in pending {
            assert_eq!(pending.join().unwrap(), Ok((STATUS_CANCELLED, vec![])));
        }
    });
    assert_eq!(handle.control(ECHO, &[1], 1), Ok((0, vec![1])));
    drop(handle);
    assert_eq!(lines(&image.unload().reports), [""; 0]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_is_told_of_the_requests_that_it_has_when_its_queue_stops() {
    let host = host();
    let image = load(&host, "stops");
    let handle = open(&image);
    thread::scope(|scope| {
        let pending = scope.spawn(|| handle.control(PEND, &[], 0));
        wait_for_print(&host, "pending\n");
        let unloaded = image.unload();
        assert_eq!(lines(&unloaded.reports), [""; 0]);
        assert!(unloaded.unmapped);
        assert_eq!(pending.join().unwrap(), Ok((STATUS_CANCELLED, vec![])));
    });
    assert_eq!(
        printed(&host),
        "create\npending\nstop 2\ncleanup\nclose\n",
        "the requests of a power-managed queue end before the device's work"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn requests_during_the_unload_complete_or_fail_cleanly() {
    for _ in 0..20 {
        let host = host();
        let image = load(&host, "echo");
        let interface = image.interfaces(INTERFACE).remove(0);
        let handle = Arc::new(interface.open().unwrap());
        thread::scope(|scope| {
            for _ in 0..3 {
                let (handle, interface) = (Arc::clone(&handle), interface.clone());
                scope.spawn(move || {
                    loop {
                        match handle.control(ECHO, b"during", 6) {
                            Ok(answer) => assert_eq!(answer, (0, b"during".to_vec())),
                            Err(error) => break assert_eq!(error, RequestError::Removed),
                        }
                        if let Err(error) = interface.open() {
                            break assert_eq!(error, RequestError::Removed);
                        }
                    }
                });
            }
            let unloaded = image.unload();
            assert_eq!(lines(&unloaded.reports), [""; 0]);
            assert!(unloaded.unmapped);
        });
        let printed = printed(&host);
        let count = |text: &str| printed.matches(text).count();
        assert_eq!(count("create\n"), count("cleanup\n"));
        assert_eq!(count("create\n"), count("close\n"));
        assert_eq!(host.pool_in_use(), 0);
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_that_is_completed_twice_is_reported() {
    let (answer, reports) = one("twice");
    assert!(
        matches!(answer, Err(RequestError::Stopped(_))),
        "{answer:?}"
    );
    let expected = "twice.sys: bug check 0x0000010d (0x0, 0x0, 0x0, 0x0): \
                    WDF_VIOLATION in WdfRequestCompleteWithInformation: the request 0x";
    assert!(reports[0].starts_with(expected), "{reports:?}");
    assert!(
        reports[0].contains(" is completed already, at offset "),
        "{reports:?}"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_that_is_never_completed_is_named() {
    let expected = [
        "never.sys: a device control request does not return",
        "never.sys: has not completed a request with the control code 0x00222000",
    ];
    let host = Host::with_patience(Policy::default(), Some(Duration::from_millis(200)));
    let image = load(&host, "never");
    let answer = open(&image).control(ECHO, &[7; 8], 8);
    assert!(
        matches!(answer, Err(RequestError::Stopped(_))),
        "{answer:?}"
    );
    assert_eq!(lines(&host.reports()), expected);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn more_information_than_there_is_room_for_is_reported() {
    let (answer, reports) = one("more");
    assert_eq!(answer, Ok((0, vec![7; 8])), "never more than was asked for");
    assert_eq!(
        reports,
        [
            "more.sys: WdfRequestCompleteWithInformation: a request with the control code \
             0x00222000 has room for 8 bytes of output and is completed with 9"
        ]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_write_behind_a_buffer_is_reported() {
    let (answer, reports) = one("behind");
    assert_eq!(answer, Ok((0, vec![7; 8])));
    assert_eq!(
        reports,
        [
            "behind.sys: WdfRequestCompleteWithInformation: the driver wrote outside of the buffer \
             of a request with the control code 0x00222000"
        ]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_buffer_that_is_touched_after_its_request_is_completed_is_reported() {
    let host = host();
    let image = load(&host, "after");
    let handle = open(&image);
    // The request is completed, so the program goes on, while the driver does what it must not.
    let _either = handle.control(ECHO, &[7; 8], 8);
    let error = loop {
        match handle.control(ECHO, &[7; 8], 8) {
            Err(error) => break error,
            Ok(answer) => assert_eq!(answer, (0, vec![7; 8])),
        }
    };
    let RequestError::Stopped(stopped) = error else {
        panic!("{error}")
    };
    assert!(matches!(stopped.0.fault, Fault::Exception { .. }));
    let expected = "after.sys: touched the buffer of a request after completing it at address 0x";
    assert!(lines(&host.reports())[0].starts_with(expected), "{stopped}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn random_requests_are_answered_within_what_was_asked_for() {
    let seed = 0x10c7;
    println!("seed {seed:#x}");
    let host = host();
    let image = load(&host, "echo");
    let handle = open(&image);
    thread::scope(|scope| {
        for number in 0..3 {
            let handle = &handle;
            let mut random = fastrand::Rng::with_seed(seed + number);
            scope.spawn(move || {
                for _ in 0..3_000 {
                    let code = match random.u8(..8) {
                        0 => random.u32(..),
                        1 => FAIL,
                        2 => WARN,
                        3 => SHORT,
                        _ => ECHO,
                    };
                    if [PEND, RELEASE, MEET, LOOK].contains(&code) {
                        continue;
                    }
                    let input: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
                    let room = random.usize(..40);
                    let (status, output) = handle.control(code, &input, room).unwrap();
                    let expected = match code {
                        ECHO | WARN if !input.is_empty() => &input[..room.min(input.len())],
                        _ => &[],
                    };
                    assert_eq!(output, expected, "{code:#x}: {status:#x}");
                }
            });
        }
    });
    drop(handle);
    assert_eq!(lines(&image.unload().reports), [""; 0]);
    assert_eq!(lines(&host.reports()), [""; 0]);
    assert_eq!(host.pool_in_use(), 0);
}
