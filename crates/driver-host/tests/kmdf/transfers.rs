//! Requests whose buffers come by other methods than a copy: reads, writes, direct and neither.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use driver_host::Host;
use nmr_host::Policy;

use super::common::inside::{self, Imports, Memory};
use super::common::{code, lines};
use super::devices::{CONTROL, MANUAL, PARALLEL, READ, WRITE};
use super::{Framework, NAMES, SUCCESS};

const CANCELLED: u32 = 0xc000_0120;
const INVALID_REQUEST: u32 = 0xc000_0010;
const INVALID_USER_BUFFER: u32 = 0xc000_00e8;
const ACCESS_VIOLATION: u32 = 0xc000_0005;

const IN_DIRECT: u32 = code(0) | 1;
const OUT_DIRECT: u32 = code(1) | 2;
const NEITHER: u32 = code(2) | 3;
/// Waits until it is canceled.
const CANCELED: u32 = code(3);
/// Takes a read of the same file from the manual queue.
const TAKE: u32 = code(4);

/// The driver.
static DRIVER: OnceLock<Framework> = OnceLock::new();
/// Its manual queue, where the reads of one device wait.
static READS: AtomicUsize = AtomicUsize::new(0);
/// How often a read has come there while it was empty.
static READY: AtomicUsize = AtomicUsize::new(0);
/// Whether a request could be canceled, and cannot any more.
static UNMARKED: AtomicBool = AtomicBool::new(false);
/// How many reads and writes have come to `read` and `write`.
static TRANSFERS: AtomicUsize = AtomicUsize::new(0);
/// The memory objects of the input and the output of requests in flight.
static LOCKED: Mutex<Option<HashMap<usize, [usize; 2]>>> = Mutex::new(None);

fn framework() -> &'static Framework {
    DRIVER.get().unwrap()
}

fn complete(request: usize, status: u32, information: usize) {
    let arguments = [request, status as usize, information];
    framework().call("RequestCompleteWithInformation", &arguments);
}

/// Retrieves a buffer. Returns the status, the address and the length.
fn buffer(name: &str, request: usize, minimum: usize) -> (u32, usize, usize) {
    let (address, length) = (Memory::new(&[0]), Memory::new(&[0]));
    let arguments = [request, minimum, address.address(), length.address()];
    let status = framework().number(name, &arguments);
    (status, address.pointer(0), length.pointer(0))
}

/// The buffer that the MDL of a request describes.
fn described(name: &str, request: usize) -> (u32, usize, usize) {
    let mdl = Memory::new(&[0]);
    let status = framework().number(name, &[request, mdl.address()]);
    if status != SUCCESS {
        return (status, 0, 0);
    }
    let mdl = mdl.pointer(0);
    let number = |place| inside::number_at::<u32>(mdl + place) as usize;
    (
        status,
        inside::word_at(mdl + 0x20) + number(0x2c),
        number(0x28),
    )
}

/// `EvtIoRead`: every byte that is read is its place in the device, which begins at the offset.
extern "win64" fn read(_queue: usize, request: usize, length: usize) {
    TRANSFERS.fetch_add(1, Ordering::SeqCst);
    let parameters = Memory::new(&[0x28, 0, 0, 0, 0]);
    framework().call("RequestGetParameters", &[request, parameters.address()]);
    assert_eq!(parameters.number(4), 3);
    assert_eq!(parameters.pointer(1), length);
    let offset = parameters.pointer(3);
    let input = buffer("RequestRetrieveInputBuffer", request, 0);
    assert_eq!(input, (INVALID_REQUEST, 0, 0));
    let output = buffer("RequestRetrieveOutputBuffer", request, 1);
    if output.0 == SUCCESS {
        assert_eq!(output.2, length);
        assert_eq!(described("RequestRetrieveOutputWdmMdl", request), output);
        fill(output.1, offset, length);
    } else {
        // What is neither copied nor locked is used in the program's context only.
        assert_eq!(output.0, INVALID_REQUEST);
    }
    complete(request, output.0, length);
}

fn fill(address: usize, first: usize, length: usize) {
    for place in 0..length {
        inside::store_byte(address + place, (first + place) as u8);
    }
}

/// `EvtIoWrite`: answers with the sum of the bytes as the status of a warning.
extern "win64" fn write(_queue: usize, request: usize, length: usize) {
    TRANSFERS.fetch_add(1, Ordering::SeqCst);
    let output = buffer("RequestRetrieveOutputBuffer", request, 0);
    assert_eq!(output, (INVALID_REQUEST, 0, 0));
    let input = buffer("RequestRetrieveInputBuffer", request, length);
    assert_eq!((input.0, input.2), (SUCCESS, length));
    assert_eq!(described("RequestRetrieveInputWdmMdl", request), input);
    complete(request, sum(input.1, length), length);
}

