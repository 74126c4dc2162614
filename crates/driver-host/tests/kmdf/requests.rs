//! Requests.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use driver_host::Host;
use nmr_host::Policy;

use super::Framework;
use super::NAMES;
use super::NO_MORE_ENTRIES;
use super::SUCCESS;
use super::attributes;
use super::callback_address;
use super::common::code;
use super::common::inside;
use super::common::inside::Imports;
use super::common::inside::Memory;
use super::common::lines;
use super::devices::MANUAL;
use super::devices::PARALLEL;

/// The driver that answers requests.
struct Answering {
    framework: Framework,
    device: usize,
    manual: usize,
    /// A parallel queue, whose callback lingers.
    other: usize,
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

const ABOUT: u32 = code(0);
const SET_INFORMATION: u32 = code(1);
const BOOST: u32 = code(2);
const FORWARD: u32 = code(3);
const RETRIEVE: u32 = code(4);
const CANCELABLE: u32 = code(5);
const LINGER: u32 = code(6);

/// `EvtIoDeviceControl` of the other queue: completes, and is still inside while the driver is unloaded.
extern "win64" fn linger(_queue: usize, request: usize, _output: usize, _input: usize, _code: u32) {
    let framework = &ANSWERING.get().unwrap().framework;
    framework.call("RequestComplete", &[request, 0]);
    thread::sleep(Duration::from_millis(100));
}

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
        LINGER => {
            let arguments = [request, answering.other];
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
        let linger = (linger as *const ()).expose_provenance();
        let other = framework.queue(device, PARALLEL, 0, linger);
        let arguments = [device, queue, DEVICE_CONTROL];
        framework.call("DeviceConfigureRequestDispatching", &arguments);
        framework.call("ControlFinishInitializing", &[device]);
        let answering = Answering {
            framework,
            device,
            manual,
            other,
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
    assert_eq!(send(LINGER).0, 0);
    drop(file);
    let unloaded = image.unload();
    let expected = "test.sys: the entry stub: unloaded without WdfVersionUnbind";
    assert_eq!(
        (lines(&host.reports()), unloaded.unmapped),
        (vec![expected.to_owned()], true)
    );
}
