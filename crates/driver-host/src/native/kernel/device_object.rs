//! `DEVICE_OBJECT`: what drivers see of a device, with the device extension that they asked for behind it.

use std::io;

use super::nt::DRIVER_OBJECT;
use super::structure::Structure;

/// `DEVICE_OBJECT`, as far as this crate names it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct DEVICE_OBJECT {
    _kind: i16,
}

/// How large a `DEVICE_OBJECT` is, and the offsets of its fields.
const SIZE: usize = 0x150;
const KIND: usize = 0x00;
const WHOLE_SIZE: usize = 0x02;
const DRIVER: usize = 0x08;
const NEXT: usize = 0x10;
const FLAGS: usize = 0x30;
const CHARACTERISTICS: usize = 0x34;
const EXTENSION: usize = 0x40;
const DEVICE_TYPE: usize = 0x48;
const STACK_SIZE: usize = 0x4c;

const IO_TYPE_DEVICE: u16 = 3;
/// `DO_DEVICE_INITIALIZING`: nothing can be opened yet.
pub(crate) const INITIALIZING: u32 = 0x80;
/// `DO_BUFFERED_IO` and `DO_DIRECT_IO`: the method of reads and writes.
pub(crate) const BUFFERED_IO: u32 = 0x04;
pub(crate) const DIRECT_IO: u32 = 0x10;
/// `DO_EXCLUSIVE`.
pub(crate) const EXCLUSIVE: u32 = 0x08;

/// A device object at an address that stays.
#[derive(Debug)]
pub(crate) struct DeviceObject(Structure);

impl DeviceObject {
    /// Makes a device object that is still initializing, with an extension of zeros.
    pub(crate) fn new(
        driver: *mut DRIVER_OBJECT,
        extension: usize,
        device_type: u32,
        characteristics: u32,
        flags: u32,
    ) -> io::Result<Self> {
        let whole = SIZE.saturating_add(extension);
        let touch = "touched a device object or its extension after deleting it";
        let object = Structure::new(whole, touch)?;
        object.set(KIND, IO_TYPE_DEVICE);
        object.set(WHOLE_SIZE, u16::try_from(whole).unwrap_or(u16::MAX));
        object.set(DRIVER, driver.expose_provenance());
        object.set(FLAGS, flags | INITIALIZING);
        object.set(CHARACTERISTICS, characteristics);
        if extension != 0 {
            object.set(EXTENSION, object.address() + SIZE);
        }
        object.set(DEVICE_TYPE, device_type);
        object.set(STACK_SIZE, 1_u8);
        Ok(Self(object))
    }

    /// The pointer that the driver gets.
    pub(crate) fn address(&self) -> *mut DEVICE_OBJECT {
        std::ptr::with_exposed_provenance_mut(self.0.address())
    }

    /// Its flags, as they are now.
    pub(crate) fn flags(&self) -> u32 {
        self.0.get(FLAGS)
    }

    /// Says that the device can be opened.
    pub(crate) fn finish_initializing(&self) {
        self.0.set(FLAGS, self.flags() & !INITIALIZING);
    }

    /// Sets the next device object of the driver.
    pub(crate) fn set_next(&self, next: *mut DEVICE_OBJECT) {
        self.0.set(NEXT, next.expose_provenance());
    }
}