fn sum(address: usize, length: usize) -> u32 {
    let byte = |place| u32::from(inside::number_at::<u8>(address + place));
    (0..length).map(byte).sum()
}

/// `EvtIoInCallerContext`: locks what a request leaves to its program.
extern "win64" fn in_caller_context(device: usize, request: usize) {
    // The MDL ends with the request, whether the driver gets that from its queue or not.
    described("RequestRetrieveOutputWdmMdl", request);
    let input = buffer("RequestRetrieveUnsafeUserInputBuffer", request, 1);
    let output = buffer("RequestRetrieveUnsafeUserOutputBuffer", request, 1);
    if [input.0, output.0] == [SUCCESS; 2] {
        let lock = |name: &str, address, length| {
            let memory = Memory::new(&[0]);
            let arguments = [request, address, length, memory.address()];
            (framework().number(name, &arguments), memory.pointer(0))
        };
        let reading = "RequestProbeAndLockUserBufferForRead";
        let writing = "RequestProbeAndLockUserBufferForWrite";
        assert_eq!(lock(reading, input.1, 0).0, INVALID_USER_BUFFER);
        assert_eq!(lock(writing, 0x10, 8).0, ACCESS_VIOLATION);
        let (read, from) = lock(reading, input.1, input.2);
        let (written, to) = lock(writing, output.1, output.2);
        assert_eq!([read, written], [SUCCESS; 2]);
        let mut locked = LOCKED.lock().unwrap();
        locked.get_or_insert_default().insert(request, [from, to]);
    }
    framework().call("DeviceEnqueueRequest", &[device, request]);
}

/// `EvtIoDeviceControl`.
extern "win64" fn control(_queue: usize, request: usize, room: usize, given: usize, code: u32) {
    let input = || buffer("RequestRetrieveInputBuffer", request, 1);
    let output = || buffer("RequestRetrieveOutputBuffer", request, 1);
    match code {
        IN_DIRECT => {
            let (input, output) = (input(), output());
            assert_eq!([input.0, output.0], [SUCCESS; 2]);
            assert_eq!(described("RequestRetrieveInputWdmMdl", request), input);
            let status = sum(input.1, given) + sum(output.1, room);
            complete(request, status, 0);
        }
        OUT_DIRECT => {
            let (input, output) = (input(), output());
            assert_eq!(described("RequestRetrieveOutputWdmMdl", request), output);
            fill(output.1, sum(input.1, given) as usize, room);
            complete(request, SUCCESS, room);
        }
        NEITHER => {
            assert_eq!([input().0, output().0], [INVALID_REQUEST; 2]);
            let mdl = described("RequestRetrieveOutputWdmMdl", request);
            assert_eq!(mdl.0, INVALID_REQUEST);
            let locked = LOCKED.lock().unwrap().as_mut().unwrap().remove(&request);
            let [from, to] = locked.unwrap().map(|memory| {
                let address = framework().call("MemoryGetBuffer", &[memory, 0]);
                assert_ne!(address, 0);
                address
            });
            fill(to, sum(from, given) as usize, room);
            complete(request, SUCCESS, room);
        }
        CANCELED => {
            let mark = || {
                let arguments = [request, super::callback_address()];
                framework().number("RequestMarkCancelableEx", &arguments)
            };
            let (first, unmarked) = (mark(), "RequestUnmarkCancelable");
            assert_eq!(
                (first, framework().number(unmarked, &[request])),
                (SUCCESS, SUCCESS)
            );
            UNMARKED.store(true, Ordering::SeqCst);
            let canceled = || framework().call("RequestIsCanceled", &[request]) as u8 != 0;
            let mut tries = 0..100_000;
            let found = tries.any(|_| {
                thread::yield_now();
                canceled()
            });
            assert!(found, "the request is not canceled");
            let status = mark();
            complete(request, status, 0);
        }
        _ => {
            let file = framework().call("RequestGetFileObject", &[request]);
            let (taken, reads) = (Memory::new(&[0]), READS.load(Ordering::SeqCst));
            let arguments = [reads, file, taken.address()];
            let status = framework().number("IoQueueRetrieveRequestByFileObject", &arguments);
            if status == SUCCESS {
                complete(taken.pointer(0), SUCCESS, 0);
            }
            complete(request, status, 0);
        }
    }
}

/// `EvtIoQueueState`.
extern "win64" fn ready(queue: usize, context: usize) {
    assert_eq!((queue, context), (READS.load(Ordering::SeqCst), 0x77));
    READY.fetch_add(1, Ordering::SeqCst);
}

/// A device whose reads and writes have a method.
fn device(framework: &Framework, name: &str, io_type: usize) -> usize {
    let init = framework.device_init(name);
    framework.call("DeviceInitSetIoType", &[init, io_type]);
    let in_context = (in_caller_context as *const ()).expose_provenance();
    framework.call(
        "DeviceInitSetIoInCallerContextCallback",
        &[init, in_context],
    );
    let device = framework.device(init, name);
    let callbacks = [
        (READ, read as *const ()),
        (WRITE, write as *const ()),
        (CONTROL, control as *const ()),
    ];
    let callbacks = callbacks.map(|(place, function)| (place, function.expose_provenance()));
    framework.queue_with(device, PARALLEL, 1, &callbacks);
    device
}

