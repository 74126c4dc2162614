//! What `nmr-driver` makes of a driver: the drivers of cross/glue.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{code, fixture, host, lines, printed};
use driver_host::{Handle, Host, Image, LoadError, LoadOptions};
use nmr_sys::{GUID, NTSTATUS, STATUS_ACCESS_DENIED, STATUS_DEVICE_NOT_READY};

const INTERFACE: GUID = GUID::from_u128(0x5e1f_9c2a_0d47_4b83_8a6e_71c4_f0b3_92d8);

const STATUS_INVALID_DEVICE_REQUEST: NTSTATUS = 0xC000_0010_u32.cast_signed();
const STATUS_BUFFER_TOO_SMALL: NTSTATUS = 0xC000_0023_u32.cast_signed();

// The codes of cross/glue/src/answers.rs.
const ECHO: u32 = code(0);
const LENGTHS: u32 = code(1);
const SIXTEEN: u32 = code(2);
const FAIL: u32 = code(3);
const SILENCE: u32 = code(4);

fn load(host: &Host, name: &str) -> Result<Image, LoadError> {
    host.load(fixture(name), LoadOptions::default())
}

/// Runs a test with the device of `answers`, which leaves nothing.
fn on_device(test: impl Fn(&Host, &Handle)) {
    let host = host();
    let image = load(&host, "answers").unwrap();
    image.add_device().unwrap();
    let device = image.interfaces(INTERFACE).remove(0).open().unwrap();
    test(&host, &device);
    drop(device);
    nothing_left(&host, image);
}

/// Unloads a driver, and expects that it leaves nothing.
fn nothing_left(host: &Host, image: Image) {
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(unloaded.unmapped);
    assert_eq!(host.pool_in_use(), 0);
    assert_eq!(host.registrar().finish(), []);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_reply_has_the_bytes_that_were_written_and_no_others() {
    on_device(|_, device| {
        let ask = |code, input: &[u8], space| device.control(code, input, space).unwrap();
        assert_eq!(ask(ECHO, b"hello", 5), (0, b"hello".to_vec()));
        assert_eq!(ask(ECHO, b"hello", 500), (0, b"hello".to_vec()));
        assert_eq!(ask(SIXTEEN, b"", 16), (0, vec![0x55; 16]));
        assert_eq!(ask(SIXTEEN, &[1; 100], 17), (0, vec![0x55; 16]));
        assert_eq!(ask(SILENCE, b"hello", 500), (0, vec![]));
    });
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn input_and_space_may_be_of_any_length_or_none() {
    on_device(|_, device| {
        let ask = |code, input: &[u8], space| device.control(code, input, space).unwrap();
        for (input, space) in [(0, 2), (1, 2), (2, 2), (7, 2), (7, 200), (200, 7)] {
            let lengths = [input, space].map(|length| u8::try_from(length).unwrap());
            let answer = ask(LENGTHS, &vec![9; input], space);
            assert_eq!(answer, (0, lengths.to_vec()), "{input} and {space}");
        }
        assert_eq!(ask(ECHO, b"", 5), (0, vec![]));
        assert_eq!(ask(ECHO, b"", 0), (0, vec![]));
        assert_eq!(ask(SILENCE, b"", 0), (0, vec![]));
        assert_eq!(ask(SILENCE, b"hello", 0), (0, vec![]));
    });
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_that_fails_gets_its_status_and_no_bytes() {
    on_device(|_, device| {
        let ask = |code, input: &[u8], space| device.control(code, input, space).unwrap();
        for (code, input, space) in [
            (ECHO, 5, 4),
            (ECHO, 5, 0),
            (SIXTEEN, 0, 15),
            (SIXTEEN, 20, 0),
        ] {
            let answer = ask(code, &vec![9; input], space);
            assert_eq!(answer, (STATUS_BUFFER_TOO_SMALL, vec![]));
        }
        // Although it has written a reply.
        assert_eq!(ask(FAIL, b"", 8), (STATUS_ACCESS_DENIED, vec![]));
        assert_eq!(
            ask(code(5), b"", 8),
            (STATUS_INVALID_DEVICE_REQUEST, vec![])
        );
    });
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_request_that_is_not_buffered_does_not_reach_the_driver() {
    on_device(|host, device| {
        for method in 1..=3 {
            let (status, bytes) = device.control(ECHO | method, b"hello", 5).unwrap();
            assert_eq!((status, bytes), (STATUS_INVALID_DEVICE_REQUEST, vec![]));
        }
        assert_eq!(printed(host), "");
        device.control(ECHO, b"hello", 5).unwrap();
        assert_eq!(printed(host), "0x222000\n");
    });
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_without_requests_has_a_device_without_an_interface() {
    let host = host();
    let image = load(&host, "bare").unwrap();
    image.add_device().unwrap();
    assert!(image.interfaces(INTERFACE).is_empty());
    nothing_left(&host, image);
    assert_eq!(printed(&host), "loaded\ndropped\n");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_that_does_not_load_leaves_nothing() {
    let host = host();
    let error = load(&host, "fails").unwrap_err();
    let LoadError::Entry { status, reports } = error else {
        panic!("{error}")
    };
    assert_eq!(status, STATUS_DEVICE_NOT_READY);
    assert_eq!((lines(&reports), host.pool_in_use()), (vec![], 0));
    assert_eq!(host.registrar().finish(), []);
}

/// `nmr::registrations` counts them, and the driver does not go on.
#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_that_forgets_a_registration_stops_the_system() {
    let expected = "bug check 0x000000ce (0x1, 0x0, 0x0, 0x0): \
                    DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS";
    let unloaded = load(&host(), "forgotten").unwrap().unload();
    let reports = lines(&unloaded.reports);
    assert!(
        reports.iter().any(|line| line.contains(expected)),
        "{reports:#?}"
    );
    let host = host();
    let error = load(&host, "abandons").unwrap_err();
    assert!(matches!(error, LoadError::Stopped(_)), "{error}");
    let reports = lines(&host.reports()).join("\n");
    assert!(reports.contains(expected), "{reports}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_panic_is_reported_with_its_place() {
    let host = host();
    let error = load(&host, "panics").unwrap_err();
    assert!(matches!(error, LoadError::Stopped(_)), "{error}");
    let reports = lines(&host.reports()).join("\n");
    assert!(reports.contains("panics.sys: panic at "), "{reports}");
    assert!(reports.contains("src/panics.rs:10:9"), "{reports}");
}
