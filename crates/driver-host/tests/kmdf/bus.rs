//! Bus drivers: children in a list, which come and go, and static ones.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use driver_host::{Child, Handle, Host, Image};
use nmr_host::Policy;
use nmr_sys::GUID;

use super::common::inside::{self, Imports, Memory, Unicode};
use super::common::{code, lines};
use super::devices::{CONTROL, PARALLEL};
use super::{Framework, NAMES, NO_MORE_ENTRIES, SUCCESS};

const NAME_EXISTS: u32 = 0x4000_0000;
const INVALID_REQUEST: u32 = 0xc000_0010;
const NO_SUCH_DEVICE: u32 = 0xc000_000e;

/// The codes of the bus device. The input is the serial number of a child.
const ADD: u32 = code(0);
const REMOVE: u32 = code(1);
/// Answers with the number of children.
const COUNT: u32 = code(2);
/// Finds only this child.
const SCAN: u32 = code(3);
/// Answers with the state of a child, 1 if it has a device.
const FIND: u32 = code(4);
/// Marks the static child as missing.
const MARK: u32 = code(5);
/// Answers with the number of static children.
const STATIC: u32 = code(6);
/// Reports a description of another size.
const WRONG: u32 = code(7);
/// Ejects a child, through the list or through its device.
const EJECT: u32 = code(8);
const EJECT_DEVICE: u32 = code(9);

const BUS: [u64; 2] = [0x6677_4455_0011_2233, 0x1eee_ddcc_bbaa_9901];
const CHILD: [u64; 2] = [0x6677_4455_0011_2233, 0x1eee_ddcc_bbaa_9902];

static DRIVER: OnceLock<Framework> = OnceLock::new();
static LIST: AtomicUsize = AtomicUsize::new(0);
static BUS_DEVICE: AtomicUsize = AtomicUsize::new(0);
static STATIC_CHILD: AtomicUsize = AtomicUsize::new(0);
/// How many descriptions were compared, and how many duplicates were cleaned up.
static COMPARED: AtomicUsize = AtomicUsize::new(0);
static CLEANED: AtomicUsize = AtomicUsize::new(0);

fn framework() -> &'static Framework {
    DRIVER.get().unwrap()
}

fn address(function: *const ()) -> usize {
    function.expose_provenance()
}

/// The identification of a child: its size, and a serial number.
fn description(serial: u64) -> Memory {
    Memory::new(&[0x10 | serial << 32, 0])
}

fn serial(description: usize) -> u32 {
    inside::number_at(description + 4)
}

/// `EvtChildListIdentificationDescriptionCompare`.
extern "win64" fn compare(_list: usize, first: usize, second: usize) -> u8 {
    COMPARED.fetch_add(1, Ordering::SeqCst);
    (serial(first) == serial(second)).into()
}

/// `EvtChildListIdentificationDescriptionDuplicate`.
extern "win64" fn duplicate(_list: usize, from: usize, to: usize) -> u32 {
    inside::store_word(to, inside::word_at(from));
    SUCCESS
}

/// `EvtChildListIdentificationDescriptionCleanup`.
extern "win64" fn cleanup(_list: usize, description: usize) {
    assert_ne!(serial(description), 0);
    CLEANED.fetch_add(1, Ordering::SeqCst);
}

