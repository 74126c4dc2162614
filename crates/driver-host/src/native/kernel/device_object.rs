//! `DEVICE_OBJECT`: what drivers see of a device, with the memory behind it that they asked for.
// UNSAFETY: drivers read and write it through pointers.
#![expect(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

use super::nt::DRIVER_OBJECT;

/// The beginning of `DEVICE_OBJECT`, as large as the whole.
#[repr(C, align(16))]
#[derive(Debug)]
pub(crate) struct DEVICE_OBJECT {
    kind: i16,
    size: u16,
    references: i32,
    driver: *mut DRIVER_OBJECT,
    pub(crate) next: *mut Self,
    pub(crate) attached: *mut Self,
    current_irp: *mut c_void,
    timer: *mut c_void,
    pub(crate) flags: u32,
    characteristics: u32,
    vpb: *mut c_void,
    extension: *mut c_void,
    device_type: u32,
    pub(crate) stack_size: i8,
    queue: [u64; 9],
    alignment: u32,
    rest: [u64; 21],
}

const _: () = assert!(size_of::<DEVICE_OBJECT>() == 0x150);
const _: () = assert!(offset_of!(DEVICE_OBJECT, flags) == 0x30);
const _: () = assert!(offset_of!(DEVICE_OBJECT, extension) == 0x40);
const _: () = assert!(offset_of!(DEVICE_OBJECT, stack_size) == 0x4c);
const _: () = assert!(offset_of!(DEVICE_OBJECT, alignment) == 0x98);

const IO_TYPE_DEVICE: i16 = 3;
/// `DO_DEVICE_INITIALIZING`: nothing can be opened yet.
pub(crate) const INITIALIZING: u32 = 0x80;
/// `DO_EXCLUSIVE`.
pub(crate) const EXCLUSIVE: u32 = 0x08;

/// A device object at an address that stays.
#[derive(Debug)]
pub(crate) struct DeviceObject {
    object: Box<UnsafeCell<DEVICE_OBJECT>>,
    _extension: Box<[UnsafeCell<u128>]>,
}

// SAFETY: this crate touches single fields through raw pointers; the rest is the driver's, whose threads
// share it as in the kernel.
unsafe impl Send for DeviceObject {}
// SAFETY: as above.
unsafe impl Sync for DeviceObject {}

impl DeviceObject {
    /// Makes a device object that is still initializing, with zeros behind it.
    pub(crate) fn new(
        driver: *mut DRIVER_OBJECT,
        extension: usize,
        device_type: u32,
        characteristics: u32,
        flags: u32,
    ) -> Self {
        let zeros = (0..extension.div_ceil(16)).map(|_| UnsafeCell::new(0));
        let memory: Box<[_]> = zeros.collect();
        let start = memory.first().map_or(ptr::null_mut(), UnsafeCell::get);
        let whole = size_of::<DEVICE_OBJECT>() + extension;
        let object = Box::new(UnsafeCell::new(DEVICE_OBJECT {
            kind: IO_TYPE_DEVICE,
            size: u16::try_from(whole).unwrap_or(u16::MAX),
            references: 0,
            driver,
            next: ptr::null_mut(),
            attached: ptr::null_mut(),
            current_irp: ptr::null_mut(),
            timer: ptr::null_mut(),
            flags: flags | INITIALIZING,
            characteristics,
            vpb: ptr::null_mut(),
            extension: start.cast(),
            device_type,
            stack_size: 1,
            queue: [0; 9],
            alignment: 0,
            rest: [0; 21],
        }));
        Self {
            object,
            _extension: memory,
        }
    }

    /// The pointer that the driver gets.
    pub(crate) fn address(&self) -> *mut DEVICE_OBJECT {
        self.object.get()
    }

    /// Its flags, as they are now.
    pub(crate) fn flags(&self) -> u32 {
        // SAFETY: a field of a live object; no reference is made.
        let field = unsafe { &raw const (*self.address()).flags };
        // SAFETY: as above.
        unsafe { field.read_volatile() }
    }

    /// Says that the device can be opened.
    pub(crate) fn finish_initializing(&self) {
        let flags = self.flags() & !INITIALIZING;
        // SAFETY: a field of a live object; no reference is made.
        let field = unsafe { &raw mut (*self.address()).flags };
        // SAFETY: as above.
        unsafe { field.write_volatile(flags) };
    }
}
