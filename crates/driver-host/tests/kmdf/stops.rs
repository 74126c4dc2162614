//! Requests that a driver has when its device leaves the working state.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use driver_host::Host;
use nmr_host::Policy;
use nmr_sys::GUID;

use super::common::code;
use super::common::inside::{self, Imports, Memory};
use super::devices::{CONTROL, PARALLEL, STOP};
use super::{Framework, NAMES, SUCCESS};

/// The driver keeps the request, and gives it back when its hardware is released.
const KEPT: u32 = code(0);
/// The driver gives it back to its queue.
const REQUEUED: u32 = code(1);

const CANCELLED: u32 = 0xc000_0120;
const CLASS: [u64; 2] = [0x6677_4455_0011_2233, 0xffee_ddcc_bbaa_9977];

static DRIVER: OnceLock<Framework> = OnceLock::new();
/// The request that is kept, and the other.
static HELD: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// `EvtIoDeviceControl`.
extern "win64" fn control(_queue: usize, request: usize, _output: usize, _input: usize, code: u32) {
    HELD[usize::from(code == REQUEUED)].store(request, Ordering::SeqCst);
}

/// `EvtIoStop`.
extern "win64" fn stop(_queue: usize, request: usize, _flags: u32) {
    let requeue = usize::from(request == HELD[1].load(Ordering::SeqCst));
    let framework = DRIVER.get().unwrap();
    framework.call("RequestStopAcknowledge", &[request, requeue]);
}

/// `EvtDeviceReleaseHardware`.
extern "win64" fn release(_device: usize, _resources: usize) -> u32 {
    let kept = HELD[0].load(Ordering::SeqCst);
    DRIVER.get().unwrap().call("RequestComplete", &[kept, 0]);
    SUCCESS
}

/// `EvtDriverDeviceAdd`.
extern "win64" fn add_device(_driver: usize, init: usize) -> u32 {
    const RELEASE_HARDWARE: usize = 5;
    let framework = DRIVER.get().unwrap();
    let address = |function: *const ()| function.expose_provenance();
    let mut callbacks = [0; 18];
    callbacks[0] = 0x90;
    callbacks[1 + RELEASE_HARDWARE] = address(release as *const ()) as u64;
    let (callbacks, pointer) = (Memory::new(&callbacks), Memory::new(&[init as u64]));
    let arguments = [init, callbacks.address()];
    framework.call("DeviceInitSetPnpPowerEventCallbacks", &arguments);
    let device = framework.make("DeviceCreate", &[pointer.address(), 0]);
    let callbacks = [
        (CONTROL, address(control as *const ())),
        (STOP, address(stop as *const ())),
    ];
    framework.queue_with(device, PARALLEL, 1, &callbacks);
    let class = Memory::new(&CLASS);
    let arguments = [device, class.address(), 0];
    framework.number("DeviceCreateDeviceInterface", &arguments)
}

#[test]
fn stops() {
    let host = Host::with_patience(Policy::default(), Some(Duration::from_secs(5)));
    let image = inside::load(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        let device_add = (add_device as *const ()).expose_provenance() as u64;
        let framework = Framework::bind_with(imports, device_add, 0);
        assert!(DRIVER.set(framework).is_ok());
    });
    image.add_device().unwrap();
    let class = GUID::from_u128(0x0011_2233_4455_6677_7799_aabb_ccdd_eeff);
    let file = image.interfaces(class)[0].open().unwrap();
    thread::scope(|scope| {
        let [kept, requeued] = [KEPT, REQUEUED].map(|code| {
            let file = &file;
            scope.spawn(move || file.control(code, &[], 0).unwrap().0)
        });
        let held = || HELD.iter().all(|held| held.load(Ordering::SeqCst) != 0);
        while !held() && !kept.is_finished() {
            thread::yield_now();
        }
        assert!(image.unload().unmapped);
        assert_eq!(kept.join().unwrap(), 0);
        assert_eq!(requeued.join().unwrap(), CANCELLED.cast_signed());
    });
}