/// Says what identifies a child, and makes its device, which has an interface.
fn make_child(init: usize, serial: u32) -> (u32, usize) {
    let framework = framework();
    let assign = |name: &str, text: &str| {
        let text = Unicode::new(text);
        assert_eq!(
            framework.number(name, &[init, text.address()]),
            SUCCESS,
            "{name}"
        );
    };
    assign("PdoInitAssignDeviceID", r"NMR\Child");
    assign("PdoInitAssignInstanceID", &format!("{serial}"));
    assign("PdoInitAddHardwareID", r"NMR\Child&1");
    assign("PdoInitAddHardwareID", r"NMR\Child");
    assign("PdoInitAddCompatibleID", r"NMR\Any");
    let (text, place) = (Unicode::new("a child"), Unicode::new("nowhere"));
    let arguments = [init, text.address(), place.address(), 0x409];
    assert_eq!(
        framework.number("PdoInitAddDeviceText", &arguments),
        SUCCESS
    );
    framework.call("PdoInitSetDefaultLocale", &[init, 0x409]);
    let (pointer, output) = (Memory::new(&[init as u64]), Memory::new(&[0]));
    let arguments = [pointer.address(), 0, output.address()];
    let status = framework.number("DeviceCreate", &arguments);
    if status == SUCCESS {
        let class = Memory::new(&CHILD);
        framework.number(
            "DeviceCreateDeviceInterface",
            &[output.pointer(0), class.address(), 0],
        );
    }
    (status, output.pointer(0))
}

/// `EvtChildListCreateDevice`.
extern "win64" fn create_child(list: usize, identification: usize, init: usize) -> u32 {
    assert_eq!(list, LIST.load(Ordering::SeqCst));
    let (status, device) = make_child(init, serial(identification));
    let bus = BUS_DEVICE.load(Ordering::SeqCst);
    assert_eq!(framework().call("PdoGetParent", &[device]), bus);
    let found = description(0);
    let name = "PdoRetrieveIdentificationDescription";
    assert_eq!(
        framework().number(name, &[device, found.address()]),
        SUCCESS
    );
    assert_eq!(serial(found.address()), serial(identification));
    status
}

/// Counts the children in the list with an iterator.
fn count() -> u32 {
    const ALL: u64 = 7;
    let framework = framework();
    let list = LIST.load(Ordering::SeqCst);
    let iterator = Memory::new(&[0x28 | ALL << 32, 0, 0, 0, 0]);
    framework.call("ChildListBeginIteration", &[list, iterator.address()]);
    let mut count = 0;
    loop {
        let (device, found) = (Memory::new(&[0]), description(0));
        let info = Memory::new(&[0x28, found.address() as u64, 0, 0, 0]);
        let arguments = [list, iterator.address(), device.address(), info.address()];
        let status = framework.number("ChildListRetrieveNextDevice", &arguments);
        if status == NO_MORE_ENTRIES {
            break;
        }
        assert_eq!(status, SUCCESS);
        assert_ne!(serial(found.address()), 0);
        // A child whose device is not there yet has none.
        let there = if device.pointer(0) == 0 { 2 } else { 1 };
        assert_eq!(info.number(0x18), there);
        count += 1;
        assert!(count < 100);
    }
    framework.call("ChildListEndIteration", &[list, iterator.address()]);
    count
}

/// Counts the static children.
fn count_static() -> u32 {
    const ALL: usize = 7;
    let (framework, bus) = (framework(), BUS_DEVICE.load(Ordering::SeqCst));
    framework.call("FdoLockStaticChildListForIteration", &[bus]);
    let (mut child, mut count) = (0, 0);
    loop {
        child = framework.call("FdoRetrieveNextStaticChild", &[bus, child, ALL]);
        if child == 0 {
            break;
        }
        count += 1;
        assert!(count < 100);
    }
    framework.call("FdoUnlockStaticChildListFromIteration", &[bus]);
    count
}

fn scan(serial: u64) -> u32 {
    let (framework, list) = (framework(), LIST.load(Ordering::SeqCst));
    framework.call("ChildListBeginScan", &[list]);
    let name = "ChildListAddOrUpdateChildDescriptionAsPresent";
    let status = framework.number(name, &[list, description(serial).address(), 0]);
    framework.call("ChildListEndScan", &[list]);
    status
}

