//! Devices: what Plug and Play does with a root-enumerated device that has no hardware.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, OnceLock};

use super::call;
use super::cancel;
use super::checks::{self, Parent};
use super::child_list::{self, ChildList};
use super::children::{self, Children};
use super::file;
use super::image;
use super::init;
use super::io::{Io, Phase};
use super::layout::{Callback, WDF_FILEOBJECT_CONFIG, WDF_OBJECT_ATTRIBUTES};
use super::object::{self, Kind};
use super::pdo_init::Pdo;
use super::queue::Queue;
use super::refuse;
use super::serial::{self, Constraints, Scope, Serial};
use super::violation;
use crate::native::kernel::device_object::{BUFFERED_IO, DEVICE_OBJECT, DeviceObject, EXCLUSIVE};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::namespace::DeviceId;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_DEVICE_REQUEST,
    STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_COLLISION, STATUS_SUCCESS, failed,
};
use crate::native::wdf::Handle;

/// What a driver says about a device before it exists.
#[derive(Clone, Debug)]
pub(crate) struct Init {
    /// Whether it is for a control device.
    pub(super) control: bool,
    /// `EvtIoInCallerContext`.
    pub(super) in_caller_context: Callback,
    /// Whether it is for a filter.
    pub(super) filter: bool,
    /// The name of the device object.
    pub(super) name: Option<String>,
    pub(super) device_type: u32,
    pub(super) characteristics: u32,
    /// The flags of the device object for the method of reads and writes.
    pub(super) io_flags: u32,
    /// The callbacks of Plug and Play and power, in the order of their structure.
    pub(super) callbacks: [Callback; 17],
    /// Whether only one file may be open at a time.
    pub(super) exclusive: bool,
    /// The callbacks and the attributes of file objects, if the driver wants any.
    pub(super) files: Option<(WDF_FILEOBJECT_CONFIG, Option<WDF_OBJECT_ATTRIBUTES>)>,
    /// The attributes of requests.
    pub(super) request_attributes: Option<WDF_OBJECT_ATTRIBUTES>,
    /// What identifies the device of a child.
    pub(super) pdo: Option<Pdo>,
    /// The child list of a bus, and its attributes.
    pub(super) child_list: Option<(child_list::Config, Option<WDF_OBJECT_ATTRIBUTES>)>,
}

impl Default for Init {
    fn default() -> Self {
        /// `FILE_DEVICE_UNKNOWN`.
        const UNKNOWN: u32 = 0x22;
        Self {
            control: false,
            in_caller_context: 0,
            filter: false,
            name: None,
            device_type: UNKNOWN,
            characteristics: init::SECURE_OPEN,
            io_flags: BUFFERED_IO,
            callbacks: [0; 17],
            exclusive: false,
            files: None,
            request_attributes: None,
            pdo: None,
            child_list: None,
        }
    }
}

/// A `WDFDEVICE`.
#[derive(Debug)]
pub(crate) struct Device {
    pub(super) init: Init,
    pub(super) object: DeviceObject,
    pub(super) io: Io,
    /// What its queues inherit, and the objects below it.
    pub(super) serial: Serial,
    /// Whether its own attributes ask for callbacks at `PASSIVE_LEVEL`.
    pub(super) is_passive: bool,
    /// Whether the callbacks of its files are called with its lock.
    serializes_files: bool,
    pub(super) children: Children,
    /// Its default child list.
    pub(super) list: OnceLock<Arc<ChildList>>,
}

impl Device {
    fn new(
        image: &Loaded,
        init: Init,
        attributes: Option<WDF_OBJECT_ATTRIBUTES>,
    ) -> Result<Self, NtStatus> {
        let driver = image.framework().lock().driver.clone();
        let driver = driver.map_or_else(Constraints::default, |driver| driver.serial.constraints);
        let constraints = driver.below(attributes);
        let serializes_files = serializes_files(&init, constraints)
            .map_err(|text| refuse(FUNCTION, STATUS_INVALID_DEVICE_REQUEST, text))?;
        let exclusive = if init.exclusive { EXCLUSIVE } else { 0 };
        let (kind, characteristics) = (init.device_type, init.characteristics);
        let driver = image.objects.driver();
        let flags = exclusive | init.io_flags;
        let object = DeviceObject::new(driver, 0, kind, characteristics, flags);
        Ok(Self {
            object: object.map_err(|_| STATUS_INSUFFICIENT_RESOURCES)?,
            init,
            io: Io::default(),
            serial: Serial::new(constraints),
            is_passive: serial::is_passive(attributes),
            serializes_files,
            children: Children::default(),
            list: OnceLock::new(),
        })
    }

