//! Synchronization scopes: which callbacks exclude each other, and at which level they run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use driver_host::{Handle, Host, Image};
use nmr_host::Policy;
use nmr_host::irql::{self, DISPATCH_LEVEL, Irql, PASSIVE_LEVEL};

use super::common::inside::{self, Imports, Memory};
use super::common::{code, lines};
use super::devices::{CONTROL, PARALLEL, READ, queue_config};
use super::{Framework, NAMES, SUCCESS};

const INHERIT: u64 = 1;
const LEVEL_PASSIVE: u64 = 2;
const LEVEL_DISPATCH: u64 = 3;
const SCOPE_DEVICE: u64 = 2;
const SCOPE_QUEUE: u64 = 3;

const INVALID_PARAMETER: u32 = 0xc000_000d;
const INVALID_REQUEST: u32 = 0xc000_0010;
const INVALID_STATE: u32 = 0xc000_0184;
const INCOMPATIBLE_LEVEL: u32 = 0xc020_020c;

/// Waits a moment for another callback, which must not come.
const ALONE: u32 = code(0);
/// Waits for another callback.
const TOGETHER: u32 = code(1);
/// Stops its queue, which has no request then.
const STOP: u32 = code(2);

static DRIVER: OnceLock<Framework> = OnceLock::new();
/// How many callbacks run, and the most that ran at once.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// The level of the last callback.
static LEVEL: AtomicUsize = AtomicUsize::new(0);
/// How often `EvtIoQueueState` was called, and what that was at the end of the callback that stopped its queue.
static STOPPED: AtomicUsize = AtomicUsize::new(0);
static STOPPED_INSIDE: AtomicUsize = AtomicUsize::new(usize::MAX);

fn framework() -> &'static Framework {
    DRIVER.get().unwrap()
}