/// The device of a child, and the state of that.
fn device_of(serial: u64) -> (usize, u32) {
    let (list, wanted) = (LIST.load(Ordering::SeqCst), description(serial));
    let info = Memory::new(&[0x28, wanted.address() as u64, 0, 0, 0]);
    let device = framework().call("ChildListRetrievePdo", &[list, info.address()]);
    assert_eq!(device != 0, info.number(0x18) == 1);
    (device, info.number(0x18))
}

fn find(serial: u64) -> u32 {
    device_of(serial).1
}

/// `EvtIoDeviceControl` of the bus device.
extern "win64" fn control(_queue: usize, request: usize, _output: usize, _input: usize, code: u32) {
    let (framework, list) = (framework(), LIST.load(Ordering::SeqCst));
    let (buffer, length) = (Memory::new(&[0]), Memory::new(&[0]));
    let arguments = [request, 1, buffer.address(), length.address()];
    framework.call("RequestRetrieveInputBuffer", &arguments);
    let serial = u64::from(inside::number_at::<u8>(buffer.pointer(0)));
    let own = description(serial);
    let report = |name: &str| framework.number(name, &[list, own.address(), 0]);
    let status = match code {
        ADD => report("ChildListAddOrUpdateChildDescriptionAsPresent"),
        REMOVE => report("ChildListUpdateChildDescriptionAsMissing"),
        COUNT => count(),
        SCAN => scan(serial),
        FIND => find(serial),
        EJECT => report("ChildListRequestChildEject") & 0xff,
        EJECT_DEVICE => {
            framework.call("PdoRequestEject", &[device_of(serial).0]);
            SUCCESS
        }
        MARK => framework.number("PdoMarkMissing", &[STATIC_CHILD.load(Ordering::SeqCst)]),
        WRONG => {
            let wrong = Memory::new(&[0x18, 0, 0]);
            let name = "ChildListAddOrUpdateChildDescriptionAsPresent";
            framework.number(name, &[list, wrong.address(), 0])
        }
        _ => count_static(),
    };
    // There is no output: this is how much of the input was used.
    let arguments = [request, status as usize, 1];
    framework.call("RequestCompleteWithInformation", &arguments);
}

/// `EvtDriverDeviceAdd`: a bus with two children, of which one is static.
extern "win64" fn add_device(_driver: usize, init: usize) -> u32 {
    let framework = framework();
    let functions = [
        duplicate as *const (),
        cleanup as *const (),
        compare as *const (),
    ];
    let mut config = [0; 12];
    config[..3].copy_from_slice(&[
        0x60 | 0x10 << 32,
        0,
        address(create_child as *const ()) as u64,
    ]);
    config[5..8].copy_from_slice(&functions.map(|function| address(function) as u64));
    let config = Memory::new(&config);
    let arguments = [init, config.address(), 0];
    framework.call("FdoInitSetDefaultChildListConfig", &arguments);
    let pointer = Memory::new(&[init as u64]);
    let device = framework.make("DeviceCreate", &[pointer.address(), 0]);
    let list = framework.call("FdoGetDefaultChildList", &[device]);
    assert_eq!(framework.call("ChildListGetDevice", &[list]), device);
    LIST.store(list, Ordering::SeqCst);
    BUS_DEVICE.store(device, Ordering::SeqCst);
    let callbacks = [(CONTROL, address(control as *const ()))];
    framework.queue_with(device, PARALLEL, 1, &callbacks);
    let class = Memory::new(&BUS);
    framework.number("DeviceCreateDeviceInterface", &[device, class.address(), 0]);

    let name = "ChildListAddOrUpdateChildDescriptionAsPresent";
    assert_eq!(
        framework.number(name, &[list, description(1).address(), 0]),
        SUCCESS
    );
    let init = framework.call("PdoInitAllocate", &[device]);
    assert_ne!(init, 0);
    let (status, child) = make_child(init, 77);
    assert_eq!(status, SUCCESS);
    STATIC_CHILD.store(child, Ordering::SeqCst);
    framework.number("FdoAddStaticChild", &[device, child])
}

