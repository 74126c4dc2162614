//! Devices, their queues and their work.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nmr_sys::GUID;

use super::Framework;
use super::NAMES;
use super::NO_MORE_ENTRIES;
use super::SUCCESS;
use super::attributes;
use super::callback_address;
use super::common::host;
use super::common::inside;
use super::common::inside::Imports;
use super::common::inside::Memory;
use super::common::inside::Unicode;
use super::driver;

/// `UNICODE_STRING`s that a device has.
const SECURITY: &str = "D:P(A;;GA;;;WD)";

impl Framework {
    /// A control device that can be opened by a link.
    pub(crate) fn control_device(&self, name: &str) -> usize {
        self.device(self.device_init(name), name)
    }

    pub(crate) fn device(&self, init: usize, name: &str) -> usize {
        let pointer = Memory::new(&[init as u64]);
        let device = self.make("DeviceCreate", &[pointer.address(), 0]);
        let link = Unicode::new(&format!(r"\DosDevices\{name}"));
        let arguments = [device, link.address()];
        assert_eq!(self.number("DeviceCreateSymbolicLink", &arguments), SUCCESS);
        device
    }

    /// A `WDFDEVICE_INIT` with a name, for a device that has file objects.
    pub(crate) fn device_init(&self, name: &str) -> usize {
        let (security, name) = (
            Unicode::new(SECURITY),
            Unicode::new(&format!(r"\Device\{name}")),
        );
        let init = self.call(
            "ControlDeviceInitAllocate",
            &[self.driver, security.address()],
        );
        assert_ne!(init, 0);
        let arguments = [init, name.address()];
        assert_eq!(self.number("DeviceInitAssignName", &arguments), SUCCESS);
        // `WdfUseDefault`, and `WdfFileObjectWdfCanUseFsContext`.
        let files = Memory::new(&[0x28, 0, 0, 0, 2 | 2 << 32]);
        self.call("DeviceInitSetFileObjectConfig", &[init, files.address(), 0]);
        init
    }

    /// A queue of a device.
    pub(crate) fn queue(
        &self,
        device: usize,
        dispatch: u64,
        default: u64,
        control: usize,
    ) -> usize {
        self.queue_with(device, dispatch, default, &[(CONTROL, control)])
    }

    /// A queue of a device, with callbacks at their places in its configuration.
    pub(crate) fn queue_with(
        &self,
        device: usize,
        dispatch: u64,
        default: u64,
        callbacks: &[(usize, usize)],
    ) -> usize {
        let config = queue_config(dispatch, default, callbacks);
        self.make("IoQueueCreate", &[device, config.address(), 0])
    }
}

/// `WDF_IO_QUEUE_CONFIG`, with callbacks at their places.
pub(crate) fn queue_config(dispatch: u64, default: u64, callbacks: &[(usize, usize)]) -> Memory {
    const USE_DEFAULT: u64 = 2;
    let mut config = [0; 12];
    config[0] = 0x60 | dispatch << 32;
    config[1] = USE_DEFAULT | default << 40;
    for &(place, callback) in callbacks {
        config[place] = callback as u64;
    }
    config[10] = if dispatch == PARALLEL {
        u32::MAX.into()
    } else {
        0
    };
    Memory::new(&config)
}

/// The places of `EvtIoRead`, `EvtIoWrite`, `EvtIoDeviceControl` and `EvtIoStop`, in words.
pub(crate) const READ: usize = 3;
pub(crate) const WRITE: usize = 4;
pub(crate) const CONTROL: usize = 5;
pub(crate) const STOP: usize = 7;

pub(crate) const PARALLEL: u64 = 2;
pub(crate) const MANUAL: u64 = 3;

#[test]
fn control_devices() {
    driver(|framework| {
        let init = framework.device_init("NmrDevice");
        framework.call("DeviceInitSetDeviceType", &[init, 0x8123]);
        framework.call("DeviceInitSetCharacteristics", &[init, 1, 0]);
        framework.call("DeviceInitSetExclusive", &[init, 1]);
        let pointer = Memory::new(&[init as u64]);
        let device = framework.make("DeviceCreate", &[pointer.address(), 0]);
        let object = framework.call("DeviceWdmGetDeviceObject", &[device]);
        // The flags, among them BUFFERED_IO, EXCLUSIVE and INITIALIZING; the characteristics; the type.
        let number = |offset| inside::number_at::<u32>(object + offset);
        assert_eq!([0x30, 0x34, 0x48].map(number), [0x8c, 0x101, 0x8123]);
        let known = framework.call("WdmDeviceGetWdfDeviceHandle", &[object]);
        assert_eq!(known, device);
        let driver = framework.call("DeviceGetDriver", &[device]);
        assert_eq!(driver, framework.driver);
        framework.call("ControlFinishInitializing", &[device]);
        assert_eq!(number(0x30), 0xc);
    });
}

#[test]
fn symbolic_links() {
    let host = host();
    let mut found = false;
    inside::run(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        let framework = Framework::bind(imports);
        let device = framework.control_device("NmrLink");
        framework.call("ControlFinishInitializing", &[device]);
        found = host.find_device(r"\\.\NmrLink").is_some();
    });
    assert!(found);
}

/// How often work of a device was done. It takes its time, so that a wait for it that does not wait shows.
static DONE: AtomicUsize = AtomicUsize::new(0);

