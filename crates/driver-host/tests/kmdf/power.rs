//! The version of the framework, and what a driver says of the power and the capabilities of its device.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::common::inside::{self, Imports, Memory};
use super::common::{host, lines};
use super::{Framework, NAMES, SUCCESS, driver};

const POWER_STATE_INVALID: u32 = 0xc000_02d3;
const INVALID_PARAMETER: u32 = 0xc000_000d;
const LENGTH_MISMATCH: u32 = 0xc000_0004;

#[test]
fn versions() {
    driver(|framework| {
        let available = |major: u64, minor: u64| {
            let version = Memory::new(&[0xc | major << 32, minor]);
            let arguments = [framework.driver, version.address()];
            framework.call("DriverIsVersionAvailable", &arguments) as u8
        };
        assert_eq!(
            [(1, 0), (1, 33), (1, 34), (2, 0)].map(|(major, minor)| available(major, minor)),
            [1, 1, 0, 0]
        );
        let string = framework.make("StringCreate", &[0, 0]);
        let arguments = [framework.driver, string];
        assert_eq!(
            framework.number("DriverRetrieveVersionString", &arguments),
            SUCCESS
        );
        let text = framework.text(string);
        assert!(
            text.starts_with("Kernel Mode Driver Framework version 1.33."),
            "{text}"
        );
    });
}

/// An interface for other drivers, and an instance for WMI.
fn offers(framework: &Framework, device: usize) {
    let class = Memory::new(&[1, 2]);
    let offer = |size: u64| {
        let interface = Memory::new(&[size | 1 << 16, 0, 0, 0]);
        let config = Memory::new(&[
            0x30,
            interface.address() as u64,
            class.address() as u64,
            0,
            0,
            0,
        ]);
        framework.number("DeviceAddQueryInterface", &[device, config.address()])
    };
    assert_eq!([offer(0x20), offer(8)], [SUCCESS, INVALID_PARAMETER]);
    let odd = Memory::new(&[3 | 8 << 16, class.address() as u64]);
    let arguments = [device, odd.address()];
    let status = framework.number("DeviceAssignMofResourceName", &arguments);
    assert_eq!(status, INVALID_PARAMETER);
    let provider = Memory::new(&[0x28, 1, 2, 0, 0]);
    let instance = |provider: u64| {
        let (config, output) = (
            Memory::new(&[0x40, 0, provider, 0, 0, 0, 0, 0]),
            Memory::new(&[0]),
        );
        let arguments = [device, config.address(), 0, output.address()];
        (
            framework.number("WmiInstanceCreate", &arguments),
            output.pointer(0),
        )
    };
    assert_eq!(instance(0).0, INVALID_PARAMETER);
    let (status, made) = instance(provider.address() as u64);
    assert_eq!(status, SUCCESS);
    assert_eq!(framework.call("WmiInstanceGetDevice", &[made]), device);
}

static ADDING: OnceLock<Framework> = OnceLock::new();
/// What the settings were answered with.
static ANSWERS: [AtomicU32; 6] = [const { AtomicU32::new(1) }; 6];

/// Numbers of 32 bits.
fn numbers(values: &[u32]) -> Memory {
    let words = values.chunks(2).map(|pair| {
        let high = pair.get(1).copied().unwrap_or_default();
        u64::from(pair[0]) | u64::from(high) << 32
    });
    Memory::new(&words.collect::<Vec<_>>())
}

/// `EvtDriverDeviceAdd`.
extern "win64" fn add_device(_driver: usize, init: usize) -> u32 {
    let framework = ADDING.get().unwrap();
    let pointer = Memory::new(&[init as u64]);
    let device = framework.make("DeviceCreate", &[pointer.address(), 0]);
    // Every choice is left to the framework; one is none.
    let pnp = |choice| numbers(&[0x30, choice, 2, 2, 2, 2, 2, 2, 2, 2, u32::MAX, u32::MAX]);
    let power = |state| {
        let mut values = [5; 20];
        values[..7].copy_from_slice(&[0x50, 2, 2, 2, 2, 2, 2]);
        (values[7], values[15]) = (state, 7);
        numbers(&values)
    };
    let call =
        |name: &str, structure: &Memory| framework.number(name, &[device, structure.address()]);
    call("DeviceSetPnpCapabilities", &pnp(2));
    call("DeviceSetPnpCapabilities", &pnp(3));
    call("DeviceSetPowerCapabilities", &power(5));
    call("DeviceSetPowerCapabilities", &power(6));
    call("DeviceSetBusInformationForChildren", &numbers(&[0; 6]));
    offers(framework, device);
    let idle = |size: u32, capabilities: u32, state: u32| {
        let settings = numbers(&[size, capabilities, state, 0, 2, 2, 2, 0, 2]);
        call("DeviceAssignS0IdleSettings", &settings)
    };
    let wake = |size: u32, state: u32| {
        call(
            "DeviceAssignSxWakeSettings",
            &numbers(&[size, state, 2, 2, 0]),
        )
    };
    let answers = [
        idle(0x24, 1, 4),
        idle(0x24, 2, 5),
        idle(0x24, 1, 1),
        idle(0x20, 1, 4),
        wake(0x14, 5),
        wake(0x10, 1),
    ];
    for (place, answer) in ANSWERS.iter().zip(answers) {
        place.store(answer, Ordering::SeqCst);
    }
    SUCCESS
}

#[test]
fn settings() {
    let host = host();
    let image = inside::load(&host, "wdfldr.sys", &NAMES, &mut |imports: &Imports<'_>| {
        let device_add = (add_device as *const ()).expose_provenance() as u64;
        let framework = Framework::bind_with(imports, device_add, 0);
        assert!(ADDING.set(framework).is_ok());
    });
    image.add_device().unwrap();
    assert!(image.unload().unmapped);
    let answers = ANSWERS
        .each_ref()
        .map(|answer| answer.load(Ordering::SeqCst));
    assert_eq!(
        answers,
        [
            SUCCESS,
            POWER_STATE_INVALID,
            INVALID_PARAMETER,
            LENGTH_MISMATCH,
            POWER_STATE_INVALID,
            INVALID_PARAMETER,
        ]
    );
    let expected = [
        "test.sys: WdfDeviceSetPnpCapabilities: a capability is not 0 to 2",
        "test.sys: WdfDeviceSetPowerCapabilities: a device state is not 0 to 5",
        "test.sys: WdfDeviceAddQueryInterface: its Interface is shorter than an INTERFACE; answered 0xc000000d",
        "test.sys: WdfDeviceAssignMofResourceName: a string has an odd length; answered 0xc000000d",
        "test.sys: WdfWmiInstanceCreate: it needs a Provider or a ProviderConfig, and not both; answered 0xc000000d",
        "test.sys: WdfDeviceAssignS0IdleSettings: a setting is out of its range; answered 0xc000000d",
        "test.sys: WdfDeviceAssignS0IdleSettings: the Size of its settings is 0x20, not 0x24; answered 0xc0000004",
        "test.sys: WdfDeviceAssignSxWakeSettings: a setting is out of its range; answered 0xc000000d",
    ];
    assert_eq!(lines(&host.reports())[..expected.len()], expected);
}
