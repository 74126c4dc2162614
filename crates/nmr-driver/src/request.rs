//! [`Request`]: a control request of a program.
// UNSAFETY: a part of the buffer is initialized, and the type of its bytes does not say so.
#![expect(unsafe_code)]

use core::cell::Cell;
use core::fmt;
use core::mem::MaybeUninit;
use core::slice;

use alloc::vec::Vec;

use nmr::{Error, Result};

use crate::device::Device;

/// The bits of a control code that say how its memory is passed, and their value for `METHOD_BUFFERED`.
const METHOD: u32 = 3;
const METHOD_BUFFERED: u32 = 0;

/// A control request (`IOCTL`) whose code is of the kind `METHOD_BUFFERED`: the I/O manager has copied the
/// program's input into one buffer and copies the reply out of it, so no pointer of the program gets here.
///
/// Because input and reply are the same memory, the input is borrowed from the request and the reply takes
/// the request: what is wanted of the input is copied or is done with before the reply is written.
///
/// ```
/// use nmr::{Error, Result};
/// use nmr_driver::Request;
///
/// const DOUBLE: u32 = 0x0022_2000;
///
/// fn double(request: Request<'_>) -> Result {
///     let Ok(number) = request.input().try_into().map(u32::from_le_bytes) else {
///         return Err(Error::INVALID_PARAMETER);
///     };
///     request.reply(&number.wrapping_mul(2).to_le_bytes())
/// }
/// ```
///
/// ```compile_fail,E0505
/// # use nmr_driver::Request;
/// fn echo(request: Request<'_>) -> nmr::Result {
///     let input = request.input();
///     request.reply(input)
/// }
/// ```
///
/// # Invariants
///
/// The first `input` bytes of the buffer are initialized, and it has at least `space` bytes.
pub struct Request<'a> {
    code: u32,
    buffer: &'a mut [MaybeUninit<u8>],
    input: usize,
    space: usize,
    replied: &'a Cell<usize>,
}

impl Request<'_> {
    /// The control code. It is of the kind `METHOD_BUFFERED`: the glue refuses others.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// The bytes that the program sent.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        let start = self.buffer.as_ptr().cast();
        // SAFETY: the first `input` bytes are in the buffer and initialized, by the invariant.
        unsafe { slice::from_raw_parts(start, self.input) }
    }

    /// How many bytes the program has space for.
    #[must_use]
    pub fn space(&self) -> usize {
        self.space
    }

    /// Fails with [`Error::BUFFER_TOO_SMALL`] if the program has no space for so many bytes. A request that
    /// changes something looks first, so that nothing happens whose result cannot be reported.
    pub fn require_space(&self, size: usize) -> Result {
        if size > self.space {
            return Err(Error::BUFFER_TOO_SMALL);
        }
        Ok(())
    }

    /// Writes the reply: the program gets these bytes if [`control`](Device::control) returns `Ok`.
    ///
    /// Fails with [`Error::BUFFER_TOO_SMALL`] if the program has no space for them.
    // Inlined, it becomes as much code as a reply has bytes.
    #[inline(never)]
    pub fn reply(self, bytes: &[u8]) -> Result {
        self.require_space(bytes.len())?;
        for (to, byte) in self.buffer.iter_mut().zip(bytes) {
            to.write(*byte);
        }
        self.replied.set(bytes.len());
        Ok(())
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("code", &format_args!("{:#010x}", self.code))
            .field("input", &self.input())
            .field("space", &self.space)
            .finish_non_exhaustive()
    }
}

/// Fails with [`Error::INVALID_DEVICE_REQUEST`] if a code is not of the kind `METHOD_BUFFERED`.
pub(crate) fn require_buffered(code: u32) -> Result {
    if code & METHOD != METHOD_BUFFERED {
        return Err(Error::INVALID_DEVICE_REQUEST);
    }
    Ok(())
}

/// Lets a device answer a request, and returns how many bytes of the buffer are the reply.
///
/// # Safety
///
/// * The first `input` bytes of the buffer are initialized.
/// * The buffer has `input` bytes at least, and `space`.
pub(crate) unsafe fn answer<D: Device>(
    device: &D,
    code: u32,
    buffer: &mut [MaybeUninit<u8>],
    input: usize,
    space: usize,
) -> Result<usize> {
    let replied = Cell::new(0);
    // INVARIANT: the requirements of this function.
    device.control(Request {
        code,
        buffer,
        input,
        space,
        replied: &replied,
    })?;
    Ok(replied.get())
}

/// Sends a request to a device as the glue does: what `DeviceIoControl` is for a program. For tests of a
/// driver's [`Device::control`] without an image.
///
/// Returns how many bytes of `output` the reply has; the others stay as they are. Fails with what the
/// device answers, and with [`Error::INVALID_DEVICE_REQUEST`] if the code is not of the kind
/// `METHOD_BUFFERED`.
///
/// ```
/// # use nmr::{Error, Guid, Result};
/// use nmr_driver::{Device, Driver, Request, device_io_control};
///
/// struct Echo;
///
/// impl Driver for Echo {
///     fn load() -> Result<Self> {
///         Ok(Self)
///     }
/// }
///
/// impl Device for Echo {
///     const INTERFACE: Guid = Guid::from_u128(0x8d0d3f8c_52b0_4f8e_a1a5_4f6a5d1c7e10);
///
///     fn control(&self, request: Request<'_>) -> Result {
///         let byte = *request.input().first().ok_or(Error::INVALID_PARAMETER)?;
///         request.reply(&[byte])
///     }
/// }
///
/// # fn main() -> Result {
/// let mut output = [0; 4];
/// let size = device_io_control(&Echo::load()?, 0x0022_2000, b"!", &mut output)?;
/// assert_eq!((size, output), (1, *b"!\0\0\0"));
/// # Ok(())
/// # }
/// ```
pub fn device_io_control<D: Device>(
    device: &D,
    code: u32,
    input: &[u8],
    output: &mut [u8],
) -> Result<usize> {
    require_buffered(code)?;
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(input.len().max(output.len()))
        .map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
    buffer.extend(input.iter().copied().map(MaybeUninit::new));
    buffer.resize(input.len().max(output.len()), MaybeUninit::uninit());
    // SAFETY: the buffer begins with the input, and is as long as the longer of the two.
    let size = unsafe { answer(device, code, &mut buffer, input.len(), output.len()) }?;
    for (to, byte) in output.iter_mut().zip(&buffer[..size]) {
        // SAFETY: the bytes of a reply are initialized: `Request::reply` has written them.
        *to = unsafe { byte.assume_init() };
    }
    Ok(size)
}