/// Loads the driver, which has a device for each method.
fn loaded() -> (Host, driver_host::Image) {
    let host = Host::with_patience(Policy::default(), Some(Duration::from_secs(5)));
    let image = inside::load(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        const READS_ONLY: usize = 3;
        let framework = Framework::bind(imports);
        let names = [
            ("NmrNeither", 1),
            ("NmrBuffered", 2),
            ("NmrDirect", 3),
            ("NmrWaiting", 2),
        ];
        let devices = names.map(|(name, kind)| device(&framework, name, kind));
        let reads = framework.queue(devices[3], MANUAL, 0, 0);
        READS.store(reads, Ordering::SeqCst);
        framework.call(
            "DeviceConfigureRequestDispatching",
            &[devices[3], reads, READS_ONLY],
        );
        let callback = (ready as *const ()).expose_provenance();
        let notify = || framework.number("IoQueueReadyNotify", &[reads, callback, 0x77]);
        assert_eq!([notify(), notify()], [SUCCESS, INVALID_REQUEST]);
        for device in devices {
            framework.call("ControlFinishInitializing", &[device]);
        }
        assert!(DRIVER.set(framework).is_ok());
    });
    (host, image)
}

#[test]
fn transfers() {
    let (host, image) = loaded();
    let open = |name: &str| {
        let found = host.find_device(&format!(r"\\.\{name}"));
        found.unwrap().open().unwrap()
    };
    let files = ["NmrNeither", "NmrBuffered", "NmrDirect", "NmrWaiting"].map(open);
    let [neither, buffered, direct, waiting] = &files;
    for file in [buffered, direct] {
        let bytes = (7..39).collect::<Vec<u8>>();
        assert_eq!(file.read(7, 32).unwrap(), (0, bytes));
        assert_eq!(file.write(0, &[1, 2, 250]).unwrap(), (253, 3));
    }
    let before = TRANSFERS.load(Ordering::SeqCst);
    assert_eq!(before, 4);
    // The framework answers what transfers nothing.
    assert_eq!(buffered.read(0, 0).unwrap(), (0, vec![]));
    assert_eq!(direct.write(0, &[]).unwrap(), (0, 0));
    assert_eq!(TRANSFERS.load(Ordering::SeqCst), before);
    let refused = (INVALID_REQUEST.cast_signed(), vec![]);
    assert_eq!(neither.read(0, 8).unwrap(), refused);

    let mut data = [3; 4];
    assert_eq!(
        direct
            .control_in_place(IN_DIRECT, &[1, 1], &mut data)
            .unwrap(),
        (14, 0)
    );
    assert_eq!(
        direct.control(OUT_DIRECT, &[5, 4], 3).unwrap(),
        (0, vec![9, 10, 11])
    );
    assert_eq!(
        direct.control(NEITHER, &[20, 1], 2).unwrap(),
        (0, vec![21, 22])
    );

    thread::scope(|scope| {
        let canceled = scope.spawn(|| direct.control(CANCELED, &[0], 0).unwrap());
        while !UNMARKED.load(Ordering::SeqCst) && !canceled.is_finished() {
            thread::yield_now();
        }
        assert_eq!(direct.cancel().unwrap(), 1);
        assert_eq!(canceled.join().unwrap().0, CANCELLED.cast_signed());

        let none = 0x8000_001a_u32.cast_signed();
        assert_eq!(waiting.control(TAKE, &[0], 0).unwrap().0, none);
        let reading = scope.spawn(|| waiting.read(0, 8).unwrap());
        let mut tries = 0..1_000_000;
        let taken = tries.any(|_| waiting.control(TAKE, &[0], 0).unwrap().0 == 0);
        assert!(taken, "the read is not in the queue");
        assert_eq!(reading.join().unwrap(), (0, vec![]));
        assert_eq!(READY.load(Ordering::SeqCst), 1);

        let reading = scope.spawn(|| waiting.read(0, 8).unwrap());
        let mut tries = 0..1_000_000;
        let canceled =
            tries.any(|_| READY.load(Ordering::SeqCst) == 2 && waiting.cancel().unwrap() == 1);
        assert!(canceled, "the read does not wait");
        assert_eq!(reading.join().unwrap(), (CANCELLED.cast_signed(), vec![]));
    });

    drop(files);
    assert!(image.unload().unmapped);
    let expected = [
        "test.sys: WdfIoQueueReadyNotify: the queue has such a callback already; answered 0xc0000010",
        "test.sys: the entry stub: unloaded without WdfVersionUnbind",
    ];
    assert_eq!(lines(&host.reports()), expected);
}
