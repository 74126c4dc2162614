//! What a driver says of the capabilities of a device, and of its bus. It makes no difference here: there is no bus, and nothing
//! sleeps; but what KMDF refuses is reported.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::irql::DISPATCH_LEVEL;

use super::{Handle, check_irql, device, misuse, violation};

/// `PowerDeviceMaximum` and `PowerSystemMaximum`.
pub(super) const DEVICE_STATES: u32 = 5;
const SYSTEM_STATES: u32 = 7;
/// `WdfUseDefault`, the last value of a `WDF_TRI_STATE`.
pub(super) const USE_DEFAULT: u32 = 2;

/// `WDF_DEVICE_PNP_CAPABILITIES`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PnpCapabilities {
    size: u32,
    choices: [u32; 9],
    _numbers: [u32; 2],
}

/// `WDF_DEVICE_POWER_CAPABILITIES`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PowerCapabilities {
    size: u32,
    choices: [u32; 6],
    states: [u32; 7],
    device_wake: u32,
    system_wake: u32,
    _latencies: [u32; 3],
    _ideal: u32,
}

const _: () = assert!(size_of::<PnpCapabilities>() == 0x30);
const _: () = assert!(size_of::<PowerCapabilities>() == 0x50);

/// Reads a structure of the driver, and reports one of another size.
///
/// # Safety
///
/// It is null or valid for a read.
unsafe fn read<T: Copy>(
    device: Handle,
    structure: *const T,
    size: impl Fn(&T) -> u32,
) -> Option<T> {
    check_irql(DISPATCH_LEVEL);
    device::find(device);
    if structure.is_null() {
        violation("the structure is null");
    }
    // SAFETY: it is valid, by this contract.
    let value = unsafe { structure.read() };
    let (found, expected) = (size(&value), size_of::<T>());
    if found as usize != expected {
        misuse(format_args!("its Size is {found:#x}, not {expected:#x}"));
        return None;
    }
    Some(value)
}

/// `WdfDeviceSetPnpCapabilities`.
pub(crate) unsafe extern "win64" fn set_pnp(
    _globals: *const c_void,
    device: Handle,
    capabilities: *const PnpCapabilities,
) {
    // SAFETY: the driver passes capabilities.
    let read = unsafe { read(device, capabilities, |own| own.size) };
    if read.is_some_and(|own| own.choices.iter().any(|&choice| choice > USE_DEFAULT)) {
        misuse("a capability is not 0 to 2");
    }
}

/// `WdfDeviceSetPowerCapabilities`.
pub(crate) unsafe extern "win64" fn set_power(
    _globals: *const c_void,
    device: Handle,
    capabilities: *const PowerCapabilities,
) {
    // SAFETY: the driver passes capabilities.
    let Some(own) = (unsafe { read(device, capabilities, |own| own.size) }) else {
        return;
    };
    if own.choices.iter().any(|&choice| choice > USE_DEFAULT) {
        misuse("a capability is not 0 to 2");
    } else if own.states.iter().any(|&state| state > DEVICE_STATES) {
        misuse("a device state is not 0 to 5");
    } else if own.device_wake > DEVICE_STATES || own.system_wake > SYSTEM_STATES {
        misuse("the state from which the device wakes does not exist");
    }
}

/// `WdfDeviceSetBusInformationForChildren`.
pub(crate) extern "win64" fn set_bus(
    _globals: *const c_void,
    device: Handle,
    information: *const c_void,
) {
    check_irql(DISPATCH_LEVEL);
    device::find(device);
    if information.is_null() {
        violation("the structure is null");
    }
}