extern "win64" fn work() {
    thread::sleep(Duration::from_millis(20));
    DONE.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn work_of_a_device() {
    driver(|framework| {
        let device = framework.control_device("NmrWork");
        let below = attributes([0; 2], device, 0);
        let make = |name: &str, config: &[u64]| {
            let config = Memory::new(config);
            framework.make(name, &[config.address(), below.address()])
        };
        let byte = |name: &str, arguments: &[usize]| framework.call(name, arguments) as u8;
        let done = || DONE.load(Ordering::SeqCst);
        let function = (work as *const ()).expose_provenance() as u64;

        let dpc = make("DpcCreate", &[0x18, callback_address() as u64, 0]);
        assert_eq!(framework.call("DpcGetParentObject", &[dpc]), device);
        assert_ne!(framework.call("DpcWdmGetDpc", &[dpc]), 0);
        assert_eq!(byte("DpcEnqueue", &[dpc]), 1);
        framework.call("DpcCancel", &[dpc, 1]);

        let item = make("WorkItemCreate", &[0x18, function, 0]);
        assert_eq!(framework.call("WorkItemGetParentObject", &[item]), device);
        framework.call("WorkItemEnqueue", &[item]);
        framework.call("WorkItemFlush", &[item]);
        assert_eq!(done(), 1);

        let timer = make("TimerCreate", &[0x28, function, 0, 0, 0]);
        assert_eq!(framework.call("TimerGetParentObject", &[timer]), device);
        let hour = 0_usize.wrapping_sub(36_000_000_000);
        let start = || byte("TimerStart", &[timer, hour]);
        let stop = || byte("TimerStop", &[timer, 0]);
        assert_eq!((start(), start()), (0, 1));
        assert_eq!((stop(), stop()), (1, 0));
    });
}

#[test]
fn queues() {
    /// What a queue without requests is.
    const STARTED: u32 = 15;
    const STOPPED: u32 = 13;
    const DRAINED: u32 = 14;
    driver(|framework| {
        let device = framework.control_device("NmrQueue");
        let manual = framework.queue(device, MANUAL, 0, 0);
        let output = Memory::new(&[0]);
        let arguments = [manual, output.address()];
        let status = framework.number("IoQueueRetrieveNextRequest", &arguments);
        assert_eq!(status, NO_MORE_ENTRIES);
        assert_eq!(framework.call("IoQueueGetDevice", &[manual]), device);
        assert_eq!(framework.call("DeviceGetDefaultQueue", &[device]), 0);
        let queue = framework.queue(device, PARALLEL, 1, callback_address());
        assert_eq!(framework.call("DeviceGetDefaultQueue", &[device]), queue);
        let state = || framework.number("IoQueueGetState", &[queue, 0, 0]);
        framework.call("ControlFinishInitializing", &[device]);
        assert_eq!(state(), STARTED);
        for (function, expected) in [
            ("IoQueueStop", STOPPED),
            ("IoQueueStopSynchronously", STOPPED),
            ("IoQueueDrain", DRAINED),
            ("IoQueueDrainSynchronously", DRAINED),
            ("IoQueuePurge", DRAINED),
            ("IoQueuePurgeSynchronously", DRAINED),
        ] {
            framework.call(function, &[queue, 0, 0]);
            assert_eq!(state(), expected, "{function}");
            framework.call("IoQueueStart", &[queue]);
            assert_eq!(state(), STARTED, "{function}");
        }
    });
}

/// A driver with a device that comes by Plug and Play.
static ADDING: OnceLock<Framework> = OnceLock::new();

/// How often the device of `add_device` was powered up.
static POWERED: AtomicUsize = AtomicUsize::new(0);

/// `EvtDeviceD0Entry`.
extern "win64" fn power_up(_device: usize, _before: i32) -> u32 {
    POWERED.fetch_add(1, Ordering::SeqCst);
    SUCCESS
}

const CLASS: [u64; 2] = [0x6677_4455_0011_2233, 0xffee_ddcc_bbaa_9988];

/// `EvtDriverDeviceAdd`.
extern "win64" fn add_device(_driver: usize, init: usize) -> u32 {
    let framework = ADDING.get().unwrap();
    let mut callbacks = [0; 18];
    callbacks[0] = 0x90;
    callbacks[1] = (power_up as *const ()).expose_provenance() as u64;
    let (callbacks, pointer) = (Memory::new(&callbacks), Memory::new(&[init as u64]));
    let arguments = [init, callbacks.address()];
    framework.call("DeviceInitSetPnpPowerEventCallbacks", &arguments);
    let device = framework.make("DeviceCreate", &[pointer.address(), 0]);
    framework.make("DeviceOpenRegistryKey", &[device, 1, 0, 0]);
    let class = Memory::new(&CLASS);
    let arguments = [device, class.address(), 0];
    framework.number("DeviceCreateDeviceInterface", &arguments)
}

#[test]
fn devices_that_are_added() {
    let host = host();
    let image = inside::load(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        let device_add = (add_device as *const ()).expose_provenance() as u64;
        let framework = Framework::bind_with(imports, device_add, 0);
        assert!(ADDING.set(framework).is_ok());
    });
    image.add_device().unwrap();
    assert_eq!(POWERED.load(Ordering::SeqCst), 1);
    let class = GUID::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    assert_eq!(image.interfaces(class).len(), 1);
    assert!(image.unload().unmapped);
}
