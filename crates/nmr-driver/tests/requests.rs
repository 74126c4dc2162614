//! Requests without an image: what a driver sees of them, and what the program gets.

use std::sync::atomic::{AtomicUsize, Ordering};

use nmr::{Error, Guid, Result};
use nmr_driver::{Device, Driver, Request, device_io_control};

/// Counts the requests that reach it, and has one for each control code.
struct Counts(AtomicUsize);

impl Driver for Counts {
    fn load() -> Result<Self> {
        Ok(Self(AtomicUsize::new(0)))
    }
}

const fn code(n: u32) -> u32 {
    0x22 << 16 | n << 2
}

const LENGTHS: u32 = code(0);
const FAIL: u32 = code(1);
const SILENCE: u32 = code(2);
const EIGHT: u32 = code(3);

impl Device for Counts {
    const INTERFACE: Guid = Guid::from_u128(0x47c0_5b1e_92d3_4f6a_8e08_b1d7_3c95_60fa);

    fn control(&self, request: Request<'_>) -> Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        match request.code() {
            LENGTHS => {
                let lengths = [request.input().len(), request.space()];
                request.reply(&lengths.map(|length| u8::try_from(length).unwrap()))
            }
            FAIL => {
                request.reply(b"a secret")?;
                Err(Error::ACCESS_DENIED)
            }
            SILENCE => Ok(()),
            EIGHT => {
                request.require_space(8)?;
                request.reply(&[7; 8])
            }
            _ => Err(Error::INVALID_DEVICE_REQUEST),
        }
    }
}

#[test]
fn any_length_will_do_and_none() {
    let device = Counts::load().unwrap();
    for (input, space) in [(0, 2), (1, 2), (2, 2), (9, 2), (9, 200), (200, 9)] {
        let mut output = vec![0xff; space];
        let size = device_io_control(&device, LENGTHS, &vec![1; input], &mut output);
        assert_eq!(size, Ok(2));
        assert_eq!(
            output[..2],
            [input, space].map(|length| u8::try_from(length).unwrap())
        );
        assert!(output[2..].iter().all(|&byte| byte == 0xff));
    }
    assert_eq!(device_io_control(&device, SILENCE, &[], &mut []), Ok(0));
    assert_eq!(
        device_io_control(&device, SILENCE, b"input", &mut []),
        Ok(0)
    );
}

#[test]
fn a_request_that_fails_has_no_bytes() {
    let device = Counts::load().unwrap();
    let mut output = [0; 8];
    let failed = device_io_control(&device, FAIL, &[], &mut output);
    assert_eq!((failed, output), (Err(Error::ACCESS_DENIED), [0; 8]));
    for space in [0, 7] {
        let failed = device_io_control(&device, EIGHT, &[1; 20], &mut output[..space]);
        assert_eq!(failed, Err(Error::BUFFER_TOO_SMALL));
        let failed = device_io_control(&device, FAIL, &[], &mut output[..space]);
        assert_eq!(failed, Err(Error::BUFFER_TOO_SMALL));
    }
    let unknown = device_io_control(&device, code(9), &[], &mut output);
    assert_eq!(unknown, Err(Error::INVALID_DEVICE_REQUEST));
    assert_eq!(output, [0; 8]);
}

#[test]
fn only_buffered_requests_reach_the_device() {
    let device = Counts::load().unwrap();
    for method in 1..=3 {
        let refused = device_io_control(&device, SILENCE | method, &[], &mut []);
        assert_eq!(refused, Err(Error::INVALID_DEVICE_REQUEST));
    }
    assert_eq!(device.0.load(Ordering::Relaxed), 0);
}

#[test]
fn a_request_shows_its_input_and_not_the_rest_of_its_buffer() {
    struct Shows;
    impl Driver for Shows {
        fn load() -> Result<Self> {
            Ok(Self)
        }
    }
    impl Device for Shows {
        const INTERFACE: Guid = Guid::from_u128(1);
        fn control(&self, request: Request<'_>) -> Result {
            let text = format!("{request:?}");
            assert_eq!(
                text,
                "Request { code: 0x00220008, input: [1, 2], space: 4, .. }"
            );
            Ok(())
        }
    }
    let shows = Shows::load().unwrap();
    assert_eq!(
        device_io_control(&shows, SILENCE, &[1, 2], &mut [0; 4]),
        Ok(0)
    );
}