    /// Calls a callback of a file.
    pub(super) fn call_file(&self, callback: impl FnOnce()) {
        let lock = self.serial.scope_lock().filter(|_| self.serializes_files);
        serial::call(lock, callback);
    }

    /// The name of its device object. A device of Plug and Play has that of its physical device.
    pub(super) fn name(&self, handle: Handle) -> Option<String> {
        let physical = || format!("\\Device\\{:08x}", object::id(handle).unwrap_or_default());
        let own = self.init.name.clone();
        own.or_else(|| (!self.init.control).then(physical))
    }
}

/// Whether the callbacks of files are called with the lock of their device. They run at `PASSIVE_LEVEL`, and a file has
/// no queue.
fn serializes_files(init: &Init, device: Constraints) -> Result<bool, &'static str> {
    let Some((_, Some(attributes))) = init.files else {
        return Ok(false);
    };
    match device.below(Some(attributes)).scope {
        Scope::None => Ok(false),
        Scope::Device if device.passive => Ok(true),
        Scope::Device => Err(
            "the scope of its file objects is the device, which has no callbacks at PASSIVE_LEVEL",
        ),
        Scope::Queue => Err("the scope of its file objects is a queue"),
    }
}

/// Places in [`Init::callbacks`].
const D0_ENTRY: usize = 0;
const D0_EXIT: usize = 2;
const PREPARE_HARDWARE: usize = 4;
const RELEASE_HARDWARE: usize = 5;
const SELF_MANAGED_IO_CLEANUP: usize = 6;
const SELF_MANAGED_IO_FLUSH: usize = 7;
const SELF_MANAGED_IO_INIT: usize = 8;
const SELF_MANAGED_IO_SUSPEND: usize = 9;

/// `WdfPowerDeviceD3Final`, the power state before the first start and after the last stop.
const D3_FINAL: *mut c_void = ptr::without_provenance_mut(5);

/// Asks the driver for a device, and starts it. `None` if the driver has no `EvtDriverDeviceAdd`.
pub(crate) fn add(image: &Arc<Loaded>) -> Option<NtStatus> {
    let driver = image
        .framework()
        .lock()
        .driver
        .clone()
        .filter(|driver| driver.device_add != 0)?;
    let known: Vec<_> = devices(image);
    let init = Kind::DeviceInit(Box::default());
    let init = image
        .framework()
        .lock()
        .objects
        .insert(init, object::id(driver.handle));
    let name = "EvtDriverDeviceAdd";
    let arguments = [init, ptr::null_mut()];
    let mut status = STATUS_SUCCESS;
    serial::call(driver.serial.scope_lock(), || {
        status = call::status(image, name, driver.device_add, driver.handle, arguments);
    });
    discard_init(image, init);
    let added = devices(image)
        .into_iter()
        .filter(|device| !known.contains(device) && is_functional(image, *device));
    for device in added {
        let status = if failed(status) {
            status
        } else {
            start(image, device)
        };
        if failed(status) {
            remove(image, device);
            return Some(status);
        }
        children::enumerate(image, object::id(device).unwrap_or_default());
    }
    Some(status)
}

/// Returns `true` for a device that Plug and Play has asked the driver for: no control device, and no child.
fn is_functional(image: &Loaded, handle: Handle) -> bool {
    let device = object::id(handle).and_then(|id| of(image, id));
    device.is_some_and(|device| !device.init.control && device.init.pdo.is_none())
}

/// Forgets a `WDFDEVICE_INIT` that the driver has not used.
pub(super) fn discard_init(image: &Loaded, init: Handle) {
    let mut state = image.framework().lock();
    let unused = state
        .objects
        .get(init)
        .is_some_and(|o| matches!(o.kind, Kind::DeviceInit(_)));
    if unused {
        state.objects.remove(init);
    }
}

fn devices(image: &Loaded) -> Vec<Handle> {
    image
        .framework()
        .lock()
        .objects
        .all(|kind| matches!(kind, Kind::Device(_)))
}

