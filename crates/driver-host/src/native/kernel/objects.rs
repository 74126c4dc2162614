//! The kernel objects of one image: its driver object, what hangs on it, and its registry path.
// UNSAFETY: structures that the image reads and writes through pointers.
#![expect(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem;
use std::ptr;

use super::device_object::DEVICE_OBJECT;
use super::nt::{DRIVER_EXTENSION, DRIVER_OBJECT, UNICODE_STRING};

/// Where the keys of services are.
pub(crate) const SERVICES: &str = r"\Registry\Machine\System\CurrentControlSet\Services";

/// The objects. They stay where they are as long as the image does.
#[derive(Debug)]
pub(crate) struct Objects(Box<UnsafeCell<Inner>>);

#[derive(Debug)]
struct Inner {
    driver: DRIVER_OBJECT,
    extension: DRIVER_EXTENSION,
    registry_path: UNICODE_STRING,
    service: Vec<u16>,
    path: Vec<u16>,
    name: Vec<u16>,
}

// SAFETY: this crate reads and writes the objects one field at a time through raw pointers; what
// the image does with them is between it and its threads, as in the kernel.
unsafe impl Send for Objects {}
// SAFETY: as above.
unsafe impl Sync for Objects {}

impl Objects {
    /// Makes the objects of an image at an address.
    pub(crate) fn new(name: &str, start: usize, size: usize) -> Self {
        let service = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let path = format!("{SERVICES}\\{service}");
        let inner = Inner {
            driver: DRIVER_OBJECT {
                Type: 4,
                Size: mem::size_of::<DRIVER_OBJECT>() as i16,
                DeviceObject: ptr::null_mut(),
                Flags: 0,
                DriverStart: ptr::with_exposed_provenance_mut(start),
                DriverSize: size as u32,
                DriverSection: ptr::null_mut(),
                DriverExtension: ptr::null_mut(),
                DriverName: EMPTY,
                HardwareDatabase: ptr::null_mut(),
                FastIoDispatch: ptr::null_mut(),
                DriverInit: ptr::null(),
                DriverStartIo: ptr::null(),
                DriverUnload: ptr::null(),
                MajorFunction: [ptr::null(); 28],
            },
            extension: DRIVER_EXTENSION {
                DriverObject: ptr::null_mut(),
                AddDevice: ptr::null(),
                Count: 0,
                ServiceKeyName: EMPTY,
            },
            registry_path: EMPTY,
            service: utf16(service),
            path: utf16(&path),
            name: utf16(&format!("\\Driver\\{service}")),
        };
        let mut inner = Box::new(UnsafeCell::new(inner));
        inner.get_mut().connect();
        Self(inner)
    }

    /// The driver object, as the image gets it.
    pub(crate) fn driver(&self) -> *mut DRIVER_OBJECT {
        // SAFETY: the field of a live object; no reference is made.
        unsafe { &raw mut (*self.0.get()).driver }
    }

    pub(crate) fn registry_path(&self) -> *mut UNICODE_STRING {
        // SAFETY: as above.
        unsafe { &raw mut (*self.0.get()).registry_path }
    }

    /// The unload routine, as it was set last.
    pub(crate) fn unload_routine(&self) -> *const c_void {
        let driver = self.driver();
        // SAFETY: a field of a live object.
        let field = unsafe { &raw const (*driver).DriverUnload };
        // SAFETY: as above; the image writes it on the thread that reads it, or before.
        unsafe { field.read_volatile() }
    }

    /// The dispatch routine for a major function code, as it was set last; 0 for none.
    pub(crate) fn dispatch_routine(&self, major: u8) -> usize {
        let driver = self.driver();
        // SAFETY: a field of a live object, and a place in the array: there are 28 codes.
        let field = unsafe { &raw const (*driver).MajorFunction[usize::from(major)] };
        // SAFETY: as above; the image writes it in its entry point.
        unsafe { field.read_volatile() }.expose_provenance()
    }

    /// Sets the first device object of the driver.
    pub(crate) fn set_first_device(&self, device: *mut DEVICE_OBJECT) {
        let driver = self.driver();
        // SAFETY: a field of a live object.
        let field = unsafe { &raw mut (*driver).DeviceObject };
        // SAFETY: as above; the image that makes or deletes a device is waiting.
        unsafe { field.write_volatile(device.cast()) };
    }

    /// Sets the unload routine and the routine that adds devices.
    pub(crate) fn set_routines(&self, unload: *const c_void, add_device: *const c_void) {
        let driver = self.driver();
        // SAFETY: a field of a live object.
        let field = unsafe { &raw mut (*driver).DriverUnload };
        // SAFETY: as above; the image is waiting.
        unsafe { field.write_volatile(unload) };
        // SAFETY: the field of a live object; no reference is made.
        let field = unsafe { &raw mut (*self.0.get()).extension.AddDevice };
        // SAFETY: as above; the image is waiting.
        unsafe { field.write_volatile(add_device) };
    }
}

const EMPTY: UNICODE_STRING = UNICODE_STRING {
    Length: 0,
    MaximumLength: 0,
    Buffer: ptr::null_mut(),
};

impl Inner {
    /// Sets the pointers, now that everything is where it stays.
    fn connect(&mut self) {
        self.driver.DriverExtension = &raw mut self.extension;
        self.driver.DriverName = string(&mut self.name);
        self.extension.DriverObject = &raw mut self.driver;
        self.extension.ServiceKeyName = string(&mut self.service);
        self.registry_path = string(&mut self.path);
    }
}

fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A string that ends with a zero, counted without it.
fn string(text: &mut [u16]) -> UNICODE_STRING {
    let size = mem::size_of_val(text) as u16;
    UNICODE_STRING {
        Length: size - 2,
        MaximumLength: size,
        Buffer: text.as_mut_ptr(),
    }
}
