//! The devices that a driver has made with `IoCreateDevice`, with their open files, and the symbolic links that
//! it has made.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, ptr};

use super::device_object::{DEVICE_OBJECT, DeviceObject, EXCLUSIVE, INITIALIZING};
use super::namespace;
use super::structure::Structure;
use super::wait;

/// A device.
#[derive(Debug)]
pub(crate) struct Device {
    /// Its place among all that the driver has made, from 0.
    pub(crate) number: usize,
    pub(crate) object: DeviceObject,
    pub(crate) name: Option<String>,
    /// Where the driver made it: the offset in the image of the instruction after the call.
    pub(crate) offset: Option<u64>,
    users: Mutex<Users>,
}

#[derive(Debug, Default)]
struct Users {
    /// Whether nothing new may begin: it is deleted, or its driver is being unloaded.
    closed: bool,
    files: Vec<Arc<File>>,
}

/// Why a device cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shut {
    /// It is deleted or being deleted.
    Closed,
    /// It is not initialized.
    Initializing,
    /// It is exclusive, and open.
    InUse,
}

impl Device {
    fn lock(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nothing new begin.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Returns `true` if programs can open it.
    pub(crate) fn is_open(&self) -> bool {
        !self.lock().closed && self.object.flags() & INITIALIZING == 0
    }

    /// Adds a file that a program opens.
    pub(crate) fn add_file(&self, file: &Arc<File>) -> Result<(), Shut> {
        let flags = self.object.flags();
        let mut users = self.lock();
        if users.closed {
            Err(Shut::Closed)
        } else if flags & INITIALIZING != 0 {
            Err(Shut::Initializing)
        } else if flags & EXCLUSIVE != 0 && !users.files.is_empty() {
            Err(Shut::InUse)
        } else {
            users.files.push(Arc::clone(file));
            Ok(())
        }
    }

    /// Takes a file away. Returns `None` if it is gone already.
    pub(crate) fn take_file(&self, file: usize) -> Option<Arc<File>> {
        let mut users = self.lock();
        let place = users.files.iter().position(|own| own.address() == file)?;
        Some(users.files.remove(place))
    }

    /// Takes all files away.
    pub(crate) fn take_files(&self) -> Vec<Arc<File>> {
        std::mem::take(&mut self.lock().files)
    }

    /// Begins an operation on a file. Returns `None` if the file is gone.
    pub(crate) fn begin(&self, file: usize) -> Option<Operation> {
        let users = self.lock();
        let own = users.files.iter().find(|own| own.address() == file)?;
        own.operations.fetch_add(1, Ordering::AcqRel);
        Some(Operation(Arc::clone(own)))
    }
}

/// An open file, with its `FILE_OBJECT`.
#[derive(Debug)]
pub(crate) struct File {
    object: Structure,
    operations: AtomicUsize,
}

impl File {
    /// Makes the file object of a program that opens a device for reading and writing.
    pub(crate) fn new(device: &Device) -> io::Result<Self> {
        const SIZE: usize = 0xd8;
        const IO_TYPE_FILE: u16 = 5;
        const DEVICE: usize = 0x08;
        const READ_ACCESS: usize = 0x4a;
        const WRITE_ACCESS: usize = 0x4b;
        let object = Structure::new(SIZE, "touched a file object after the file was closed")?;
        object.set(0, IO_TYPE_FILE);
        object.set(2, SIZE as u16);
        object.set(DEVICE, device.object.address().expose_provenance());
        object.set(READ_ACCESS, 1_u8);
        object.set(WRITE_ACCESS, 1_u8);
        Ok(Self {
            object,
            operations: AtomicUsize::new(0),
        })
    }

    /// The address of the file object, which identifies the file.
    pub(crate) fn address(&self) -> usize {
        self.object.address()
    }

    /// How many operations are in progress.
    pub(crate) fn operations(&self) -> usize {
        self.operations.load(Ordering::Acquire)
    }
}

/// An operation of a program on a file. The file is not closed before it ends.
#[derive(Debug)]
pub(crate) struct Operation(Arc<File>);

impl Operation {
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.0
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        wait::locked(|| self.0.operations.fetch_sub(1, Ordering::AcqRel));
    }
}

/// A symbolic link that a driver has made.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) name: String,
    /// Where the driver made it, as for a device.
    pub(crate) offset: Option<u64>,
}

/// The devices and the symbolic links of a driver.
#[derive(Debug, Default)]
pub(crate) struct Devices(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    /// How many devices were made.
    made: usize,
    /// The devices, the oldest first.
    devices: Vec<Arc<Device>>,
    /// Deleted devices, which programs may have open.
    deleted: Vec<Arc<Device>>,
    links: Vec<Link>,
}

impl Devices {
    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a device.
    pub(crate) fn add(
        &self,
        object: DeviceObject,
        name: Option<String>,
        offset: Option<u64>,
    ) -> Arc<Device> {
        let mut all = self.lock();
        let device = Arc::new(Device {
            number: all.made,
            object,
            name,
            offset,
            users: Mutex::default(),
        });
        all.made += 1;
        all.devices.push(Arc::clone(&device));
        device
    }

    /// Deletes the device with a device object. One that is open stays until its last file is closed.
    pub(crate) fn delete(&self, object: *const DEVICE_OBJECT) -> Option<Arc<Device>> {
        let mut all = self.lock();
        let is_it = |device: &Arc<Device>| device.object.address().cast_const() == object;
        let place = all.devices.iter().position(is_it)?;
        let device = all.devices.remove(place);
        let has_files = {
            let mut users = device.lock();
            users.closed = true;
            !users.files.is_empty()
        };
        if has_files {
            all.deleted.push(Arc::clone(&device));
        }
        Some(device)
    }

    /// Chains the device objects, the youngest first. Returns the first of them, or null.
    pub(crate) fn chain(&self) -> *mut DEVICE_OBJECT {
        let mut next = ptr::null_mut();
        for device in &self.lock().devices {
            device.object.set_next(next);
            next = device.object.address();
        }
        next
    }

    /// The device with a number, if it is not deleted or is still open.
    pub(crate) fn of(&self, number: usize) -> Option<Arc<Device>> {
        let mut devices = self.with_deleted().into_iter();
        devices.find(|device| device.number == number)
    }

    /// The devices, with those that are deleted and still open.
    pub(crate) fn with_deleted(&self) -> Vec<Arc<Device>> {
        let mut all = self.lock();
        all.deleted.retain(|device| !device.lock().files.is_empty());
        all.devices.iter().chain(&all.deleted).cloned().collect()
    }

    /// The devices that are not deleted, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Device>> {
        self.lock().devices.clone()
    }

    pub(crate) fn add_link(&self, link: Link) {
        self.lock().links.push(link);
    }

    pub(crate) fn remove_link(&self, name: &str) {
        let name = namespace::normal(name);
        let other = |link: &Link| namespace::normal(&link.name) != name;
        self.lock().links.retain(other);
    }

    /// The symbolic links that the driver has made and not deleted.
    pub(crate) fn links(&self) -> Vec<Link> {
        self.lock().links.clone()
    }
}
