//! Requests, and what a driver can do with them.

use nmr::{Error, Guid, Result};
use nmr_driver::{Device, Driver, Request};

pub struct Answers;

impl Driver for Answers {
    fn load() -> Result<Self> {
        Ok(Self)
    }
}

/// The codes: `CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + n, METHOD_BUFFERED, FILE_ANY_ACCESS)`.
const fn code(n: u32) -> u32 {
    0x22 << 16 | (0x800 + n) << 2
}

/// Answers with the input.
const ECHO: u32 = code(0);
/// Answers with the lengths of input and space.
const LENGTHS: u32 = code(1);
/// Answers with 16 bytes.
const SIXTEEN: u32 = code(2);
/// Answers, and fails in spite of it.
const FAIL: u32 = code(3);
/// Succeeds without an answer.
const SILENCE: u32 = code(4);

impl Device for Answers {
    const INTERFACE: Guid = Guid::from_u128(0x5e1f_9c2a_0d47_4b83_8a6e_71c4_f0b3_92d8);

    fn control(&self, request: Request<'_>) -> Result {
        wdk::println!("{:#x}", request.code());
        match request.code() {
            ECHO => {
                let mut copy = [0; 64];
                let input = request.input();
                let copy = copy
                    .get_mut(..input.len())
                    .ok_or(Error::INVALID_PARAMETER)?;
                copy.copy_from_slice(input);
                request.reply(copy)
            }
            LENGTHS => {
                let lengths = [request.input().len(), request.space()];
                request.reply(&lengths.map(|length| length.to_le_bytes()[0]))
            }
            SIXTEEN => request.reply(&[0x55; 16]),
            FAIL => {
                request.reply(b"a secret")?;
                Err(Error::ACCESS_DENIED)
            }
            SILENCE => Ok(()),
            _ => Err(Error::INVALID_DEVICE_REQUEST),
        }
    }
}