/// The devices, in the order in which they were made.
pub(super) fn all(image: &Loaded) -> Vec<(Handle, Arc<Device>)> {
    let handles = devices(image).into_iter();
    let with_device = |handle| Some((handle, of(image, object::id(handle)?)?));
    handles.filter_map(with_device).collect()
}

/// The device with a number, if there is one.
pub(super) fn of(image: &Loaded, id: usize) -> Option<Arc<Device>> {
    let state = image.framework().lock();
    match &state.objects.get(object::handle(id))?.kind {
        Kind::Device(device) => Some(Arc::clone(device)),
        _ => None,
    }
}

/// The device that the driver means.
pub(super) fn find(device: Handle) -> Arc<Device> {
    let found = object::id(device).and_then(|id| of(&image(), id));
    found.unwrap_or_else(|| violation(format_args!("{device:p} is not a device")))
}

/// Starts a device.
pub(super) fn start(image: &Loaded, handle: Handle) -> NtStatus {
    let Some(device) = object::id(handle).and_then(|id| of(image, id)) else {
        return STATUS_SUCCESS;
    };
    let callbacks = device.init.callbacks;
    let none = [ptr::null_mut(); 2];
    let steps = [
        ("EvtDevicePrepareHardware", PREPARE_HARDWARE, none),
        ("EvtDeviceD0Entry", D0_ENTRY, [D3_FINAL, ptr::null_mut()]),
        ("EvtDeviceSelfManagedIoInit", SELF_MANAGED_IO_INIT, none),
    ];
    for (name, place, arguments) in steps {
        let status = call::status(image, name, callbacks[place], handle, arguments);
        if failed(status) {
            return status;
        }
    }
    device.object.finish_initializing();
    device.io.lock().phase = Phase::Started;
    STATUS_SUCCESS
}

/// Removes a device: stops it if it was started, and deletes it.
///
/// Programs may have it open. Nothing new begins from now on. Before the device leaves its working
/// state, the driver has to complete what it got from power-managed queues; then the programs let go
/// of their files; then it has to complete the rest.
pub(super) fn remove(image: &Arc<Loaded>, handle: Handle) {
    let Some(device) = object::id(handle).and_then(|id| of(image, id)) else {
        return;
    };
    let mut state = device.io.lock();
    let before = std::mem::replace(&mut state.phase, Phase::Removed);
    drop(state);
    children::remove_all(image, &device.children);
    if before == Phase::Started {
        stop(image, handle, &device);
    }
    let link = device.io.lock().link.take();
    let names = [link, device.init.name.clone()];
    for name in names.into_iter().flatten() {
        image.system.namespace.remove(&name);
    }
    object::delete_tree(image, handle);
}

fn stop(image: &Arc<Loaded>, handle: Handle, device: &Device) {
    let callbacks = device.init.callbacks;
    let none = [ptr::null_mut(); 2];
    let step = |name, place: usize, arguments| {
        call::status(image, name, callbacks[place], handle, arguments);
    };
    let name = "EvtDeviceSelfManagedIoSuspend";
    step(name, SELF_MANAGED_IO_SUSPEND, none);
    stop_queues(image, device, |queue| queue.power_managed);
    step("EvtDeviceD0Exit", D0_EXIT, [D3_FINAL, ptr::null_mut()]);
    step("EvtDeviceReleaseHardware", RELEASE_HARDWARE, none);
    let files = std::mem::take(&mut device.io.lock().files);
    for &open in &files {
        file::clean_up(image, device, open);
    }
    step("EvtDeviceSelfManagedIoFlush", SELF_MANAGED_IO_FLUSH, none);
    stop_queues(image, device, |queue| !queue.power_managed);
    device.io.wait_until_idle();
    // What was being opened when the removal began.
    let late = std::mem::take(&mut device.io.lock().files);
    for &open in &late {
        file::clean_up(image, device, open);
    }
    for &open in files.iter().chain(&late) {
        file::delete(image, device, open);
    }
    let name = "EvtDeviceSelfManagedIoCleanup";
    step(name, SELF_MANAGED_IO_CLEANUP, none);
}