/// Waits until there are two callbacks, for so many turns.
fn meet(turns: usize) {
    LEVEL.store(irql::current().0.into(), Ordering::SeqCst);
    let own = INSIDE.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(own, Ordering::SeqCst);
    for _ in 0..turns {
        if MOST.load(Ordering::SeqCst) == 2 {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    INSIDE.fetch_sub(1, Ordering::SeqCst);
}

/// `EvtIoDeviceControl`.
extern "win64" fn control(queue: usize, request: usize, _output: usize, _input: usize, code: u32) {
    match code {
        ALONE => meet(20),
        TOGETHER => meet(10_000),
        _ => {}
    }
    framework().call("RequestComplete", &[request, 0]);
    if code == STOP {
        let callback = (stopped as *const ()).expose_provenance();
        framework().call("IoQueueStop", &[queue, callback, 0]);
        STOPPED_INSIDE.store(STOPPED.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// How many bytes a read is for that waits a moment for another callback, which must not come.
const READ_ALONE: usize = 8;
/// How many one is for that waits for another callback.
const READ_TOGETHER: usize = 16;

/// `EvtIoRead`.
extern "win64" fn read(_queue: usize, request: usize, length: usize) {
    meet(if length == READ_ALONE { 20 } else { 10_000 });
    framework().call("RequestComplete", &[request, 0]);
}

/// `EvtIoQueueState`.
extern "win64" fn stopped(_queue: usize, _context: usize) {
    STOPPED.fetch_add(1, Ordering::SeqCst);
}

/// `WDF_OBJECT_ATTRIBUTES` with an execution level, a synchronization scope and a parent.
fn attributes(level: u64, scope: u64, parent: usize) -> Memory {
    Memory::new(&[0x38, 0, 0, level | scope << 32, parent as u64, 0, 0])
}

impl Framework {
    /// A control device whose callbacks have a level and a scope, with a parallel queue for controls and one for reads.
    fn scoped_device(&self, name: &str, level: u64, scope: u64) -> usize {
        const READS: usize = 3;
        let init = self.device_init(name);
        let pointer = Memory::new(&[init as u64]);
        let attributes = attributes(level, scope, 0);
        let arguments = [pointer.address(), attributes.address()];
        let device = self.make("DeviceCreate", &arguments);
        let link = inside::Unicode::new(&format!(r"\DosDevices\{name}"));
        let arguments = [device, link.address()];
        assert_eq!(self.number("DeviceCreateSymbolicLink", &arguments), SUCCESS);
        let callback = (control as *const ()).expose_provenance();
        self.queue_with(device, PARALLEL, 1, &[(CONTROL, callback)]);
        let callback = (read as *const ()).expose_provenance();
        let reads = self.queue_with(device, PARALLEL, 0, &[(READ, callback)]);
        let arguments = [device, reads, READS];
        self.number("DeviceConfigureRequestDispatching", &arguments);
        device
    }
}

/// Loads a driver with three devices: without a scope, with that of a queue, and with that of the device at
/// `PASSIVE_LEVEL`.
fn loaded(body: &mut (dyn FnMut(&Framework, [usize; 3]) + Send)) -> (Host, Image) {
    let host = Host::with_patience(Policy::default(), Some(Duration::from_secs(30)));
    let image = inside::load(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        let framework = DRIVER.get_or_init(|| Framework::bind(imports));
        let devices = [
            framework.scoped_device("NmrFree", INHERIT, INHERIT),
            framework.scoped_device("NmrScopeQueue", LEVEL_DISPATCH, SCOPE_QUEUE),
            framework.scoped_device("NmrScopeDevice", LEVEL_PASSIVE, SCOPE_DEVICE),
        ];
        body(framework, devices);
        for device in devices {
            framework.call("ControlFinishInitializing", &[device]);
        }
    });
    (host, image)
}

/// Sends two requests at once. Returns how many callbacks ran at once, and the level of one.
fn at_once(first: impl Fn() + Sync, second: impl Fn() + Sync) -> (usize, Irql) {
    MOST.store(0, Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(&first);
        scope.spawn(&second);
    });
    let level = u8::try_from(LEVEL.load(Ordering::SeqCst)).unwrap();
    (MOST.load(Ordering::SeqCst), Irql(level))
}

fn send(file: &Handle, code: u32) {
    assert_eq!(file.control(code, &[], 0).unwrap().0, 0);
}

/// A device's callback lock as a driver holds it, and work that must wait for it.
static RELEASED: AtomicBool = AtomicBool::new(false);
static WORKED: AtomicUsize = AtomicUsize::new(0);

/// A callback that counts if the lock is free, or not.
extern "win64" fn work(_object: usize) {
    let released = RELEASED.load(Ordering::SeqCst);
    WORKED.fetch_add(if released { 1 } else { 100 }, Ordering::SeqCst);
}

/// Waits until something has been counted so often.
fn wait_until(count: &AtomicUsize, expected: usize) {
    let reached = (0..10_000).any(|_| {
        thread::sleep(Duration::from_millis(1));
        count.load(Ordering::SeqCst) >= expected
    });
    assert!(reached);
    assert_eq!(count.load(Ordering::SeqCst), expected);
}

/// The refusals and the locks of a driver's objects.
fn objects(framework: &Framework, [free, queues, whole]: [usize; 3]) {
    let work = (work as *const ()).expose_provenance() as u64;
    let configs = [
        ("WorkItemCreate", Memory::new(&[0x18, work, 1])),
        ("DpcCreate", Memory::new(&[0x18, work, 1])),
        ("TimerCreate", Memory::new(&[0x28, work, 1 << 32, 0, 0])),
    ];
    let made = |place: usize, device, level| {
        let (name, config) = &configs[place];
        let (below, output) = (attributes(level, INHERIT, device), Memory::new(&[0]));
        let arguments = [config.address(), below.address(), output.address()];
        (framework.number(name, &arguments), output.pointer(0))
    };
    for place in 0..3 {
        // Nothing excludes anything, so there is nothing to be at odds with.
        assert_eq!(made(place, free, INHERIT).0, SUCCESS);
    }
    // A work item runs at PASSIVE_LEVEL, a DPC does not, and a timer does if it is asked to.
    assert_eq!(made(0, queues, INHERIT).0, INCOMPATIBLE_LEVEL);
    assert_eq!(made(1, whole, INHERIT).0, INCOMPATIBLE_LEVEL);
    assert_eq!(made(2, whole, INHERIT).0, INCOMPATIBLE_LEVEL);
    assert_eq!(made(2, whole, LEVEL_PASSIVE).0, SUCCESS);
    let (item, dpc) = (made(0, whole, INHERIT), made(1, queues, INHERIT));
    assert_eq!([item.0, dpc.0], [SUCCESS; 2]);

    let locks = [
        (whole, PASSIVE_LEVEL, "WorkItemEnqueue", item.1),
        (queues, DISPATCH_LEVEL, "DpcEnqueue", dpc.1),
    ];
    for (place, (device, level, enqueue, object)) in locks.into_iter().enumerate() {
        RELEASED.store(false, Ordering::SeqCst);
        framework.call("ObjectAcquireLock", &[device]);
        assert_eq!(irql::current(), level);
        framework.call(enqueue, &[object]);
        thread::sleep(Duration::from_millis(20));
        RELEASED.store(true, Ordering::SeqCst);
        framework.call("ObjectReleaseLock", &[device]);
        assert_eq!(irql::current(), PASSIVE_LEVEL);
        wait_until(&WORKED, place + 1);
    }
    framework.call("ObjectAcquireLock", &[framework.driver]);
    framework.call("ObjectReleaseLock", &[framework.driver]);

    let callback = (control as *const ()).expose_provenance();
    let config = queue_config(PARALLEL, 0, &[(CONTROL, callback)]);
    let other_level = attributes(LEVEL_DISPATCH, INHERIT, 0);
    let output = Memory::new(&[0]);
    let arguments = [
        whole,
        config.address(),
        other_level.address(),
        output.address(),
    ];
    let status = framework.number("IoQueueCreate", &arguments);
    assert_eq!(status, INVALID_PARAMETER);
    let queue = framework.queue_with(free, PARALLEL, 0, &[(CONTROL, callback)]);
    let arguments = [queue, output.address()];
    let status = framework.number("IoQueueRetrieveNextRequest", &arguments);
    assert_eq!(status, INVALID_STATE);

    let init = framework.device_init("NmrScopeFiles");
    let (files, of_files) = (
        Memory::new(&[0x28, 0, 0, 0, 2 | 2 << 32]),
        attributes(INHERIT, SCOPE_QUEUE, 0),
    );
    let arguments = [init, files.address(), of_files.address()];
    framework.call("DeviceInitSetFileObjectConfig", &arguments);
    let pointer = Memory::new(&[init as u64]);
    let arguments = [pointer.address(), 0, output.address()];
    let status = framework.number("DeviceCreate", &arguments);
    assert_eq!(status, INVALID_REQUEST);
    framework.call("DeviceInitFree", &[init]);
}

#[test]
fn scopes() {
    let (host, image) = loaded(&mut objects);
    let open = |name: &str| {
        let found = host.find_device(&format!(r"\\.\{name}"));
        found.unwrap().open().unwrap()
    };
    let [free, queues, whole] = ["NmrFree", "NmrScopeQueue", "NmrScopeDevice"].map(open);
    let both = |file, code| at_once(|| send(file, code), || send(file, code));
    assert_eq!(both(&free, TOGETHER), (2, PASSIVE_LEVEL));
    assert_eq!(both(&queues, ALONE), (1, DISPATCH_LEVEL));
    assert_eq!(both(&whole, ALONE), (1, PASSIVE_LEVEL));
    let with_read = |file: &Handle, code, length| {
        let reading = || assert_eq!(file.read(0, length).unwrap(), (0, vec![]));
        at_once(|| send(file, code), reading)
    };
    let alone = with_read(&whole, ALONE, READ_ALONE);
    assert_eq!(alone, (1, PASSIVE_LEVEL));
    let together = with_read(&queues, TOGETHER, READ_TOGETHER);
    assert_eq!(together, (2, DISPATCH_LEVEL));

    // The queue of the callback notifies the driver after it.
    send(&whole, STOP);
    wait_until(&STOPPED, 1);
    assert_eq!(STOPPED_INSIDE.load(Ordering::SeqCst), 0);
    drop((free, queues, whole));
    assert!(image.unload().unmapped);
    let scope = "AutomaticSerialization, and its parent has a synchronization scope and";
    let no = format!("test.sys: WdfWorkItemCreate: {scope} no callbacks at PASSIVE_LEVEL");
    let dpc = format!("test.sys: WdfDpcCreate: {scope} callbacks at PASSIVE_LEVEL");
    let timer = format!("test.sys: WdfTimerCreate: {scope} callbacks at PASSIVE_LEVEL");
    let expected = [
        format!("{no}; answered 0xc020020c"),
        format!("{dpc}; answered 0xc020020c"),
        format!("{timer}; answered 0xc020020c"),
        "test.sys: WdfIoQueueCreate: its scope is the device, which has another ExecutionLevel; answered 0xc000000d".into(),
        "test.sys: WdfIoQueueRetrieveNextRequest: requests of a parallel queue come to its callbacks only; answered 0xc0000184".into(),
        "test.sys: WdfDeviceCreate: the scope of its file objects is a queue; answered 0xc0000010".into(),
        "test.sys: the entry stub: unloaded without WdfVersionUnbind".into(),
    ];
    assert_eq!(lines(&host.reports()), expected);
}
