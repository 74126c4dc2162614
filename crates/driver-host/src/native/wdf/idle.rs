//! Settings for a device that idles, and for one that wakes the system. Nothing idles or sleeps here: settings are checked
//! and, as for any device that is enumerated by the root and cannot wake, refused if they ask for that.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;

use nmr_host::irql::DISPATCH_LEVEL;

use super::capabilities::{DEVICE_STATES, USE_DEFAULT};
use super::checks;
use super::{Handle, check_irql, device, refuse, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER,
    STATUS_POWER_STATE_INVALID, STATUS_SUCCESS,
};

/// `WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct IdleSettings {
    size: u32,
    /// Whether it can wake: 1 if not, 2 if so, 3 for USB.
    capabilities: u32,
    state: u32,
    _timeout: u32,
    user_control: u32,
    enabled: u32,
    /// From KMDF 1.9.
    power_up: u32,
    /// From KMDF 1.11.
    timeout_type: u32,
    _exclude_cold: u32,
}

/// The sizes up to KMDF 1.7 and 1.9.
const OLDER_IDLE: [usize; 2] = [0x18, 0x1c];

/// `WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct WakeSettings {
    size: u32,
    state: u32,
    user_control: u32,
    enabled: u32,
    _children: [u8; 4],
}

/// The size up to KMDF 1.5.
const OLDER_WAKE: [usize; 1] = [0x10];

const CANNOT_WAKE: u32 = 1;
const FOR_USB: u32 = 3;
/// The last value for the control of the user.
const ALLOWED: u32 = 2;
const LAST_TIMEOUT_TYPE: u32 = 2;

/// Checks the device, and the size of its settings.
fn check(
    function: &'static str,
    device: Handle,
    (found, expected, older): (u32, usize, &[usize]),
) -> Result<(), NtStatus> {
    let about = device::find(device);
    if about.init.control || about.init.filter {
        let text = "the device has no power policy";
        return Err(refuse(function, STATUS_INVALID_DEVICE_REQUEST, text));
    }
    if found as usize != expected && !older.contains(&(found as usize)) {
        let text = format!("the Size of its settings is {found:#x}, not {expected:#x}");
        return Err(refuse(function, STATUS_INFO_LENGTH_MISMATCH, text));
    }
    Ok(())
}

fn are_wrong(state: u32, user_control: u32, enabled: u32) -> bool {
    !(2..=DEVICE_STATES).contains(&state)
        || !(1..=ALLOWED).contains(&user_control)
        || enabled > USE_DEFAULT
}

/// `WdfDeviceAssignS0IdleSettings`.
pub(crate) unsafe extern "win64" fn assign_idle(
    _globals: *const c_void,
    device: Handle,
    settings: *const IdleSettings,
) -> NtStatus {
    const FUNCTION: &str = "WdfDeviceAssignS0IdleSettings";
    check_irql(DISPATCH_LEVEL);
    if settings.is_null() {
        violation("the settings are null");
    }
    // SAFETY: the driver passes settings.
    let own = unsafe { checks::read_sized(settings, &OLDER_IDLE) };
    let size = (own.size, size_of::<IdleSettings>(), &OLDER_IDLE[..]);
    if let Err(status) = check(FUNCTION, device, size) {
        return status;
    }
    // What an older structure does not have was read as 0, which is right for it.
    let has_power_up = own.size as usize != OLDER_IDLE[0];
    let wrong_power_up = has_power_up
        && (own.power_up > USE_DEFAULT
            || own.capabilities != CANNOT_WAKE && own.power_up != USE_DEFAULT);
    if are_wrong(own.state, own.user_control, own.enabled)
        || !(CANNOT_WAKE..=FOR_USB).contains(&own.capabilities)
        || wrong_power_up
        || own.timeout_type > LAST_TIMEOUT_TYPE
    {
        return refuse(
            FUNCTION,
            STATUS_INVALID_PARAMETER,
            "a setting is out of its range",
        );
    }
    if own.capabilities == CANNOT_WAKE {
        STATUS_SUCCESS
    } else {
        STATUS_POWER_STATE_INVALID
    }
}

/// `WdfDeviceAssignSxWakeSettings`.
pub(crate) unsafe extern "win64" fn assign_wake(
    _globals: *const c_void,
    device: Handle,
    settings: *const WakeSettings,
) -> NtStatus {
    const FUNCTION: &str = "WdfDeviceAssignSxWakeSettings";
    check_irql(DISPATCH_LEVEL);
    if settings.is_null() {
        violation("the settings are null");
    }
    // SAFETY: the driver passes settings.
    let own = unsafe { checks::read_sized(settings, &OLDER_WAKE) };
    let size = (own.size, size_of::<WakeSettings>(), &OLDER_WAKE[..]);
    if let Err(status) = check(FUNCTION, device, size) {
        return status;
    }
    if are_wrong(own.state, own.user_control, own.enabled) {
        return refuse(
            FUNCTION,
            STATUS_INVALID_PARAMETER,
            "a setting is out of its range",
        );
    }
    STATUS_POWER_STATE_INVALID
}
