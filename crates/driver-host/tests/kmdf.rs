//! The functions of KMDF, by family, as a driver without Plug and Play calls them. `cargo xtask plant-faults kmdf`
//! makes each of them do nothing, which a test here must notice.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(
    clippy::cast_possible_truncation,
    reason = "results are the low bits of words"
)]

mod common;

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::inside::{self, Imports, Memory, Unicode};
use common::{host, lines};
use driver_host::{Host, kmdf};
use nmr_host::Policy;
use nmr_sys::GUID;

const SUCCESS: u32 = 0;
const TIMEOUT: u32 = 0x102;
const NO_MORE_ENTRIES: u32 = 0x8000_001a;
const DWORD: usize = 4;
const BINARY: usize = 3;
const MULTI_SZ: usize = 7;

/// The framework, bound to a driver.
struct Framework {
    table: usize,
    globals: usize,
    driver: usize,
    /// The arguments of `DriverEntry`.
    driver_object: usize,
    path: usize,
    unbind: usize,
}

impl Framework {
    /// What the entry stub of a driver without Plug and Play does, and `WdfDriverCreate`.
    fn bind(imports: &Imports<'_>) -> Self {
        const NON_PNP: u64 = 1;
        Self::bind_with(imports, 0, NON_PNP)
    }

    /// The same with an `EvtDriverDeviceAdd` and flags.
    fn bind_with(imports: &Imports<'_>, device_add: u64, flags: u64) -> Self {
        let (component, table) = (Memory::wide("KmdfLibrary"), Memory::new(&[0]));
        let (globals, driver) = (Memory::new(&[0]), Memory::new(&[0]));
        let info = Memory::new(&[
            0x30,
            component.address() as u64,
            1 | 31 << 32,
            458 << 32,
            table.address() as u64,
            0,
        ]);
        let arguments = [
            imports.driver,
            imports.path,
            info.address(),
            globals.address(),
        ];
        assert_eq!(imports.number("WdfVersionBind", &arguments), SUCCESS);
        let mut framework = Self {
            table: table.pointer(0),
            globals: globals.pointer(0),
            driver: 0,
            driver_object: imports.driver,
            path: imports.path,
            unbind: imports.function("WdfVersionUnbind"),
        };
        let config = Memory::new(&[0x20, device_add, callback_address() as u64, flags]);
        let (object, path) = (imports.driver, imports.path);
        let arguments = [object, path, 0, config.address(), driver.address()];
        assert_eq!(framework.number("DriverCreate", &arguments), SUCCESS);
        framework.driver = driver.pointer(0);
        assert_ne!(framework.driver, 0);
        framework
    }

    /// Calls a function by its name without `Wdf`.
    fn call(&self, name: &str, arguments: &[usize]) -> usize {
        let place = kmdf::NAMES.iter().position(|own| *own == name).unwrap();
        let function = inside::word_at(self.table + 8 * place);
        inside::call(function, &[&[self.globals], arguments].concat())
    }

    fn number(&self, name: &str, arguments: &[usize]) -> u32 {
        self.call(name, arguments) as u32
    }

    /// Calls a function whose last argument is an output, which gets a handle. The arguments before are given.
    fn make(&self, name: &str, arguments: &[usize]) -> usize {
        let output = Memory::new(&[0]);
        let arguments = [arguments, &[output.address()]].concat();
        assert_eq!(self.number(name, &arguments), SUCCESS, "{name}");
        assert_ne!(output.pointer(0), 0, "{name}");
        output.pointer(0)
    }

    /// The characters of a string object.
    fn text(&self, string: usize) -> String {
        let counted = Memory::new(&[0, 0]);
        self.call("StringGetUnicodeString", &[string, counted.address()]);
        let (length, start) = (counted.number(0) & 0xffff, counted.pointer(1));
        let unit = |place| inside::word_at(start + 2 * place as usize) as u16;
        String::from_utf16(&(0..length / 2).map(unit).collect::<Vec<_>>()).unwrap()
    }
}

