//! The buffers of a request, as its method brings them to the driver.

use std::io;
use std::sync::Arc;

use super::buffer::{Buffer, FRESH_BYTE};
use super::device_object::{BUFFERED_IO, DIRECT_IO, DeviceObject};
use super::loaded::Loaded;
use super::mdl;

/// How the buffers of a request reach the driver: by the two lowest bits of a control code, or for reads and writes
/// by the flags of the device object.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    #[default]
    Buffered,
    Direct,
    Neither,
}

impl Method {
    fn of(code: u32) -> Self {
        match code & 3 {
            0 => Self::Buffered,
            1 | 2 => Self::Direct,
            _ => Self::Neither,
        }
    }

    /// The method of reads and writes.
    fn of_device(device: &DeviceObject) -> Self {
        match device.flags() {
            flags if flags & BUFFERED_IO != 0 => Self::Buffered,
            flags if flags & DIRECT_IO != 0 => Self::Direct,
            _ => Self::Neither,
        }
    }
}

/// The buffers of a request, of which the method of its code says which there are.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// `AssociatedIrp.SystemBuffer`.
    pub(crate) system: Option<Buffer>,
    /// `Type3InputBuffer`: the program's own.
    pub(crate) input: Option<Buffer>,
    /// `UserBuffer`: the program's own.
    pub(crate) output: Option<Buffer>,
    /// The address of the MDL of the output.
    pub(crate) mdl: usize,
    /// How the driver gets them.
    pub(crate) method: Method,
}

impl Buffers {
    /// Those of a control request with an input, and with an output buffer that has this content.
    pub(crate) fn of_control(
        image: &Arc<Loaded>,
        code: u32,
        input: &[u8],
        output: &[u8],
    ) -> io::Result<Self> {
        const OUT_DIRECT: u32 = 2;
        let written = code & 3 == OUT_DIRECT;
        Self::new(image, Method::of(code), written, input, output)
    }

    /// Those of a request to read so many bytes of a device.
    pub(crate) fn of_read(
        image: &Arc<Loaded>,
        device: &DeviceObject,
        length: usize,
    ) -> io::Result<Self> {
        let room = vec![FRESH_BYTE; length];
        Self::new(image, Method::of_device(device), true, &[], &room)
    }

    /// Those of a request to write the bytes to a device.
    pub(crate) fn of_write(
        image: &Arc<Loaded>,
        device: &DeviceObject,
        bytes: &[u8],
    ) -> io::Result<Self> {
        let (method, empty) = (Method::of_device(device), [].as_slice());
        let (input, output) = match method {
            Method::Buffered => (bytes, empty),
            Method::Direct | Method::Neither => (empty, bytes),
        };
        Self::new(image, method, false, input, output)
    }

    /// The buffers of a request, by its method. A direct one has an MDL for the output buffer, which says whether the
    /// driver writes there.
    fn new(
        image: &Arc<Loaded>,
        method: Method,
        written: bool,
        input: &[u8],
        output: &[u8],
    ) -> io::Result<Self> {
        let own = |bytes: &[u8]| match bytes {
            [] => Ok(None),
            bytes => Buffer::new(bytes, bytes.len()).map(Some),
        };
        let mut buffers = Self {
            method,
            ..Self::default()
        };
        match method {
            Method::Buffered if input.is_empty() && output.is_empty() => {}
            Method::Buffered => buffers.system = Some(Buffer::new(input, output.len())?),
            Method::Direct => {
                buffers.system = own(input)?;
                buffers.output = own(output)?;
            }
            Method::Neither => {
                buffers.input = own(input)?;
                buffers.output = own(output)?;
            }
        }
        if let (Method::Direct, Some(output)) = (method, &buffers.output) {
            let write = if written { mdl::WRITE } else { 0 };
            let start = output.address().expose_provenance();
            let mdl = mdl::allocate(image, start, output.length(), mdl::LOCKED | write);
            if mdl.is_null() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            buffers.mdl = mdl.expose_provenance();
        }
        Ok(buffers)
    }

    /// Takes the buffers away. Returns what the program gets, of which the driver says that `length` bytes are
    /// written, and whether nothing was written around the buffers.
    pub(crate) fn take(self, length: usize) -> (Vec<u8>, bool) {
        let take = |buffer: Option<Buffer>, length| {
            buffer.map_or((Vec::new(), true), |buffer| buffer.take(length))
        };
        let (copied, first) = take(self.system, length);
        let (_, second) = take(self.input, 0);
        let (written, third) = take(self.output, usize::MAX);
        let bytes = match self.method {
            Method::Buffered => copied,
            Method::Direct | Method::Neither => written,
        };
        (bytes, first && second && third)
    }
}