fn instances(children: &[Child]) -> Vec<&str> {
    children.iter().map(|child| &*child.instance_id).collect()
}

/// Waits until the children have these instance IDs.
fn wait_for(image: &Image, expected: &[&str]) {
    let there = (0..10_000).any(|_| {
        thread::sleep(Duration::from_millis(1));
        instances(&image.children()) == expected
    });
    assert!(there, "{:?}, not {expected:?}", image.children());
}

fn ask(bus: &Handle, code: u32, serial: u8) -> u32 {
    bus.control(code, &[serial], 0).unwrap().0.cast_unsigned()
}

#[test]
fn children_come_and_go() {
    let host = Host::with_patience(Policy::default(), Some(Duration::from_secs(30)));
    let image = inside::load(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        let framework = Framework::bind_with(imports, address(add_device as *const ()) as u64, 0);
        assert!(DRIVER.set(framework).is_ok());
    });
    image.add_device().unwrap();
    // Those that were reported before the start are there at once.
    let children = image.children();
    assert_eq!(instances(&children), ["77", "1"]);
    assert_eq!(children[1].device_id, r"NMR\Child");
    assert_eq!(children[1].hardware_ids, [r"NMR\Child&1", r"NMR\Child"]);
    assert_eq!(children[1].compatible_ids, [r"NMR\Any"]);
    let class = GUID::from_u128(0x0011_2233_4455_6677_0199_aabb_ccdd_ee1e);
    let bus = image.interfaces(class)[0].open().unwrap();
    assert_eq!(ask(&bus, ADD, 2), SUCCESS);
    wait_for(&image, &["77", "1", "2"]);
    assert_eq!(ask(&bus, ADD, 2), NAME_EXISTS);
    assert!(COMPARED.load(Ordering::SeqCst) > 0);
    assert_eq!(ask(&bus, COUNT, 1), 2);
    assert_eq!([ask(&bus, FIND, 2), ask(&bus, FIND, 9)], [1, 3]);
    let class = GUID::from_u128(0x0011_2233_4455_6677_0299_aabb_ccdd_ee1e);
    let interfaces = image.interfaces(class);
    assert_eq!(interfaces.len(), 3);
    drop(interfaces[1].open().unwrap());

    assert_eq!(ask(&bus, REMOVE, 1), SUCCESS);
    wait_for(&image, &["77", "2"]);
    assert_eq!(ask(&bus, REMOVE, 1), NO_SUCH_DEVICE);
    assert_eq!(ask(&bus, SCAN, 3), SUCCESS);
    wait_for(&image, &["77", "3"]);
    assert_eq!([ask(&bus, EJECT, 9), ask(&bus, EJECT, 3)], [0, 1]);
    wait_for(&image, &["77"]);
    for serial in [4, 5] {
        assert_eq!(ask(&bus, ADD, serial), SUCCESS);
    }
    wait_for(&image, &["77", "4", "5"]);
    assert_eq!(ask(&bus, EJECT_DEVICE, 5), SUCCESS);
    wait_for(&image, &["77", "4"]);
    assert_eq!(ask(&bus, STATIC, 1), 1);
    assert_eq!(ask(&bus, MARK, 1), SUCCESS);
    wait_for(&image, &["4"]);
    assert_eq!(ask(&bus, STATIC, 1), 0);
    assert_eq!(ask(&bus, WRONG, 1), INVALID_REQUEST);
    drop(bus);
    assert!(image.unload().unmapped);
    assert_eq!(CLEANED.load(Ordering::SeqCst), 5);
    let expected = [
        "test.sys: WdfChildListAddOrUpdateChildDescriptionAsPresent: the size of the description is 24, not 16; answered 0xc0000010",
        "test.sys: the entry stub: unloaded without WdfVersionUnbind",
    ];
    assert_eq!(lines(&host.reports()), expected);
}