thread_local! {
    /// The objects that callbacks got on this thread, which is that of one driver.
    static CALLS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A callback whose first argument is an object.
extern "win64" fn callback(object: usize) {
    CALLS.with_borrow_mut(|calls| calls.push(object));
}

fn callback_address() -> usize {
    (callback as *const ()).expose_provenance()
}

/// How often the callback got an object.
fn calls(object: usize) -> usize {
    CALLS.with_borrow(|calls| calls.iter().filter(|&&call| call == object).count())
}

/// `WDF_OBJECT_ATTRIBUTES`: callbacks for cleanup and destruction, the parent, and a type of context.
fn attributes([cleanup, destroy]: [usize; 2], parent: usize, context: usize) -> Memory {
    let inherit = 1 | 1 << 32;
    let words = [0x38, cleanup, destroy, inherit, parent, 0, context];
    Memory::new(&words.map(|word| word as u64))
}

const NAMES: [&str; 2] = ["WdfVersionBind", "WdfVersionUnbind"];

/// Runs a driver that makes no mistake but one: it has no entry stub, which would undo the binding.
fn driver(mut body: impl FnMut(&Framework) + Send) {
    let run = &mut |imports: &Imports<'_>| body(&Framework::bind(imports));
    let found = inside::run(&host(), "wdfldr.sys", &NAMES, run);
    let expected = "test.sys: the entry stub: unloaded without WdfVersionUnbind";
    assert_eq!(found, [expected]);
}

#[test]
fn drivers() {
    driver(|framework| {
        let object = framework.call("DriverWdmGetDriverObject", &[framework.driver]);
        assert_eq!(object, framework.driver_object);
        let path = framework.call("DriverGetRegistryPath", &[framework.driver]);
        assert_eq!(path, inside::word_at(framework.path + 8));
    });
}

/// What is unbound has no driver object any more, which the globals begin with.
#[test]
fn unbinding() {
    inside::run(&host(), "wdfldr.sys", &NAMES, &mut |imports: &Imports<
        '_,
    >| {
        let framework = Framework::bind(imports);
        assert_eq!(inside::word_at(framework.globals), framework.driver);
        inside::call(framework.unbind, &[framework.path, 0, framework.globals]);
        assert_eq!(inside::word_at(framework.globals), 0);
    });
}

#[test]
fn objects() {
    driver(|framework| {
        let callback = callback_address();
        let with_callbacks = attributes([callback, callback], 0, 0);
        let object = framework.make("ObjectCreate", &[with_callbacks.address()]);
        let [line, file, tag] = [0; 3];
        framework.call("ObjectReferenceActual", &[object, tag, line, file]);
        framework.call("ObjectDelete", &[object]);
        assert_eq!(calls(object), 1, "it is cleaned up, and not destroyed");
        framework.call("ObjectDereferenceActual", &[object, tag, line, file]);
        assert_eq!(calls(object), 2);
    });
}

#[test]
fn contexts() {
    driver(|framework| {
        let name = Memory::new(&[u64::from_le_bytes(*b"Context\0")]);
        let kind = Memory::new(&[0x28, name.address() as u64, 16, 0, 0]);
        let object = framework.make("ObjectCreate", &[0]);
        let typed = |kind: &Memory| {
            framework.call("ObjectGetTypedContextWorker", &[object, kind.address()])
        };
        assert_eq!(typed(&kind), 0);
        let with_context = attributes([0; 2], 0, kind.address());
        let arguments = [object, with_context.address()];
        let context = framework.make("ObjectAllocateContext", &arguments);
        assert_eq!(typed(&kind), context);
        let owner = framework.call("ObjectContextGetObject", &[context]);
        assert_eq!(owner, object);
    });
}

#[test]
fn strings_and_collections() {
    driver(|framework| {
        let string = |text: &str| {
            let text = Unicode::new(text);
            framework.make("StringCreate", &[text.address(), 0])
        };
        let strings = ["one", "two", "three"].map(string);
        assert_eq!(
            strings.map(|own| framework.text(own)),
            ["one", "two", "three"]
        );

        let all = framework.make("CollectionCreate", &[0]);
        let count = || framework.number("CollectionGetCount", &[all]);
        for own in strings {
            assert_eq!(framework.number("CollectionAdd", &[all, own]), SUCCESS);
        }
        assert_eq!(count(), 3);
        assert_eq!(framework.call("CollectionGetFirstItem", &[all]), strings[0]);
        assert_eq!(framework.call("CollectionGetLastItem", &[all]), strings[2]);
        assert_eq!(framework.call("CollectionGetItem", &[all, 1]), strings[1]);
        framework.call("CollectionRemove", &[all, strings[2]]);
        assert_eq!(count(), 2);
        framework.call("CollectionRemoveItem", &[all, 0]);
        assert_eq!(count(), 1);
    });
}

#[test]
fn memory() {
    const NON_PAGED: usize = 0x200;
    driver(|framework| {
        let length = Memory::fresh(1);
        let (bytes, copied) = (Memory::new(&[1, 2]), Memory::new(&[0]));
        let create = [0, NON_PAGED, 0x7473_6554, 16];
        let (output, buffer) = (Memory::new(&[0]), Memory::new(&[0]));
        let arguments = [&create[..], &[output.address(), buffer.address()]].concat();
        assert_eq!(framework.number("MemoryCreate", &arguments), SUCCESS);
        let own = output.pointer(0);
        let found = framework.call("MemoryGetBuffer", &[own, length.address()]);
        assert!(found != 0 && found == buffer.pointer(0) && length.word(0) == 16);
        let from = [own, 0, bytes.address(), 16];
        assert_eq!(framework.number("MemoryCopyFromBuffer", &from), SUCCESS);
        assert_eq!(inside::word_at(found + 8), 2);
        let to = [own, 8, copied.address(), 8];
        assert_eq!(framework.number("MemoryCopyToBuffer", &to), SUCCESS);
        assert_eq!(copied.word(0), 2);

        let given = framework.make("MemoryCreatePreallocated", &[0, bytes.address(), 16]);
        let found = || framework.call("MemoryGetBuffer", &[given, 0]);
        assert_eq!(found(), bytes.address());
        let arguments = [given, copied.address(), 8];
        assert_eq!(framework.number("MemoryAssignBuffer", &arguments), SUCCESS);
        assert_eq!(found(), copied.address());
    });
}

#[test]
fn locks() {
    driver(|framework| {
        let spin = framework.make("SpinLockCreate", &[0]);
        let level = || nmr_host::irql::current().0;
        framework.call("SpinLockAcquire", &[spin]);
        assert_eq!(level(), 2);
        framework.call("SpinLockRelease", &[spin]);
        assert_eq!(level(), 0);

        let (lock, now) = (framework.make("WaitLockCreate", &[0]), Memory::new(&[0]));
        let acquire = || framework.number("WaitLockAcquire", &[lock, now.address()]);
        let elsewhere = || {
            thread::scope(|scope| {
                let other = scope.spawn(|| {
                    let status = acquire();
                    if status == SUCCESS {
                        framework.call("WaitLockRelease", &[lock]);
                    }
                    status
                });
                other.join().unwrap()
            })
        };
        assert_eq!((acquire(), elsewhere()), (SUCCESS, TIMEOUT));
        framework.call("WaitLockRelease", &[lock]);
        assert_eq!(elsewhere(), SUCCESS);
    });
}

#[test]
fn registry_keys() {
    driver(|framework| {
        let path = Unicode::new(r"\Registry\Machine\SOFTWARE\NmrKeys");
        let open = |path: &Unicode| {
            let output = Memory::new(&[0]);
            let arguments = [0, path.address(), 0, 0, output.address()];
            (
                framework.number("RegistryOpenKey", &arguments),
                output.pointer(0),
            )
        };
        let create = |path: &Unicode| {
            let disposition = Memory::fresh(1);
            let arguments = [0, path.address(), 0, 0, disposition.address(), 0];
            let key = framework.make("RegistryCreateKey", &arguments);
            (key, disposition.number(0))
        };
        assert_ne!(open(&path).0, SUCCESS);
        let (created, new) = create(&path);
        assert_eq!(new, 1);
        let (status, opened) = open(&path);
        assert!(status == SUCCESS && opened != 0 && opened != created);
        assert_eq!(framework.number("RegistryRemoveKey", &[opened]), SUCCESS);
        assert_ne!(open(&path).0, SUCCESS, "it is removed");
        let parameters = [framework.driver, 0, 0];
        framework.make("DriverOpenParametersRegistryKey", &parameters);
    });
}

#[test]
fn closed_registry_keys() {
    driver(|framework| {
        let with_cleanup = attributes([callback_address(), 0], 0, 0);
        let arguments = [framework.driver, 0, with_cleanup.address()];
        let key = framework.make("DriverOpenParametersRegistryKey", &arguments);
        framework.call("RegistryClose", &[key]);
        assert_eq!(calls(key), 1);
    });
}

#[test]
fn registry_values() {
    driver(|framework| {
        let key = framework.make("DriverOpenParametersRegistryKey", &[framework.driver, 0, 0]);
        let name = Unicode::new("Value");
        let at = name.address();
        let assign = |function: &str, value: &[usize]| {
            let arguments = [&[key, at], value].concat();
            assert_eq!(
                framework.number(function, &arguments),
                SUCCESS,
                "{function}"
            );
        };
        let number = || {
            let output = Memory::new(&[0]);
            let status = framework.number("RegistryQueryULong", &[key, at, output.address()]);
            (status, output.number(0))
        };
        let text = || {
            let string = framework.make("StringCreate", &[0, 0]);
            let status = framework.number("RegistryQueryString", &[key, at, string]);
            (status, framework.text(string))
        };
        assign("RegistryAssignULong", &[70]);
        assert_eq!(number(), (SUCCESS, 70));
        let bytes = Memory::new(&[80]);
        assign("RegistryAssignValue", &[DWORD, 4, bytes.address()]);
        assert_eq!(number(), (SUCCESS, 80));
        assert_eq!(framework.number("RegistryRemoveValue", &[key, at]), SUCCESS);
        assert_ne!(number().0, SUCCESS);

        let given = Unicode::new("given");
        assign("RegistryAssignUnicodeString", &[given.address()]);
        assert_eq!(text(), (SUCCESS, "given".to_owned()));
        let object = framework.make("StringCreate", &[Unicode::new("object").address(), 0]);
        assign("RegistryAssignString", &[object]);
        assert_eq!(text(), (SUCCESS, "object".to_owned()));
        let output = Unicode::with_room("", 12);
        let arguments = [key, at, 0, output.address()];
        assert_eq!(
            framework.number("RegistryQueryUnicodeString", &arguments),
            SUCCESS
        );
        assert_eq!(output.text(), "object");

        let memory = framework.make("MemoryCreatePreallocated", &[0, bytes.address(), 8]);
        assign("RegistryAssignMemory", &[BINARY, memory, 0]);
        let (output, size, kind) = (Memory::new(&[0]), Memory::new(&[0]), Memory::new(&[0]));
        let query = [key, at, 8, output.address(), size.address(), kind.address()];
        assert_eq!(framework.number("RegistryQueryValue", &query), SUCCESS);
        assert_eq!((output.word(0), size.number(0), kind.number(0)), (80, 8, 3));
        let made = Memory::new(&[0]);
        let query = [key, at, 0x200, 0, made.address(), kind.address()];
        assert_eq!(framework.number("RegistryQueryMemory", &query), SUCCESS);
        let buffer = framework.call("MemoryGetBuffer", &[made.pointer(0), 0]);
        assert_eq!(inside::word_at(buffer), 80);

        let several = Memory::wide("one\0two\0");
        assign("RegistryAssignValue", &[MULTI_SZ, 18, several.address()]);
        let all = framework.make("CollectionCreate", &[0]);
        let query = [key, at, 0, all];
        assert_eq!(
            framework.number("RegistryQueryMultiString", &query),
            SUCCESS
        );
        assert_eq!(framework.number("CollectionGetCount", &[all]), 2);
    });
}

/// `UNICODE_STRING`s that a device has.
const SECURITY: &str = "D:P(A;;GA;;;WD)";

impl Framework {
    /// A control device that can be opened by a link.
    fn control_device(&self, name: &str) -> usize {
        self.device(self.device_init(name), name)
    }

    fn device(&self, init: usize, name: &str) -> usize {
        let pointer = Memory::new(&[init as u64]);
        let device = self.make("DeviceCreate", &[pointer.address(), 0]);
        let link = Unicode::new(&format!(r"\DosDevices\{name}"));
        let arguments = [device, link.address()];
        assert_eq!(self.number("DeviceCreateSymbolicLink", &arguments), SUCCESS);
        device
    }

    /// A `WDFDEVICE_INIT` with a name, for a device that has file objects.
    fn device_init(&self, name: &str) -> usize {
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
    fn queue(&self, device: usize, dispatch: u64, default: u64, control: usize) -> usize {
        const USE_DEFAULT: u64 = 2;
        let presented = if dispatch == PARALLEL {
            u32::MAX.into()
        } else {
            0
        };
        let mut config = [0; 12];
        config[0] = 0x60 | dispatch << 32;
        config[1] = USE_DEFAULT | default << 40;
        config[5] = control as u64;
        config[10] = presented;
        self.make(
            "IoQueueCreate",
            &[device, Memory::new(&config).address(), 0],
        )
    }
}

const PARALLEL: u64 = 2;
const MANUAL: u64 = 3;

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
        // The flags, among them EXCLUSIVE and INITIALIZING; the characteristics; the type.
        let number = |offset| inside::word_at(object + offset) as u32;
        assert_eq!([0x30, 0x34, 0x48].map(number), [0x88, 0x101, 0x8123]);
        let known = framework.call("WdmDeviceGetWdfDeviceHandle", &[object]);
        assert_eq!(known, device);
        let driver = framework.call("DeviceGetDriver", &[device]);
        assert_eq!(driver, framework.driver);
        framework.call("ControlFinishInitializing", &[device]);
        assert_eq!(number(0x30), 8);
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

/// The driver that answers requests.
struct Answering {
    framework: Framework,
    device: usize,
    manual: usize,
    /// The type of the context that requests have.
    context: Memory,
}

static ANSWERING: OnceLock<Answering> = OnceLock::new();

/// How many requests came to `in_caller_context`.
static CAME: AtomicUsize = AtomicUsize::new(0);

/// `EvtIoInCallerContext`.
extern "win64" fn in_caller_context(device: usize, request: usize) {
    CAME.fetch_add(1, Ordering::SeqCst);
    let framework = &ANSWERING.get().unwrap().framework;
    framework.call("DeviceEnqueueRequest", &[device, request]);
}

const fn code(n: u32) -> u32 {
    0x22 << 16 | (0x800 + n) << 2
}
const ABOUT: u32 = code(0);
const SET_INFORMATION: u32 = code(1);
const BOOST: u32 = code(2);
const FORWARD: u32 = code(3);
const RETRIEVE: u32 = code(4);
const CANCELABLE: u32 = code(5);

/// `EvtIoDeviceControl`.
extern "win64" fn control(queue: usize, request: usize, _output: usize, _input: usize, code: u32) {
    let answering = ANSWERING.get().unwrap();
    let Answering {
        framework, manual, ..
    } = answering;
    let complete = |status: u32, information| {
        let arguments = [request, status as usize, information];
        framework.call("RequestCompleteWithInformation", &arguments);
    };
    match code {
        ABOUT => {
            let size = about(answering, request, queue);
            complete(SUCCESS, size);
        }
        SET_INFORMATION => {
            framework.call("RequestSetInformation", &[request, 8]);
            framework.call("RequestComplete", &[request, 0]);
        }
        BOOST => {
            framework.call("RequestSetInformation", &[request, 4]);
            framework.call("RequestCompleteWithPriorityBoost", &[request, 0, 1]);
        }
        FORWARD => {
            let arguments = [request, *manual];
            let status = framework.number("RequestForwardToIoQueue", &arguments);
            assert_eq!(status, SUCCESS);
        }
        RETRIEVE => {
            let (next, function) = (Memory::new(&[0]), "IoQueueRetrieveNextRequest");
            let status = framework.number(function, &[*manual, next.address()]);
            if status == SUCCESS {
                let arguments = [next.pointer(0), 0, 3];
                framework.call("RequestCompleteWithInformation", &arguments);
            }
            complete(status, 0);
        }
        CANCELABLE => {
            framework.call("RequestMarkCancelable", &[request, callback_address()]);
            complete(framework.number("RequestUnmarkCancelable", &[request]), 0);
        }
        _ => complete(0xc000_0010, 0),
    }
}

/// Writes to the output of a request what the framework says about it. Returns the size.
fn about(answering: &Answering, request: usize, queue: usize) -> usize {
    let Answering {
        framework,
        device,
        context,
        ..
    } = answering;
    let (input, length) = (Memory::new(&[0]), Memory::new(&[0]));
    let arguments = [request, 8, input.address(), length.address()];
    framework.call("RequestRetrieveInputBuffer", &arguments);
    let output = Memory::new(&[0]);
    let arguments = [request, 8, output.address(), 0];
    framework.call("RequestRetrieveOutputBuffer", &arguments);
    let memory = framework.make("RequestRetrieveInputMemory", &[request]);
    let parameters = Memory::new(&[0x28, 0, 0, 0, 0]);
    framework.call("RequestGetParameters", &[request, parameters.address()]);
    let file = framework.call("RequestGetFileObject", &[request]);
    framework.call("RequestSetInformation", &[request, 40]);
    let typed = "ObjectGetTypedContextWorker";
    let found = [
        if input.pointer(0) == 0 {
            0
        } else {
            inside::word_at(input.pointer(0))
        },
        length.pointer(0),
        usize::from(output.pointer(0) != 0),
        usize::from(framework.call("MemoryGetBuffer", &[memory, 0]) == input.pointer(0)),
        parameters.number(24) as usize,
        usize::from(framework.call("RequestGetIoQueue", &[request]) == queue),
        usize::from(file != 0 && framework.call("FileObjectGetDevice", &[file]) == *device),
        framework.call("RequestGetRequestorMode", &[request]) & 0xff,
        framework.call("RequestGetInformation", &[request]),
        usize::from(framework.call(typed, &[request, context.address()]) != 0),
    ];
    let memory = framework.make("RequestRetrieveOutputMemory", &[request]);
    let found = Memory::new(&found.map(|word| word as u64));
    let arguments = [memory, 0, found.address(), 80];
    framework.call("MemoryCopyFromBuffer", &arguments);
    80
}

#[test]
fn requests() {
    const DEVICE_CONTROL: usize = 0xe;
    let name = Memory::new(&[u64::from_le_bytes(*b"Context\0")]);
    let host = Host::with_patience(Policy::default(), Some(Duration::from_secs(5)));
    let image = inside::load(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        let framework = Framework::bind(imports);
        let init = framework.device_init("NmrRequests");
        let callback = (in_caller_context as *const ()).expose_provenance();
        framework.call("DeviceInitSetIoInCallerContextCallback", &[init, callback]);
        let context = Memory::new(&[0x28, name.address() as u64, 16, 0, 0]);
        let with_context = attributes([0; 2], 0, context.address());
        let arguments = [init, with_context.address()];
        framework.call("DeviceInitSetRequestAttributes", &arguments);
        let device = framework.device(init, "NmrRequests");
        let manual = framework.queue(device, MANUAL, 0, 0);
        let control = (control as *const ()).expose_provenance();
        let queue = framework.queue(device, PARALLEL, 0, control);
        let arguments = [device, queue, DEVICE_CONTROL];
        framework.call("DeviceConfigureRequestDispatching", &arguments);
        framework.call("ControlFinishInitializing", &[device]);
        let answering = Answering {
            framework,
            device,
            manual,
            context,
        };
        assert!(ANSWERING.set(answering).is_ok());
    });
    let file = host
        .find_device(r"\\.\NmrRequests")
        .unwrap()
        .open()
        .unwrap();
    let send = |code| file.control(code, &[7; 8], 80).unwrap();
    let (status, output) = send(ABOUT);
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let words: Vec<_> = output.chunks_exact(8).map(word).collect();
    let sevens = u64::from_le_bytes([7; 8]);
    assert_eq!(
        (status, &*words),
        (0, &[sevens, 8, 1, 1, ABOUT.into(), 1, 1, 1, 40, 1][..])
    );
    assert_eq!(CAME.load(Ordering::SeqCst), 1);
    assert_eq!(send(SET_INFORMATION), (0, vec![7; 8]));
    assert_eq!(send(BOOST), (0, vec![7; 4]));
    thread::scope(|scope| {
        let forwarded = scope.spawn(|| send(FORWARD));
        let mut tries = 0..100_000;
        let found = tries.any(|_| send(RETRIEVE).0.cast_unsigned() != NO_MORE_ENTRIES);
        assert!(found, "the request is not in the queue");
        assert_eq!(forwarded.join().unwrap(), (0, vec![7; 3]));
    });
    assert_eq!(send(CANCELABLE).0, 0);
    drop(file);
    let unloaded = image.unload();
    let expected = "test.sys: the entry stub: unloaded without WdfVersionUnbind";
    assert_eq!(
        (lines(&host.reports()), unloaded.unmapped),
        (vec![expected.to_owned()], true)
    );
}