/// Cancels the requests in some queues, notifies the driver about those that it has, and waits until it
/// has completed them.
fn stop_queues(image: &Arc<Loaded>, device: &Device, which: impl Fn(&Queue) -> bool) {
    /// `WdfRequestStopActionPurge`.
    const PURGE: Handle = ptr::without_provenance_mut(2);
    let queues = device.io.lock().queues.clone();
    let queues: Vec<_> = queues.into_iter().filter(|queue| which(queue)).collect();
    for queue in &queues {
        for id in queue.purge() {
            cancel::cancel(image, id);
            if queue.power_managed && queue.stop != 0 && queue.has(id) {
                let arguments = [queue.handle(), object::handle(id), PURGE];
                serial::call(queue.serial.scope_lock(), || {
                    call::request(image, "EvtIoStop", queue.stop, arguments);
                });
            }
        }
    }
    for queue in &queues {
        queue.wait_until_empty();
    }
}

/// Removes every device of Plug and Play, the youngest first, and its children. Control devices stay.
pub(crate) fn remove_all(image: &Arc<Loaded>) {
    for device in devices(image).into_iter().rev() {
        if is_functional(image, device) {
            remove(image, device);
        }
    }
}

/// Removes what the driver has left: its control devices.
pub(super) fn remove_rest(image: &Arc<Loaded>) {
    for device in devices(image).into_iter().rev() {
        remove(image, device);
    }
}

const FUNCTION: &str = "WdfDeviceCreate";

/// `WdfDeviceCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    init: *mut Handle,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    if init.is_null() || output.is_null() {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "an argument is null");
    }
    let image = image();
    // SAFETY: the variable is valid; the driver guarantees it.
    let handle = unsafe { init.read() };
    let Some(Kind::DeviceInit(about)) = object::kind(handle) else {
        violation(format_args!("{handle:p} is not a WDFDEVICE_INIT"))
    };
    let driver = image.framework().lock().driver.clone();
    let driver = driver.map(|driver| driver.handle);
    // SAFETY: the attributes are valid; the driver guarantees it.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Forbidden, true) };
    let name = about.name.clone();
    if let Some(name) = &name
        && image.system.namespace.find(name).is_some()
    {
        let text = format!("there is a device {name} already");
        return refuse(FUNCTION, STATUS_OBJECT_NAME_COLLISION, text);
    }
    let made = checked.and_then(|attributes| {
        let device = Arc::new(Device::new(&image, *about, attributes)?);
        let handle = object::make(
            &image,
            Kind::Device(Arc::clone(&device)),
            driver,
            attributes,
        )?;
        if let Err(status) = child_list::make(&image, handle, &device) {
            object::delete_tree(&image, handle);
            return Err(status);
        }
        if let Some(pdo) = &device.init.pdo {
            let bus = find(object::handle(pdo.parent));
            bus.children.set_device(pdo.child, handle);
        }
        Ok(handle)
    });
    match made {
        Ok(device) => {
            let number = DeviceId::Framework(object::id(device).unwrap_or_default());
            if let Some(name) = name {
                image.system.namespace.add_device(&name, &image, number);
            }
            image.framework().lock().objects.remove(handle);
            // SAFETY: the variable is valid; the driver guarantees it.
            unsafe { init.write(ptr::null_mut()) };
            // SAFETY: the output is valid; the driver guarantees it.
            unsafe { output.write(device) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// `WdfDeviceGetDriver`.
pub(crate) extern "win64" fn get_driver(_globals: *const c_void, _device: Handle) -> Handle {
    let driver = image().framework().lock().driver.clone();
    driver.map_or(ptr::null_mut(), |driver| driver.handle)
}

/// `WdfDeviceWdmGetDeviceObject`.
pub(crate) extern "win64" fn wdm_object(
    _globals: *const c_void,
    device: Handle,
) -> *mut DEVICE_OBJECT {
    find(device).object.address()
}

/// `WdfWdmDeviceGetWdfDeviceHandle`. Null if it is no device object of the framework.
pub(crate) extern "win64" fn of_wdm_object(
    _globals: *const c_void,
    object: *const DEVICE_OBJECT,
) -> Handle {
    let mut devices = all(&image()).into_iter();
    let found = devices.find(|(_, device)| device.object.address().cast_const() == object);
    found.map_or(ptr::null_mut(), |(handle, _)| handle)
}
